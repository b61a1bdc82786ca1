//! Building the repository's programs and npm packages.

pub(crate) mod cargo;
pub(crate) mod example_app;
pub(crate) mod npm;
mod progress;
