//! Guests in languages other than Rust. Each language has a file, which returns its [`language::Language`].

mod build;
mod c;
mod go;
mod js;
mod language;
mod python;

pub(crate) use build::{all, build, download, missing_download};
pub(crate) use language::Language;
