//! One file per supported version of WASI: what is linked, what is called, and what the exit code is.

pub(super) mod p1;
pub(super) mod p2;

use std::fmt;

use crate::text;

/// The entry point exists, but not with the type of a command's.
#[derive(Debug)]
pub(super) struct NotACommand(String);

impl fmt::Display for NotACommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotACommand {}

/// Marks an error of looking up an instance's entry point.
fn not_a_command(error: wasmtime::Error) -> wasmtime::Error {
    let cause = text::bounded(error.root_cause());
    wasmtime::Error::new(NotACommand(format!("not a runnable command: {cause}")))
}
