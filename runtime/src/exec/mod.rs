//! Threads, timers and pipes that guests run on, independent of WebAssembly.

pub(crate) mod control;
pub(crate) mod executor;
pub(crate) mod pipe;
pub(crate) mod polled;
mod queue;
pub(crate) mod resolver;
pub(crate) mod spin;
pub(crate) mod ticker;
mod workers;
