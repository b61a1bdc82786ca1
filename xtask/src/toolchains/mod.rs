//! Compilers for guests, which are downloaded into `target/toolchains` and need no rights.

pub(crate) mod install;
pub(crate) mod pip;
pub(crate) mod rust_from_debian;
pub(crate) mod rustc;
pub(crate) mod rustup;
pub(crate) mod versions;
pub(crate) mod zig;
