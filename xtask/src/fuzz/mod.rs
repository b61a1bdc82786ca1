//! `cargo xtask fuzz`: runs libFuzzer on parsers and on the code that decides what a guest may access.

mod build;
mod run;

pub(crate) use build::as_rustc;
pub(crate) use run::{Arguments, run};
