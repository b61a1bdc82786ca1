//! The `grants` of a sidecar: directories, environment entries and network rules.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use tauri::{Manager, Runtime};
use wasi_sidecar::{Access, AmbientAuthority, DirGrant, Grants, NetworkRule};

use super::paths;
use crate::spelling::explain;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct RawGrants {
    dirs: Vec<RawDir>,
    env: Vec<String>,
    network: Vec<String>,
    http: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawDir {
    host: String,
    guest: String,
    #[serde(with = "RawAccess", default = "read_only")]
    access: Access,
    /// Permits a sensitive directory, such as the root of a file system or the home directory.
    #[serde(default)]
    dangerous: bool,
}

#[derive(Deserialize)]
#[serde(remote = "Access", rename_all = "kebab-case")]
enum RawAccess {
    ReadOnly,
    ReadWrite,
}

fn read_only() -> Access {
    Access::ReadOnly
}

/// A sidecar's grants by name. Each start opens the directories again.
#[derive(Clone, Debug, Default)]
pub(crate) struct GrantList {
    pub(crate) dirs: Vec<DirGrant>,
    pub(crate) env: Vec<String>,
    pub(crate) network: Vec<NetworkRule>,
}

impl GrantList {
    /// Checks the grants without opening anything. The error begins with the key.
    pub(super) fn from_config<R: Runtime>(
        app: &impl Manager<R>,
        raw: &RawGrants,
    ) -> Result<Self, String> {
        if !raw.http.is_empty() {
            return Err("grants.http: this version offers no HTTP, and a grant that cannot be given is an error; \
                        remove it"
                .to_owned());
        }
        let network = raw.network.iter().map(|entry| {
            entry
                .parse::<NetworkRule>()
                .map_err(|error| format!("grants.network: {}", explain(&error)))
        });
        let network = network.collect::<Result<_, _>>()?;
        let mut grants = Self { dirs: Vec::new(), env: raw.env.clone(), network };
        for dir in &raw.dirs {
            let host = paths::directory(app, &dir.host)
                .map_err(|error| format!("grants.dirs: {error}"))?;
            let grant = DirGrant::new(host, dir.guest.as_str(), dir.access)
                .map_err(|error| format!("grants.dirs: {}", explain(&error)))?;
            grants.dirs.push(grant.dangerous(dir.dangerous));
        }
        // The runtime checks the names; this reads no value.
        for name in &grants.env {
            Grants::new()
                .env(name.as_str())
                .map_err(|error| format!("grants.env: {}", explain(&error)))?;
        }
        Ok(grants)
    }

    /// Opens the directories and reads the environment entries.
    pub(crate) fn open(&self, authority: AmbientAuthority) -> wasi_sidecar::Result<Grants> {
        let mut grants = Grants::new();
        for dir in &self.dirs {
            grants = grants.add(dir.clone(), authority)?;
        }
        for name in &self.env {
            grants = grants.env(name.as_str())?;
        }
        for rule in &self.network {
            grants = grants.network(rule.clone())?;
        }
        Ok(grants)
    }

    /// The host path of a guest path, if a grant covers it. Of nested grants the innermost counts, as for a component.
    #[expect(
        clippy::disallowed_methods,
        reason = "the directory of a native fallback, which no sandbox confines"
    )]
    pub(crate) fn host_path(&self, guest: &Path) -> Option<PathBuf> {
        let covers = |dir: &&DirGrant| guest.starts_with(dir.guest());
        let dir = self.dirs.iter().filter(covers).max_by_key(|dir| dir.guest().len())?;
        let rest = guest.strip_prefix(dir.guest()).ok()?;
        // Only plain names: `..` would leave the directory, and Windows takes `C:` for a drive.
        let is_name =
            |part| matches!(part, Component::Normal(name) if !name.to_string_lossy().contains(':'));
        if !rest.components().all(is_name) {
            return None;
        }
        // A symbolic link could leave it as well.
        let granted = dir.host().canonicalize().ok()?;
        granted.join(rest).canonicalize().ok().filter(|path| path.starts_with(&granted))
    }
}
