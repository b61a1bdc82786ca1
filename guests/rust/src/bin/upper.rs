//! Copies standard input to standard output line by line with ASCII letters in upper case, flushed after each line.
//!
//! Arguments: none. A last line without `\n` stays without. Exit code: 0, or 1 when a stream fails.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    if run().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        line.make_ascii_uppercase();
        output.write_all(&line)?;
        output.flush()?;
        line.clear();
    }
    Ok(())
}
