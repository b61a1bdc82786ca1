//! `cargo xtask guests`: builds the guests from source into `target/guests`.
//!
//! A guest is rebuilt when its key changes, a hash of sources, options and compiler ([`cache`]). cargo builds all Rust guests
//! together for three targets ([`rust`]); guests in other languages are built one by one ([`languages`]).

mod builder;
mod cache;
mod languages;
mod report;
mod rust;
mod selection;

pub(crate) use builder::{Builder, build, downloads};
pub(crate) use selection::{Guest, find};
