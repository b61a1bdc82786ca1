//! Compiles WebAssembly to machine code: the compiler, its settings, and when, where and within which limits it runs.
//!
//! Nothing else in this crate compiles. Nothing here knows of guests, caches or tasks, so the same code runs in a
//! compile child.

mod child;
#[cfg(feature = "compiler")]
mod codegen;
pub(crate) mod debug_build_hint;
pub(crate) mod isolated;
mod limits;
#[cfg(not(feature = "compiler"))]
mod no_compiler;
pub(crate) mod prescan;
mod process;
mod protocol;
mod queue;
mod settings;
mod threads;

pub use child::CompileChild;
#[cfg(feature = "compiler")]
pub(crate) use codegen::Compiler;
#[cfg(not(feature = "compiler"))]
pub(crate) use no_compiler::Compiler;
pub(crate) use queue::{Queue, Urgency, Waiters};
pub(crate) use settings::{DEFAULT_GUEST_STACK, Form, Settings};
pub(crate) use threads::on_all_cores;
