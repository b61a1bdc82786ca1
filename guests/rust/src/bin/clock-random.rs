//! Asks for the time and for random numbers, the two things every guest holds.
//!
//! Output: `monotonic ok`, `wall ok` and `random ok`, one a line, each with `wrong` instead of `ok` when the monotonic
//! clock runs backwards, the wall clock shows a time before 2024, or two reads of 16 random bytes are equal.
//! Arguments: none. Exit code: 0, or 1 when something was wrong or standard output fails.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

/// 2024-01-01T00:00:00Z, in seconds.
const YEAR_2024: u64 = 1_704_067_200;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> io::Result<bool> {
    let mut output = io::stdout().lock();
    let mut all = true;
    for (name, fine) in [("monotonic", monotonic()), ("wall", wall()), ("random", random())] {
        writeln!(output, "{name} {}", if fine { "ok" } else { "wrong" })?;
        all &= fine;
    }
    output.flush()?;
    Ok(all)
}

fn monotonic() -> bool {
    let first = Instant::now();
    let second = Instant::now();
    second >= first
}

fn wall() -> bool {
    SystemTime::now() > SystemTime::UNIX_EPOCH + Duration::from_secs(YEAR_2024)
}

fn random() -> bool {
    let (mut first, mut second) = ([0; 16], [0; 16]);
    let read = getrandom::fill(&mut first).and_then(|()| getrandom::fill(&mut second));
    read.is_ok() && first != second
}
