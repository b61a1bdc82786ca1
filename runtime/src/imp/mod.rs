//! The only two ways to run anything.
//!
//! A backend supplies three byte streams and a [`Process`]: a way to ask for the end and a place where the
//! outcome appears. Everything a user sees (lines, events, ordering, collecting, ids, kill on drop) is written
//! once, above this.

mod compiler;
mod component;
mod end;
mod given;
mod handle;
mod host_stdin;
mod inherit;
mod native;

pub(crate) use compiler::Compiler;
pub use handle::ChildId;
pub(crate) use handle::{Guard, Process, Spawned, Spec};

use crate::{Program, Result};

/// Starts a program: the one place that tells the kinds apart.
pub(crate) fn spawn(program: &Program, spec: Spec) -> Result<Spawned> {
    match program {
        Program::Component(program) => component::spawn(program, spec),
        Program::Native(program) => native::spawn(program, spec),
    }
}
