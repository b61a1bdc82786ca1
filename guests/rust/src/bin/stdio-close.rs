//! Closes its standard output early, and goes on.
//!
//! Writes `a\n` to standard output and closes it, reads standard input until end of file, writes `b\n` to standard
//! error and exits with 3. Arguments: none. Exit code: 3, or 1 when a stream fails. On Windows standard output stays
//! open, because std offers no file descriptors there.

#![expect(
    unsafe_code,
    reason = "std never closes its standard output, which is what this program is about"
)]

use std::io::{self, Write};

fn main() {
    exit(if run().is_ok() { 3 } else { 1 });
}

fn run() -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(b"a\n")?;
    output.flush()?;
    close_stdout();
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    io::stderr().write_all(b"b\n")
}

#[cfg(not(windows))]
fn close_stdout() {
    use std::os::fd::{FromRawFd, OwnedFd};
    // SAFETY: descriptor 1 is open, and nothing in this program writes to standard output afterwards: std's own flush
    // at exit finds its buffer empty.
    drop(unsafe { OwnedFd::from_raw_fd(1) });
}

#[cfg(windows)]
fn close_stdout() {}

/// Under WASI 0.2 the C library below std turns every code but 0 into 1, so this asks the host directly.
#[cfg(all(target_os = "wasi", target_env = "p2"))]
fn exit(code: u8) -> ! {
    wasip2::cli::exit::exit_with_code(code);
    unreachable!("the host has ended this program")
}

#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
fn exit(code: u8) -> ! {
    std::process::exit(i32::from(code))
}
