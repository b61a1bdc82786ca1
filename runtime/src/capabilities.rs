//! Capabilities: what one guest holds. Nothing, unless it was granted here.
//!
//! A directory is opened when it is granted, with the caller's [`AmbientAuthority`], and from then on it is
//! that open directory and not its name: replacing the name on disk changes nothing. The paths a guest makes
//! are confined by the engine's own sandbox and never reach this file.

mod danger;

use std::{collections::BTreeSet, fmt, path::Path, sync::Arc};

use cap_std::{AmbientAuthority, fs::Dir};

use crate::{
    Error, ErrorKind, Result,
    directory::{self, Identity},
};

/// Directories one guest can be granted. Each is an open descriptor of the host.
const MAX_DIRS: usize = 64;

/// What a guest may do with a granted directory.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// # let (notes, report) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
/// use wasi_sidecar::{Access, Capabilities, ambient_authority};
///
/// let capabilities = Capabilities::new()
///     .dir(&notes, "/notes", Access::ReadOnly, ambient_authority())?
///     .dir(&report, "/report", Access::ReadWrite, ambient_authority())?;
/// assert!(Access::ReadOnly < Access::ReadWrite);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Read, list and look up. Every change is refused.
    ReadOnly,
    /// Also create, write, rename and remove.
    ReadWrite,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadOnly => "read-only",
            Self::ReadWrite => "read-write",
        })
    }
}

/// What one guest holds.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// # let notes = tempfile::tempdir().unwrap();
/// # let notes = notes.path();
/// use wasi_sidecar::{Access, Capabilities, ambient_authority};
///
/// let capabilities = Capabilities::new()
///     .dir(notes, "/notes", Access::ReadOnly, ambient_authority())?
///     .env("LANG")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Capabilities {
    pub(crate) dirs: Vec<Preopen>,
    pub(crate) env: BTreeSet<String>,
}

/// A granted directory.
#[derive(Clone, Debug)]
pub(crate) struct Preopen {
    pub(crate) dir: Arc<Dir>,
    /// What it was granted as; for messages, and where a system cannot reopen an open directory.
    pub(crate) host: std::path::PathBuf,
    pub(crate) guest: String,
    pub(crate) access: Access,
    pub(crate) identity: Identity,
}

/// What an artifact asks for. A refusal names what was asked and the grant that would allow it.
///
/// ```
/// use wasi_sidecar::{Access, Capabilities, Requests};
///
/// let asked = Requests::new().dir("/notes", Access::ReadOnly);
/// let error = Capabilities::new().grant(&asked).unwrap_err();
/// assert!(error.to_string().contains("/notes"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    dirs: Vec<(String, Access)>,
    env: BTreeSet<String>,
}

impl Requests {
    /// Asks for nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the directory the guest calls `guest`.
    #[must_use]
    pub fn dir(mut self, guest: impl Into<String>, access: Access) -> Self {
        self.dirs.push((guest.into(), access));
        self
    }

    /// Asks for an entry of the host's environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>) -> Self {
        self.env.insert(name.into());
        self
    }
}

impl Capabilities {
    /// Holds nothing: no directory, no host environment, no network.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Grants the directory `host`, which the guest sees as `guest`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Grant`] when `host` is missing, is a file or cannot be opened, when `guest` is no absolute
    /// path or is granted already; and when `host` is more than anybody means to hand to a guest: the root of a
    /// drive or file system tree, what is or contains the user's home directory, and the system's own `/proc`,
    /// `/sys` and `/dev` with what is in them. [`dangerous_dir`](Self::dangerous_dir) grants those. A directory
    /// that is, holds or lies in the code cache is refused when the command is spawned, and so is one that is, holds or
    /// lies in a folder of artifacts, unless it is granted read-only: only then is known which those are.
    pub fn dir(
        self,
        host: impl AsRef<Path>,
        guest: impl Into<String>,
        access: Access,
        authority: AmbientAuthority,
    ) -> Result<Self> {
        self.add(host.as_ref(), guest.into(), access, authority, danger::refuse)
    }

    /// Grants any directory, the root of the file system included. What a guest can then reach is not much less
    /// than what its user can: the keys in a home directory, say, or the memory of other processes.
    ///
    /// ```
    /// # fn main() -> wasi_sidecar::Result<()> {
    /// use wasi_sidecar::{Access, Capabilities, ErrorKind, ambient_authority};
    ///
    /// let root = if cfg!(windows) { "C:\\" } else { "/" };
    /// let error = Capabilities::new().dir(root, "/", Access::ReadOnly, ambient_authority()).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Grant);
    /// let all = Capabilities::new().dangerous_dir(root, "/", Access::ReadOnly, ambient_authority())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`dir`](Self::dir) but for the ones that are about what `host` is.
    pub fn dangerous_dir(
        self,
        host: impl AsRef<Path>,
        guest: impl Into<String>,
        access: Access,
        authority: AmbientAuthority,
    ) -> Result<Self> {
        self.add(host.as_ref(), guest.into(), access, authority, |_, _, _| Ok(()))
    }

