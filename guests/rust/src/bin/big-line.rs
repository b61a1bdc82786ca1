//! Writes one long line: `big-line BYTES [--newline]`.
//!
//! BYTES times the letter `x`, and with `--newline` one `\n` more. Exit code: 0; 1 when standard output
//! fails, or BYTES is missing or not a number.

use std::io::{self, Write};
use std::process::ExitCode;

const BLOCK: u64 = 16 * 1024;

fn main() -> ExitCode {
    let Some(bytes) = std::env::args().nth(1).and_then(|text| text.parse().ok()) else {
        let _ = writeln!(io::stderr(), "usage: big-line BYTES [--newline]");
        return ExitCode::FAILURE;
    };
    let newline = std::env::args().nth(2).is_some_and(|argument| argument == "--newline");
    if run(bytes, newline).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(bytes: u64, newline: bool) -> io::Result<()> {
    let mut output = io::stdout().lock();
    let block = [b'x'; BLOCK as usize];
    let mut left = bytes;
    while left > 0 {
        let count = left.min(BLOCK);
        output.write_all(&block[..count as usize])?;
        output.flush()?;
        left -= count;
    }
    if newline {
        output.write_all(b"\n")?;
    }
    output.flush()
}
