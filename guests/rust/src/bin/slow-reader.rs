//! Reads standard input slowly: `slow-reader BYTES MILLIS` reads at most BYTES, sleeps MILLIS, and so on to the end.
//!
//! Output: `read N\n` once, after end of file. Exit code: 0; 1 when a stream fails, or when an argument is missing
//! or not a number, or BYTES is 0.

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

/// What is reserved for one read, whatever was asked for.
const LARGEST_READ: usize = 1024 * 1024;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>().ok());
    let (Some(Some(bytes @ 1..)), Some(Some(millis))) = (numbers.next(), numbers.next()) else {
        let _ = writeln!(io::stderr(), "usage: slow-reader BYTES MILLIS");
        return ExitCode::FAILURE;
    };
    let pause = Duration::from_millis(millis as u64);
    if run(bytes, pause).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(bytes: usize, pause: Duration) -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut buffer = vec![0; bytes.min(LARGEST_READ)];
    let mut total = 0;
    loop {
        match input.read(&mut buffer)? {
            0 => break,
            count => total += count as u64,
        }
        std::thread::sleep(pause);
    }
    let mut output = io::stdout().lock();
    writeln!(output, "read {total}")?;
    output.flush()
}
