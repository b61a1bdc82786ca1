//! Granted directories: how to write one, which are refused, and opening them.
//!
//! A directory is opened when it is granted, with the caller's [`AmbientAuthority`]. From then on the grant is the open
//! directory, not its name: replacing the name on disk changes nothing. wasmtime-wasi confines the guest's paths.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use cap_std::{AmbientAuthority, fs::Dir};

use super::{
    host_dir::{self, Identity},
    refusal, sensitive,
};
use crate::{Error, Result};

/// Most bytes of a directory's guest path, which the guest may read as often as it likes.
const MAX_GUEST_PATH: usize = 4096;

/// What a guest may do with a granted directory.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// # let (notes, report) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
/// use wasi_sidecar::{Access, Grants, ambient_authority};
///
/// let grants = Grants::new()
///     .dir(&notes, "/notes", Access::ReadOnly, ambient_authority())?
///     .dir(&report, "/report", Access::ReadWrite, ambient_authority())?;
/// assert!(Access::ReadOnly < Access::ReadWrite);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Read, list and look up. Changes are refused.
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

/// A directory to grant, by its names, as in a configuration or on a command line. [`Grants::add`](super::Grants::add)
/// opens it.
///
/// As text it is `HOST::GUEST`, or `HOST::GUEST:ro` for read-only access.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// use wasi_sidecar::{Access, DirGrant};
///
/// let grant: DirGrant = "notes::/notes:ro".parse()?;
/// assert_eq!(grant, DirGrant::new("notes", "/notes", Access::ReadOnly)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirGrant {
    host: PathBuf,
    guest: String,
    access: Access,
    dangerous: bool,
}

impl DirGrant {
    /// The directory `host`, with the guest path `guest`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Grant`](crate::ErrorKind::Grant) when `guest` is not an absolute path without `.`, `..` and `//`.
    pub fn new(host: impl AsRef<Path>, guest: impl Into<String>, access: Access) -> Result<Self> {
        let (host, guest) = (host.as_ref().to_owned(), guest.into());
        check_guest_path(&guest)?;
        Ok(Self { host, guest, access, dangerous: false })
    }

    /// Allows a sensitive directory; see [`Grants::dangerous_dir`](super::Grants::dangerous_dir).
    #[must_use]
    pub fn dangerous(mut self, dangerous: bool) -> Self {
        self.dangerous = dangerous;
        self
    }

    /// Its path on the host.
    #[must_use]
    pub fn host(&self) -> &Path {
        &self.host
    }

    /// Its guest path.
    #[must_use]
    pub fn guest(&self) -> &str {
        &self.guest
    }

    /// What the guest may do with it.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }

    pub(super) fn open(self, authority: AmbientAuthority) -> Result<Preopen> {
        let Self { host, guest, access, dangerous } = self;
        let dir = host_dir::open(&host, authority)?;
        let identity = Identity::everywhere(&dir, Some(&host))?;
        if !dangerous {
            sensitive::refuse(&host, &identity, authority)?;
        }
        Ok(Preopen { dir: Arc::new(dir), host, guest, access, identity })
    }
}

impl FromStr for DirGrant {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |text: String| Err(refusal(text));
        // The first `::` separates the paths. A host path that contains one is rarer than a typing mistake.
        let Some((host, guest)) = text.split_once("::") else {
            return refuse(format!(
                "no `::` between the host's directory and the guest's name for it; write it like \
                 `{text}::/data`, or `{text}::/data:ro` to allow reading only"
            ));
        };
        if host.is_empty() {
            return refuse("no directory before `::`; `.` is the current one".into());
        }
        // A mistyped `:ro` must not become part of a name and thereby grant writing.
        let (guest, access) = match guest.rsplit_once(':') {
            None => (guest, Access::ReadWrite),
            Some((guest, "ro")) => (guest, Access::ReadOnly),
            Some((_, access)) => {
                return refuse(format!(
                    "`:{access}` is no access; end with `:ro` to allow reading only, or with nothing \
                     to allow writing as well"
                ));
            }
        };
        if guest.contains(':') {
            return refuse(format!("`{guest}` has a `:` in it; give the guest a name without one"));
        }
        Self::new(host, guest, access)
    }
}

/// An open directory that a guest holds.
#[derive(Clone, Debug)]
pub(crate) struct Preopen {
    pub(crate) dir: Arc<Dir>,
    /// The granted path, for messages and for systems that cannot reopen an open directory.
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
    pub(crate) access: Access,
    pub(crate) identity: Identity,
}

impl Preopen {
    /// How it relates to `protected`, if a guest could reach one through the other.
    pub(super) fn relation(&self, protected: &Identity) -> Option<&'static str> {
        if self.identity.is(protected) {
            Some("is")
        } else if protected.lies_in(&self.identity) {
            Some("contains")
        } else if self.identity.lies_in(protected) {
            Some("lies in")
        } else {
            None
        }
    }
}

/// Guest paths are absolute and normalised, so that each grant has one meaning.
fn check_guest_path(guest: &str) -> Result<()> {
    let plain = guest == "/"
        || guest.strip_prefix('/').is_some_and(|rest| {
            rest.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'))
        });
    if plain && guest.len() <= MAX_GUEST_PATH {
        return Ok(());
    }
    Err(refusal(format!(
        "`{guest}` is no path for a guest; give an absolute one without `.`, `..` or `//`, like `/data`"
    )))
}
