//! Writes `sleeping\n`, sleeps, writes `awake\n`: `sleep MILLIS`.
//!
//! Exit code: 0; 1 when standard output fails, or MILLIS is missing or not a number.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let Some(millis) = std::env::args().nth(1).and_then(|text| text.parse().ok()) else {
        let _ = writeln!(io::stderr(), "usage: sleep MILLIS");
        return ExitCode::FAILURE;
    };
    if run(Duration::from_millis(millis)).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(time: Duration) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(b"sleeping\n")?;
    output.flush()?;
    std::thread::sleep(time);
    output.write_all(b"awake\n")?;
    output.flush()
}
