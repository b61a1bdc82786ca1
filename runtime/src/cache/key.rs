//! The key that seals cache entries: 32 random bytes in a file.

use std::io::{self, Read, Write};

use cap_std::fs::{Dir, OpenOptions};

const FILE: &str = "code-cache.key";

/// Suffix of temporary files, which are renamed when complete.
pub(super) const ASIDE: &str = ".tmp";

const LENGTH: usize = 32;

pub(super) struct Key([u8; LENGTH]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// The seal of an entry. It covers the key, the entry's name and its code.
    pub(super) fn seal(&self, name: &str, code: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(code);
        hasher.finalize()
    }
}

/// Reads the key, or makes one. Two processes that do so at once end up with the same key.
pub(super) fn load_or_make(dir: &Dir) -> io::Result<Key> {
    match load(dir) {
        Ok(Some(key)) => return Ok(key),
        // The file is too short, or others can read it. The key is worthless, and so are all seals made with it.
        Ok(None) => {
            let _ = dir.remove_file(FILE);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let bytes = random()?;
    let aside = format!("{FILE}.{}{}", u64::from_le_bytes(random()?), ASIDE);
    let made = make(dir, &aside, bytes);
    // The file was linked to its own name, or is incomplete.
    let _ = dir.remove_file(&aside);
    made
}

/// Writes a key to the temporary file `aside`, and publishes it under its name.
fn make(dir: &Dir, aside: &str, bytes: [u8; LENGTH]) -> io::Result<Key> {
    let mut file = dir.open_with(aside, &private())?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    drop(file);
    // A link fails if another process was first. A rename would replace its key.
    match dir.hard_link(aside, dir, FILE) {
        Ok(()) => Ok(Key(bytes)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            load(dir)?.ok_or_else(|| io::Error::other("another process left a damaged key"))
        }
        // This file system has no links. The last process to rename wins, and entries sealed with the other key are
        // compiled again.
        Err(_) => {
            dir.rename(aside, dir, FILE)?;
            Ok(Key(bytes))
        }
    }
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// `None` when the file exists but is not usable as a key.
fn load(dir: &Dir) -> io::Result<Option<Key>> {
    if !dir.metadata(FILE)?.is_file() {
        return Ok(None);
    }
    let file = dir.open(FILE)?;
    if !is_private(&file)? {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(LENGTH);
    file.take(LENGTH as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes.try_into().ok().map(Key))
}

/// Options for a new file that only this user can read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

#[cfg(unix)]
fn is_private(file: &cap_std::fs::File) -> io::Result<bool> {
    use cap_std::fs::MetadataExt;
    Ok(file.metadata()?.mode() & 0o077 == 0)
}

/// On other systems the user's profile directory protects the file.
#[cfg(not(unix))]
fn is_private(_: &cap_std::fs::File) -> io::Result<bool> {
    Ok(true)
}
