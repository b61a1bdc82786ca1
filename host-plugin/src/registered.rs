//! What the app registers in code before the plugin starts.

use std::{collections::BTreeMap, fmt};

use wasi_sidecar::{CompileChild, EngineConfig, ambient_authority};

use crate::{config::SidecarArtifact, sidecar::AheadOfTime};

/// Artifacts, engine settings and precompiled code from the [`Builder`](crate::Builder).
#[derive(Default)]
pub(crate) struct Registered {
    pub(crate) components: BTreeMap<String, SidecarArtifact>,
    /// Changes of the engine's settings, in order.
    pub(crate) engine: Vec<EngineChange>,
    pub(crate) precompiled: AheadOfTime,
}

pub(crate) type EngineChange = Box<dyn FnOnce(EngineConfig) -> EngineConfig + Send>;

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("components", &self.components).finish_non_exhaustive()
    }
}

/// The engine settings of an app that changes none. The engine compiles untrusted artifacts in a process of its own, a second
/// instance of this app. Where an app can start no processes, it scans them and compiles only those that pass.
pub(crate) fn default_engine() -> EngineConfig {
    match CompileChild::this_program(ambient_authority()) {
        Ok(child) => EngineConfig::new().compile_isolated(child),
        Err(error) => {
            tracing::debug!(%error, "untrusted artifacts are scanned and compiled in the app's process");
            EngineConfig::new().compile_scanned()
        }
    }
}
