//! The machine that the commands run on: terminal, processes, folders and installed programs.

pub(crate) mod cargo_tools;
pub(crate) mod console;
pub(crate) mod packages;
pub(crate) mod paths;
pub(crate) mod process;
pub(crate) mod tools;
