//! Prints its arguments, one a line, in order, without the program's own name.
//!
//! Output: nothing when there are no arguments. Exit code: 0, or 1 when standard output fails.

use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    if run().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run() -> io::Result<()> {
    let mut output = io::stdout().lock();
    for argument in std::env::args_os().skip(1) {
        output.write_all(argument.as_encoded_bytes())?;
        output.write_all(b"\n")?;
    }
    output.flush()
}
