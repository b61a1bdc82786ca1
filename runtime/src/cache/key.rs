//! The key that seals cache entries: 32 random bytes in a file of their own.

use std::io::{self, Read, Write};

use cap_std::fs::{Dir, OpenOptions};

const FILE: &str = "code-cache.key";

/// How unfinished files end, which are renamed when they are whole.
pub(super) const ASIDE: &str = ".tmp";

const LENGTH: usize = 32;

pub(super) struct Key([u8; LENGTH]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// The seal of an entry: it depends on the key, on the entry's name and on its code.
    pub(super) fn seal(&self, name: &str, code: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(code);
        hasher.finalize()
    }
}

/// Reads the key, or makes one. Two processes that do so at once end up with the same.
pub(super) fn load_or_make(dir: &Dir) -> io::Result<Key> {
    match load(dir) {
        Ok(Some(key)) => return Ok(key),
        // Too short, or others can read it: worthless, and so is what it sealed.
        Ok(None) => {
            let _ = dir.remove_file(FILE);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let bytes = random()?;
    let aside = format!("{FILE}.{}{}", u64::from_le_bytes(random()?), ASIDE);
    let made = make(dir, &aside, bytes);
    // It has its own name by now, or is not whole.
    let _ = dir.remove_file(&aside);
    made
}

/// Writes a key to the file `aside`, and gives that its name.
fn make(dir: &Dir, aside: &str, bytes: [u8; LENGTH]) -> io::Result<Key> {
    let mut file = dir.open_with(aside, &private())?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    drop(file);
    // A link fails if the other process was first; a rename would replace its key.
    match dir.hard_link(aside, dir, FILE) {
        Ok(()) => Ok(Key(bytes)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            load(dir)?.ok_or_else(|| io::Error::other("another process left a damaged key"))
        }
        // No links on this file system. The last one to rename wins; the other's entries are made again.
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

/// `None` when the file is there but not fit to be a key.
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

/// A new file that only this user can read.
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

/// Elsewhere the user's profile directory is what protects the file.
#[cfg(not(unix))]
fn is_private(_: &cap_std::fs::File) -> io::Result<bool> {
    Ok(true)
}
