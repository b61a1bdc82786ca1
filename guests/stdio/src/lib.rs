//! Standard streams and exit codes for sidecars: fast in WebAssembly components, and the same on other targets.
//!
//! A component's standard library reaches its streams through functions made for an older WASI, which transfer at most
//! 4 KiB at a time and turn every exit code but 0 into 1. This crate calls WASI 0.2 itself. Natively and in a preview1
//! module it uses the standard library, so one source works everywhere.
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
//! Use it for much output in large pieces. For line by line output, use `println!` or a
//! [`BufWriter`](std::io::BufWriter) around [`stdout`]: each write is a call to the host.

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

/// Most bytes per read: as many as a pipe holds.
const BLOCK: usize = 64 << 10;

/// Standard input, from [`stdin`].
#[derive(Debug)]
pub struct Stdin(streams::Input);

/// Standard output or error without a buffer, from [`stdout`] and [`stderr`].
#[derive(Debug)]
pub struct Output(streams::Output);

/// Standard input with its own buffer. Bytes that it has read are invisible to other instances and to `std::io::stdin`.
#[must_use]
pub fn stdin() -> Stdin {
    Stdin(streams::Input::new(BLOCK))
}

/// Standard output without the buffer of `std::io::stdout`. Flush that first if you use both.
///
/// A write waits while the host has no room, as with a pipe, and fails with [`BrokenPipe`](io::ErrorKind::BrokenPipe)
/// when nobody will read it.
#[must_use]
pub fn stdout() -> Output {
    Output(streams::Output::stdout())
}

/// Standard error; see [`stdout`].
#[must_use]
pub fn stderr() -> Output {
    Output(streams::Output::stderr())
}

/// Exits with this code, like [`std::process::exit`]: buffered output of `print!` is written, and destructors do not
/// run.
pub fn exit(code: u8) -> ! {
    streams::exit(code)
}

/// The directory that the host wants this program to start in. `None` if the host named none, and natively, where the
/// program already starts there.
///
/// The C library below Rust's standard library starts a WebAssembly program in `/`, whatever the host says. To make
/// relative paths start where they do natively, join them to this directory, or change to it first thing in `main`:
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
/// `wasi-sidecar` accepts an initial directory other than `/` for a component that calls this. A preview1 module gets
/// the value of `PWD`.
///
/// # Caveats
///
/// Some versions of the C library fail to make hard links in a program that changes its directory (its `link` then uses
/// a buffer that has moved). If your program makes any, join paths instead.
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
