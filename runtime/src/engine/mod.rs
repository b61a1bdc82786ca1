//! The engine of an application: its configuration, and the state that all guests share.

mod admission;
mod config;
mod core;

pub(crate) use admission::{Admission, AdmissionWatch};
pub use config::EngineConfig;
pub(crate) use config::UntrustedPolicy;
pub use core::Engine;
