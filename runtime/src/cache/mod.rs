//! The code cache: machine code on disk, so that an artifact is compiled once and not at every start of the app.
//!
//! An entry's name contains the SHA-256 of the artifact and the fingerprint of everything that changes the code: engine
//! version, target, CPU features, settings. Foreign machine code would run outside the sandbox. So each entry is sealed
//! with a key that is stored elsewhere, and the seal covers the entry's name. Flipped bits, a cut file, a swapped entry
//! or one of another version all count as no entry, and the artifact is compiled again.
//!
//! A cache only saves time. A full disk, a read-only directory, a second process with the same cache: every failure is
//! logged, and the compiled code is used from memory.

mod entry;
mod key;

use std::{io, path::Path, sync::Arc};

use bytes::Bytes;
use cap_std::{AmbientAuthority, fs::Dir};

use crate::{
    Digest, Error, ErrorKind, Result,
    grants::host_dir::{self, Identity},
};
use entry::Entry;

/// Default size in bytes above which the least recently used entries are removed: thirty large interpreters.
const MAX_BYTES: u64 = 512 << 20;

/// A directory of compiled code.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// # let temporary = tempfile::tempdir().unwrap();
/// # let (cache, key) = (temporary.path().join("code"), temporary.path().join("keys"));
/// use wasi_sidecar::{CodeCache, Engine, EngineConfig, ambient_authority};
///
/// let cache = CodeCache::open(&cache, &key, ambient_authority())?;
/// let engine = Engine::new(&EngineConfig::new().code_cache(cache))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CodeCache {
    inner: Arc<Inner>,
    max_bytes: u64,
}

#[derive(Debug)]
struct Inner {
    dir: Dir,
    key: key::Key,
    /// Identities of the entries' directory and the key's directory.
    identities: [Identity; 2],
}

impl CodeCache {
    /// Opens the directory `cache` for entries and the directory `keys` for the key that seals them. Creates either if
    /// it is missing, readable only by this user. A guest must be granted neither, and the engine refuses such grants.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when a directory cannot be created, opened or written to. [`ErrorKind::InvalidInput`] when
    /// `keys` lies in `cache`. An app can go on without a cache.
    pub fn open(cache: &Path, keys: &Path, authority: AmbientAuthority) -> Result<Self> {
        let dir = host_dir::make_private(cache, authority)?;
        let key_dir = host_dir::make_private(keys, authority)?;
        let identity = Identity::everywhere(&dir, Some(cache))?;
        let key_identity = Identity::everywhere(&key_dir, Some(keys))?;
        if key_identity.lies_in(&identity) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "the key directory `{}` lies in the code cache it protects; give another one",
                    keys.display()
                ),
            ));
        }
        let key = key::load_or_make(&key_dir).map_err(|error| {
            Error::io(format!("read or make the key in `{}`", keys.display()), error)
        })?;
        entry::remove_leftovers(&dir);
        entry::remove_leftovers(&key_dir);
        let identities = [identity, key_identity];
        Ok(Self { inner: Arc::new(Inner { dir, key, identities }), max_bytes: MAX_BYTES })
    }

    /// Size limit in bytes, 512 MiB by default. The least recently used entries are removed first.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The directories that no guest may be granted.
    pub(crate) fn identities(&self) -> &[Identity; 2] {
        &self.inner.identities
    }

    /// The sealed code of an artifact, if it exists and is intact.
    pub(crate) fn get(&self, artifact: &Digest, fingerprint: &Digest) -> Option<Bytes> {
        let entry = Entry::new(artifact, fingerprint);
        match entry.read(&self.inner.dir, &self.inner.key) {
            Ok(code) => {
                tracing::debug!(%artifact, bytes = code.len(), "code cache hit");
                Some(code)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(%artifact, %error, "a code cache entry is not usable and is rebuilt");
                None
            }
        }
    }

    /// Stores code. A failure only makes the next start slower.
    pub(crate) fn put(&self, artifact: &Digest, fingerprint: &Digest, code: &[u8]) {
        let entry = Entry::new(artifact, fingerprint);
        let Inner { dir, key, .. } = &*self.inner;
        if let Err(error) = entry.write(dir, key, code) {
            tracing::warn!(%artifact, %error, "compiled code could not be cached");
        } else if let Err(error) = entry::evict(dir, self.max_bytes, &entry) {
            tracing::debug!(%error, "the code cache could not be trimmed");
        }
    }
}

#[cfg(test)]
mod tests;
