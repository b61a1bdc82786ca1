//! The plugin under Tauri's mock runtime, with the real capability files; where it matters, beside the shell plugin itself.
//!
//! A test with `parity_NN` in its name holds a row of the contract with `tauri-plugin-shell`, `docs/parity.md`. Rows that live in one
//! place are tested there: in `host-plugin/src`, and in `host-plugin/tests-js`.

#![expect(
    clippy::disallowed_methods,
    reason = "tests make the files that they then grant, and read those of the build"
)]

mod support;

mod ahead;
mod attacks;
mod environment;
mod events;
mod ipc;
mod ipc_input;
mod logged;
mod ownership;
mod pressure;
mod same_source;
mod setup;
mod start;
mod status;
mod streams;
