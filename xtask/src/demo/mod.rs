//! `cargo xtask demo`: builds and runs the demo.
//!
//! [`window`] opens the example app, or drives it and takes pictures if there is no display. [`terminal`] runs
//! `examples/headless`. Both build only the guests that they run.

mod estimate;
mod pipeline;
pub(crate) mod terminal;
pub(crate) mod window;
