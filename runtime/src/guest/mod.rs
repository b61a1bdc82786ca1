//! Runs one WebAssembly program: links it, gives it its grants, calls it, and determines how it ended.
//!
//! Besides `compile/`, only this folder names wasmtime. Each version of WASI has a file in `abi/`.

mod abi;
pub(crate) mod code;
mod end;
pub(crate) mod pool;
pub(crate) mod run;
pub(crate) mod store;
