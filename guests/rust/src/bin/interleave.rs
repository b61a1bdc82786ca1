//! Writes numbered lines to standard output and standard error in turn: `interleave COUNT`.
//!
//! `out 1\n`, `err 1\n`, `out 2\n`, … each flushed. Exit code: 0; 1 when a stream fails, or COUNT is missing
//! or not a number.

use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(count) = std::env::args().nth(1).and_then(|text| text.parse().ok()) else {
        let _ = writeln!(io::stderr(), "usage: interleave COUNT");
        return ExitCode::FAILURE;
    };
    if run(count).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(count: u64) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let mut stderr = io::stderr().lock();
    for number in 1..=count {
        stdout.write_all(format!("out {number}\n").as_bytes())?;
        stdout.flush()?;
        // Formatted first: standard error is unbuffered, and each piece of a `write!` would be a write.
        stderr.write_all(format!("err {number}\n").as_bytes())?;
    }
    Ok(())
}
