//! Prints environment entries.
//!
//! Arguments: none for all entries as `NAME=value`, sorted, one a line; or names, each answered in order by
//! `NAME=value` or `NAME is not set`. Exit code: 0, or 1 when standard output fails.

#![expect(
    clippy::disallowed_methods,
    reason = "an ordinary program: what it may reach is its host's affair"
)]

use std::ffi::OsStr;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    if run().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run() -> io::Result<()> {
    let mut output = io::stdout().lock();
    let names: Vec<_> = std::env::args_os().skip(1).collect();
    if names.is_empty() {
        let mut entries: Vec<_> = std::env::vars_os().collect();
        entries.sort();
        for (name, value) in entries {
            entry(&mut output, &name, &value)?;
        }
    }
    for name in names {
        match std::env::var_os(&name) {
            Some(value) => entry(&mut output, &name, &value)?,
            None => {
                output.write_all(name.as_encoded_bytes())?;
                output.write_all(b" is not set\n")?;
            }
        }
    }
    output.flush()
}

fn entry(output: &mut impl Write, name: &OsStr, value: &OsStr) -> io::Result<()> {
    output.write_all(name.as_encoded_bytes())?;
    output.write_all(b"=")?;
    output.write_all(value.as_encoded_bytes())?;
    output.write_all(b"\n")
}
