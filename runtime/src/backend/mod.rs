//! The two ways to run a program: as a component, or as a native process.
//!
//! A backend supplies three byte streams and a [`Process`], which takes a kill and publishes the outcome. Everything
//! else that users see (lines, events, order, collected output, ids, kill on drop) is written once, in `api/`.

mod arguments;
mod component;
mod handle;
mod host_stdin;
mod inherit;
mod native;
mod program;
mod streams;

pub use handle::ChildId;
pub(crate) use handle::{Guard, Process, Spawned, Spec};
pub use program::{Backend, NativeProgram, Program};
pub use streams::{ChildStderr, ChildStdin, ChildStdout};
pub(crate) use streams::{Delivered, Stream};

use crate::Result;

/// Starts a program. The only function that distinguishes the kinds.
pub(crate) fn spawn(program: &Program, spec: Spec) -> Result<Spawned> {
    match program {
        Program::Component(program) => component::spawn(program, spec),
        Program::Native(program) => native::spawn(program, spec),
    }
}
