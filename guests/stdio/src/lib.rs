//! Standard streams and exit codes for programs that are sidecars: fast as WebAssembly components, and the same everywhere else.
//!
//! A component's standard library reaches its streams through functions that were made for an older WASI, which pass on at most
//! 4 KiB at a time, and turn every exit code but 0 into 1. What is here calls WASI 0.2 itself. Natively, and as a preview1 module, it
//! is the standard library's, so that one source serves them all.
//!
//! ```no_run
//! use std::io::{BufRead, Write};
//!
//! // `cat`: what has come is passed on, without a buffer of its own.
//! fn main() -> std::io::Result<()> {
//!     let (mut input, mut output) = (wasi_sidecar_guest::stdin(), wasi_sidecar_guest::stdout());
//!     loop {
//!         let bytes = input.fill_buf()?;
//!         if bytes.is_empty() {
//!             return Ok(());
//!         }
//!         let length = bytes.len();
//!         output.write_all(bytes)?;
//!         input.consume(length);
//!     }
//! }
//! ```
//!
//! For much output in large pieces. A program that prints line by line is better off with `println!`, or with a
//! [`BufWriter`](std::io::BufWriter) around [`stdout`]: each write is a call of the host.

#[cfg(all(target_os = "wasi", target_env = "p2"))]
mod component;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
use component as streams;
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
mod native;
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
use native as streams;

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;

/// Most bytes that are asked for at once: what a pipe holds.
const BLOCK: usize = 64 << 10;

/// Standard input, from [`stdin`].
#[derive(Debug)]
pub struct Stdin(streams::Input);

/// Standard output or error without a buffer, from [`stdout`] and [`stderr`].
#[derive(Debug)]
pub struct Output(streams::Output);

/// Standard input. Its buffer is its own: what one of these has read, neither another nor `std::io::stdin` sees.
#[must_use]
pub fn stdin() -> Stdin {
    Stdin(streams::Input::new(BLOCK))
}

/// Standard output, past the buffer of `std::io::stdout`: flush that first if both are used.
///
/// A write waits while the host has no room, as one to a pipe does, and fails with
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe) when nobody will read it.
#[must_use]
pub fn stdout() -> Output {
    Output(streams::Output::stdout())
}

/// Standard error; see [`stdout`].
#[must_use]
pub fn stderr() -> Output {
    Output(streams::Output::stderr())
}

/// Ends the program with this exit code, as [`std::process::exit`] does: what `print!` has held back is written, and nothing is
/// dropped.
pub fn exit(code: u8) -> ! {
    streams::exit(code)
}

/// The directory that the host wants this program to start in; `None` if it said nothing, and natively, where the program is
/// there already.
///
/// The C library below the standard one starts a WebAssembly program in `/`, whatever the host says. A program that joins its
/// relative paths to this directory, or changes to it first thing in `main`, has them start where they do natively:
///
/// ```no_run
/// # fn main() -> std::io::Result<()> {
/// if let Some(directory) = wasi_sidecar_guest::initial_dir() {
///     std::env::set_current_dir(directory)?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// `wasi-sidecar` takes an initial directory other than `/` for a component that calls this. A preview1 module gets what is in
/// `PWD`.
///
/// # Caveats
///
/// Some versions of the C library fail to make hard links in a program that changes its directory (its `link` then uses a
/// buffer that has moved). Join paths instead if yours makes any.
#[must_use]
pub fn initial_dir() -> Option<PathBuf> {
    streams::initial_dir().map(PathBuf::from)
}

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl BufRead for Stdin {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
