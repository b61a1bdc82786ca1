//! Rust guests. Each is built from one source as a component, as a module and as a native program.
//!
//! cargo builds all outdated guests ([`mod@build`]) in one run per target ([`cargo`]), in its own target directory, so that it does
//! not wait for other cargo processes. Most guests are programs of one package; guests with their own profile or large dependencies
//! are packages of their own ([`recipe`]).

mod build;
mod cargo;
mod recipe;

pub(crate) use build::{build, missing_download};
pub(crate) use recipe::has_c;
