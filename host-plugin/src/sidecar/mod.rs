//! A configured sidecar at run time: its component, its precompiled code and its status.

mod lazy;
mod precompiled;
mod status;

pub(crate) use lazy::LazySidecar;
pub use precompiled::AheadOfTime;
pub(crate) use status::{StatusEmitter, StatusPayload};
