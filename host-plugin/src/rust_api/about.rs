//! What an app can learn about a sidecar.

use std::path::PathBuf;

use wasi_sidecar::{Access, Artifact, Backend, DirGrant, Engine, Limits, When};

use crate::{Result, sidecar::LazySidecar};

/// A description of a sidecar; from [`Sidecars::about`](crate::Sidecars::about).
#[derive(Debug)]
#[non_exhaustive]
pub struct About {
    /// The configured name.
    pub name: String,
    /// The artifact, or why it cannot be loaded.
    pub artifact: Result<Artifact>,
    /// The backend that would run it now, or why none can.
    pub backend: Result<Backend>,
    /// The granted directories.
    pub dirs: Vec<AboutDir>,
    /// The granted environment entries, by name.
    pub env: Vec<String>,
    /// The granted network rules.
    pub network: Vec<String>,
    /// The limits of each child.
    pub limits: Limits,
    /// When the native fallback runs; `None` if there is none.
    pub fallback: Option<When>,
}

/// A granted directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AboutDir {
    /// The path on the host.
    pub host: PathBuf,
    /// The path in the guest.
    pub guest: String,
    /// Whether the guest may write.
    pub access: Access,
}

impl About {
    pub(super) fn new(sidecar: &LazySidecar, engine: &Engine) -> Self {
        let config = &sidecar.config;
        let (artifact, loaded) = sidecar.load_with_artifact(engine);
        Self {
            artifact,
            backend: loaded.and_then(|sidecar| Ok(sidecar.backend()?)),
            dirs: config.grants.dirs.iter().map(AboutDir::new).collect(),
            env: config.grants.env.clone(),
            network: config.grants.network.iter().map(ToString::to_string).collect(),
            limits: config.limits.clone(),
            fallback: config.native.as_ref().map(|(_, when)| *when),
            name: config.name.clone(),
        }
    }
}

impl AboutDir {
    fn new(dir: &DirGrant) -> Self {
        Self { host: dir.host().into(), guest: dir.guest().into(), access: dir.access() }
    }
}