    fn add(
        mut self,
        host: &Path,
        guest: String,
        access: Access,
        authority: AmbientAuthority,
        check: impl Fn(&Path, &Identity, AmbientAuthority) -> Result<()>,
    ) -> Result<Self> {
        check_guest_path(&guest)?;
        if self.dirs.iter().any(|preopen| preopen.guest == guest) {
            return Err(refusal(format!(
                "`{guest}` is granted twice; give each directory its own name"
            )));
        }
        if self.dirs.len() == MAX_DIRS {
            return Err(refusal(format!("more than {MAX_DIRS} directories; grant one above them")));
        }
        let dir = directory::open(host, authority)?;
        let identity = Identity::everywhere(&dir, Some(host))?;
        check(host, &identity, authority)?;
        let host = host.to_owned();
        self.dirs.push(Preopen { dir: Arc::new(dir), host, guest, access, identity });
        Ok(self)
    }

    /// Whether a path can be a guest's name for a directory, as [`dir`](Self::dir) wants it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Grant`] when it is not absolute and plain.
    pub fn check_guest_path(guest: &str) -> Result<()> {
        check_guest_path(guest)
    }

    /// Passes on one entry of the host's environment, with the value it has when the command is spawned. An
    /// entry the host does not have, the guest does not have either.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when `name` is empty or contains `=` or NUL.
    pub fn env(mut self, name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        check_env_name(&name)?;
        self.env.insert(name);
        Ok(self)
    }

    /// The capabilities a guest gets that asks for `requests`: exactly those, taken from these. It gets less
    /// than these when it asks for less, never more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Grant`] when it asks for something that is not granted, naming both.
    pub fn grant(&self, requests: &Requests) -> Result<Self> {
        let mut held = Self::new();
        for (guest, access) in &requests.dirs {
            let granted = self.dirs.iter().find(|preopen| preopen.guest == *guest);
            match granted {
                Some(preopen) if *access <= preopen.access => {
                    held.dirs.push(Preopen { access: *access, ..preopen.clone() });
                }
                Some(preopen) => {
                    return Err(refusal(format!(
                        "it asks for `{guest}` {access} and is granted it {}; grant `{guest}` with \
                         access `{access}` to allow it",
                        preopen.access
                    )));
                }
                None => {
                    return Err(refusal(format!(
                        "it asks for the directory `{guest}` ({access}), which is not granted; add \
                         a directory with the guest path `{guest}` and access `{access}` to its grants"
                    )));
                }
            }
        }
        for name in &requests.env {
            if !self.env.contains(name) {
                return Err(refusal(format!(
                    "it asks for the environment entry `{name}`, which is not granted; add `{name}` \
                     to the environment names of its grants"
                )));
            }
            held.env.insert(name.clone());
        }
        Ok(held)
    }

    /// Whether a path, as the guest has it, leads to a directory. It is the application's: a guest's are never
    /// resolved in this file.
    pub(crate) fn has_directory(&self, path: &str) -> bool {
        let below = |preopen: &Preopen| {
            let rest = Path::new(path).strip_prefix(&preopen.guest).ok()?;
            let name = if rest.as_os_str().is_empty() { Path::new(".") } else { rest };
            preopen.dir.open_dir(name).ok()
        };
        // The innermost grant is the one the guest's own paths resolve in.
        let grants = self.dirs.iter().filter(|preopen| Path::new(path).starts_with(&preopen.guest));
        grants.max_by_key(|preopen| preopen.guest.len()).and_then(below).is_some()
    }

    /// Refuses a directory that is, contains or lies in `protected`, granted with this access or more. `what` says what is
    /// protected, and `remedy` what to do about it.
    pub(crate) fn keep_away_from(
        &self,
        what: &str,
        protected: &Identity,
        access: Access,
        remedy: &str,
    ) -> Result<()> {
        for preopen in self.dirs.iter().filter(|preopen| preopen.access >= access) {
            let relation = if preopen.identity.is(protected) {
                "is"
            } else if protected.lies_in(&preopen.identity) {
                "contains"
            } else if preopen.identity.lies_in(protected) {
                "lies in"
            } else {
                continue;
            };
            return Err(refusal(format!(
                "the granted directory `{}` {relation} {what}: a guest that can change what the host \
                 loads has left the sandbox; {remedy}",
                preopen.host.display()
            )));
        }
        Ok(())
    }
}

fn refusal(text: String) -> Error {
    Error::new(ErrorKind::Grant, text)
}

/// Guest paths are absolute and plain, so that a grant means one place only.
fn check_guest_path(guest: &str) -> Result<()> {
    let plain = guest == "/"
        || guest.strip_prefix('/').is_some_and(|rest| {
            rest.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'))
        });
    if plain && guest.len() <= 4096 {
        return Ok(());
    }
    Err(refusal(format!(
        "`{guest}` is no path for a guest; give an absolute one without `.`, `..` or `//`, like `/data`"
    )))
}

pub(crate) fn check_env_name(name: &str) -> Result<()> {
    if name.is_empty() || name.contains(['=', '\0']) {
        let text = format!("`{name}` is no name of an environment entry");
        return Err(Error::new(ErrorKind::InvalidInput, text));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
