//! Goes to its initial directory and says where it is: prints the current directory, then the names in `.`, sorted, one
//! a line.
//!
//! When either cannot be told, the line is `error: KIND` with std's name of the error. Arguments: none. Exit code: 0,
//! or 1 when standard output fails.

#![expect(
    clippy::disallowed_methods,
    reason = "an ordinary program: what it may reach is its host's affair"
)]

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    if run().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run() -> io::Result<()> {
    if let Some(directory) = wasi_sidecar_guest::initial_dir() {
        std::env::set_current_dir(directory)?;
    }
    let mut output = io::stdout().lock();
    match std::env::current_dir() {
        Ok(directory) => writeln!(output, "{}", directory.display())?,
        Err(error) => writeln!(output, "error: {:?}", error.kind())?,
    }
    match names() {
        Ok(names) => {
            for name in names {
                writeln!(output, "{name}")?;
            }
        }
        Err(error) => writeln!(output, "error: {:?}", error.kind())?,
    }
    output.flush()
}

fn names() -> io::Result<Vec<String>> {
    let mut names = fs::read_dir(".")?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}
