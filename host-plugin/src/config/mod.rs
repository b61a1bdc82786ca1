//! The plugin's configuration: read from `tauri.conf.json`, then checked and turned into the types that the plugin uses.

mod engine;
mod grants;
mod limits;
mod parse;
mod paths;
mod schema;
mod sidecar;

pub(crate) use engine::engine_config;
pub use parse::Config;
pub(crate) use schema::{OnReload, RawWebviews};
pub(crate) use sidecar::{SidecarArtifact, SidecarConfig};
