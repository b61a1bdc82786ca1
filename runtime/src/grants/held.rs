//! The grants of one guest: directories and environment entries.

use std::{collections::BTreeSet, path::Path};

use cap_std::AmbientAuthority;

use super::{
    dirs::{Access, DirGrant, Preopen},
    env,
    host_dir::Identity,
    network::{NetworkRule, Protocol},
    refusal,
};
use crate::{Error, Result};

/// Most directories granted to one guest. Each is an open descriptor of the host.
const MAX_DIRS: usize = 64;

/// Network rules one guest can be granted. Each decision looks at all of them.
const MAX_RULES: usize = 256;

/// What one guest may access.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// # let notes = tempfile::tempdir().unwrap();
/// # let notes = notes.path();
/// use wasi_sidecar::{Access, Grants, ambient_authority};
///
/// let grants = Grants::new()
///     .dir(notes, "/notes", Access::ReadOnly, ambient_authority())?
///     .env("LANG")?
///     .network("api.example.com:443")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Grants {
    pub(crate) dirs: Vec<Preopen>,
    pub(crate) env: BTreeSet<String>,
    pub(crate) network: Vec<NetworkRule>,
}

impl Grants {
    /// Grants nothing: no directory, no host environment, no network.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Grants the directory `host` at the guest path `guest`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Grant`](crate::ErrorKind::Grant) when `host` is missing, is a file or cannot be opened, and when
    /// `guest` is not a normalised absolute path or is granted already.
    ///
    /// Also when `host` is a sensitive directory: the root of a drive or file system, the user's home directory or one
    /// that contains it, and `/proc`, `/sys` and `/dev` with everything below them.
    /// [`dangerous_dir`](Self::dangerous_dir) grants those.
    ///
    /// [`spawn`](crate::Command::spawn) refuses a directory that is, contains or lies in the code cache. Unless the
    /// grant is read-only, it also refuses one that is, contains or lies in a directory from which artifacts were
    /// loaded.
    pub fn dir(
        self,
        host: impl AsRef<Path>,
        guest: impl Into<String>,
        access: Access,
        authority: AmbientAuthority,
    ) -> Result<Self> {
        self.add(DirGrant::new(host, guest, access)?, authority)
    }

    /// Grants any directory, even the root of the file system. A guest can then reach nearly as much as its user: the
    /// keys in a home directory, for example, or the memory of other processes.
    ///
    /// ```
    /// # fn main() -> wasi_sidecar::Result<()> {
    /// use wasi_sidecar::{Access, ErrorKind, Grants, ambient_authority};
    ///
    /// let root = if cfg!(windows) { "C:\\" } else { "/" };
    /// let error = Grants::new().dir(root, "/", Access::ReadOnly, ambient_authority()).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Grant);
    /// let all = Grants::new().dangerous_dir(root, "/", Access::ReadOnly, ambient_authority())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`dir`](Self::dir), except for sensitive directories.
    pub fn dangerous_dir(
        self,
        host: impl AsRef<Path>,
        guest: impl Into<String>,
        access: Access,
        authority: AmbientAuthority,
    ) -> Result<Self> {
        self.add(DirGrant::new(host, guest, access)?.dangerous(true), authority)
    }

    /// Opens and grants a directory.
    ///
    /// # Errors
    ///
    /// Those of [`dir`](Self::dir).
    pub fn add(mut self, grant: DirGrant, authority: AmbientAuthority) -> Result<Self> {
        if self.dirs.iter().any(|preopen| preopen.guest == grant.guest()) {
            return Err(refusal(format!(
                "`{}` is granted twice; give each directory its own name",
                grant.guest()
            )));
        }
        if self.dirs.len() == MAX_DIRS {
            return Err(refusal(format!("more than {MAX_DIRS} directories; grant one above them")));
        }
        self.dirs.push(grant.open(authority)?);
        Ok(self)
    }

    /// Passes on one entry of the host's environment, with its value at the time of the spawn. If the host has no such
    /// entry, neither has the guest.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when `name` is empty or contains `=` or NUL.
    pub fn env(mut self, name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        env::check_name(&name)?;
        self.env.insert(name);
        Ok(self)
    }

    /// Lets the guest look up, and connect or send to, what a [`NetworkRule`] covers. It cannot listen.
    ///
    /// ```
    /// # fn main() -> wasi_sidecar::Result<()> {
    /// use wasi_sidecar::{ErrorKind, Grants};
    ///
    /// let grants = Grants::new()
    ///     .network("api.example.com:443")?
    ///     .network("*.cdn.example.com:8000-8010")?
    ///     .network("udp://10.0.0.0/8:53")?;
    /// let error = Grants::new().network("api.example.com").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Grant);
    /// assert!(error.to_string().starts_with("`api.example.com` has no port"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Grant`](crate::ErrorKind::Grant) when `rule` is none, and after 256 rules.
    pub fn network(mut self, rule: impl TryInto<NetworkRule, Error: Into<Error>>) -> Result<Self> {
        let rule = rule.try_into().map_err(Into::into)?;
        if self.network.len() == MAX_RULES {
            return Err(refusal(format!(
                "more than {MAX_RULES} network rules; grant a domain or a range of addresses"
            )));
        }
        if !self.network.contains(&rule) {
            self.network.push(rule);
        }
        Ok(self)
    }

    /// Whether it may use sockets at all.
    pub(crate) fn has_network(&self) -> bool {
        !self.network.is_empty()
    }

    /// Whether a rule is of `protocol`.
    pub(crate) fn speaks(&self, protocol: Protocol) -> bool {
        self.network.iter().any(|rule| rule.protocol() == protocol)
    }

    /// Whether a guest with these grants may block its thread in a system call. Such a guest gets a thread of its own.
    pub(crate) fn may_block(&self) -> bool {
        !self.dirs.is_empty()
    }

    /// Whether a guest path is a granted directory or lies in one. The path comes from the application.
    pub(crate) fn has_directory(&self, path: &str) -> bool {
        let below = |preopen: &Preopen| {
            let rest = Path::new(path).strip_prefix(&preopen.guest).ok()?;
            let name = if rest.as_os_str().is_empty() { Path::new(".") } else { rest };
            preopen.dir.open_dir(name).ok()
        };
        // The guest's own paths resolve in the innermost grant.
        let grants = self.dirs.iter().filter(|preopen| Path::new(path).starts_with(&preopen.guest));
        grants.max_by_key(|preopen| preopen.guest.len()).and_then(below).is_some()
    }

    /// Refuses a directory that is, contains or lies in `protected` and is granted with this access or more. `what`
    /// names the protected directory, and `remedy` says what to do.
    pub(crate) fn check_disjoint(
        &self,
        what: &str,
        protected: &Identity,
        access: Access,
        remedy: &str,
    ) -> Result<()> {
        for preopen in self.dirs.iter().filter(|preopen| preopen.access >= access) {
            if let Some(relation) = preopen.relation(protected) {
                return Err(refusal(format!(
                    "the granted directory `{}` {relation} {what}: a guest that can change what the host \
                     loads has left the sandbox; {remedy}",
                    preopen.host.display()
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
