//! What the library promises, tried with real guests. One binary, because linking the engine takes longer than
//! running most of this.
//!
//! Start with `contract`: the specification as a table, run as component, as module and as native program.

#![allow(clippy::disallowed_methods, reason = "tests prepare and inspect the host's own files")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod ahead;
mod api;
// Its rows for Windows wait for the others to be taken apart by system: links, FIFOs and modes are Unix's.
#[cfg(unix)]
mod attacks;
mod bombs;
mod compiling;
mod contract;
mod coverage;
mod ending;
mod events;
mod examples;
mod files;
mod framing;
mod grants;
mod idle;
mod inherit;
mod initial_dir;
mod isolated;
mod languages;
mod layers;
mod limits;
mod loading;
mod logged;
mod measured;
mod network;
mod pool;
mod preview1;
mod sidecar;
mod streams;
mod support;
mod tree;
