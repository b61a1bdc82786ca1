//! `cargo xtask guests`: builds the guests from source, with compilers that need no rights and touch no system folder.
//!
//! Everything is kept by a key, the hash of sources, recipe and versions: a compiler under `target/toolchains`
//! ([`toolchain`]), a built guest under `target/guests` ([`cache`]). Both are made aside and renamed, so that what is
//! there is whole.
//!
//! Rust guests are built together by cargo, for three targets ([`rust`], with the compiler of [`debian`] where there is
//! no other); those in other languages one by one ([`others`], which is a table of [`c`], [`go`], [`js`] and [`python`]).

mod c;
mod cache;
mod debian;
mod debian_apt;
mod debian_sources;
mod go;
mod js;
mod others;
mod pip;
mod python;
mod report;
mod rust;
mod rustc;
mod select;
mod toolchain;
mod versions;

pub(crate) use select::{Guest, Guests, build, downloads, find};
