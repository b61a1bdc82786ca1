//! A Rust compiler for WebAssembly from the packages of Debian 12, for machines that cannot reach rustup's downloads.
//!
//! Packages are downloaded with a private apt state ([`apt`]) from the machine's own sources ([`sources`]) and unpacked
//! into a folder, so nothing is installed. Debian 12 has the compiler and the source of the standard library but no build of it
//! for WASI, so [`build`] compiles it.

mod apt;
pub(crate) mod build;
mod sources;
