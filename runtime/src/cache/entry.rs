//! A cache entry: one sealed file of machine code.
//!
//! Layout: 8 bytes of magic, 32 bytes of seal, then the code. The seal covers the length, so it needs no field.

use std::{
    io::{self, Read, Write},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use cap_std::{fs::Dir, time::SystemTime as CapTime};

use super::key::{self, ASIDE, Key};
use crate::Digest;

const MAGIC: &[u8; 8] = b"WSCODE\x00\x01";
const HEADER: usize = MAGIC.len() + blake3::OUT_LEN;
const SUFFIX: &str = ".code";

/// Largest file that is read. Code is about five times as large as its artifact.
const MAX_FILE: u64 = 1 << 30;

/// Age from which an unfinished file cannot belong to a running process any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A date further ahead than this was written before the clock was set back. A file server's clock is ahead by less.
const AHEAD: Duration = Duration::from_secs(3600);

pub(super) struct Entry(String);

impl Entry {
    pub(super) fn new(artifact: &Digest, fingerprint: &Digest) -> Self {
        let fingerprint = fingerprint.to_string();
        Self(format!("{artifact}-{}{SUFFIX}", &fingerprint[..16]))
    }

    pub(super) fn read(&self, dir: &Dir, key: &Key) -> io::Result<Bytes> {
        let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        // Checked before opening, because opening a FIFO would block.
        if !dir.metadata(&self.0)?.is_file() {
            return Err(damaged("no file"));
        }
        let file = dir.open(&self.0)?;
        let length = file.metadata()?.len();
        if length < HEADER as u64 || length > MAX_FILE {
            return Err(damaged("of an impossible length"));
        }
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length as usize)?;
        (&file).take(length).read_to_end(&mut bytes)?;
        let (Some(magic), Some(seal)) = (bytes.get(..MAGIC.len()), bytes.get(MAGIC.len()..HEADER))
        else {
            return Err(damaged("cut off while it was read"));
        };
        if magic != MAGIC {
            return Err(damaged("of another format"));
        }
        let seal: [u8; blake3::OUT_LEN] = seal.try_into().map_err(io::Error::other)?;
        // `blake3::Hash` compares in constant time.
        if key.seal(&self.0, &bytes[HEADER..]) != blake3::Hash::from_bytes(seal) {
            return Err(damaged("not sealed by this key"));
        }
        // Marks the entry as used just now, so that it is evicted last. On failure it is merely evicted earlier.
        let _ = file.into_std().set_modified(SystemTime::now());
        Ok(Bytes::from(bytes).slice(HEADER..))
    }

    /// Writes a temporary file and renames it, so that no reader sees a part of an entry.
    pub(super) fn write(&self, dir: &Dir, key: &Key, code: &[u8]) -> io::Result<()> {
        let aside = aside(&self.0);
        let written = (|| {
            let mut file = dir.open_with(&aside, &key::private())?;
            file.write_all(MAGIC)?;
            file.write_all(key.seal(&self.0, code).as_bytes())?;
            file.write_all(code)?;
            // Without this, a power loss can leave a renamed file without its bytes. The seal would detect that, but
            // the compilation would be lost.
            file.sync_data()?;
            dir.rename(&aside, dir, &self.0)
        })();
        if written.is_err() {
            let _ = dir.remove_file(&aside);
        }
        written
    }
}

/// A name beside `name` that no other process or thread uses.
fn aside(name: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{name}.{}-{count}{ASIDE}", std::process::id())
}

/// Removes the least recently used entries until the rest fits, but never the entry that was just written.
pub(super) fn evict(dir: &Dir, max_bytes: u64, keep: &Entry) -> io::Result<()> {
    let mut entries = Vec::new();
    let mut total = 0;
    let now = CapTime::from_std(SystemTime::now());
    for (name, modified, length) in files(dir, SUFFIX)? {
        total += length;
        if name != keep.0 {
            // An entry dated in the future would outlive all entries in use.
            let used = modified.filter(|modified| !is_ahead(*modified, now));
            entries.push((used, name, length));
        }
    }
    // Undated entries sort first.
    entries.sort();
    for (_, name, length) in entries {
        if total <= max_bytes {
            break;
        }
        // Another process may have removed it already. On other failures it stays until the next time.
        let _ = dir.remove_file(&name);
        total -= length;
    }
    Ok(())
}

/// Removes temporary files of processes that were killed while writing.
pub(super) fn remove_leftovers(dir: &Dir) {
    let Ok(files) = files(dir, ASIDE) else { return };
    let now = CapTime::from_std(SystemTime::now());
    let is_abandoned = |modified: CapTime| {
        is_ahead(modified, now) || now.duration_since(modified).is_ok_and(|age| age > ABANDONED)
    };
    for (name, modified, _) in files {
        if modified.is_none_or(is_abandoned) {
            let _ = dir.remove_file(name);
        }
    }
}

fn is_ahead(modified: CapTime, now: CapTime) -> bool {
    modified.duration_since(now).is_ok_and(|ahead| ahead > AHEAD)
}

/// The files with this suffix: name, modification time if known, and length.
fn files(dir: &Dir, suffix: &str) -> io::Result<Vec<(String, Option<CapTime>, u64)>> {
    let mut files = Vec::new();
    for entry in dir.entries()? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !name.ends_with(suffix) {
            continue;
        }
        // Another process may have removed it meanwhile.
        let Ok(metadata) = entry.metadata() else { continue };
        if !metadata.is_file() {
            continue;
        }
        files.push((name, metadata.modified().ok(), metadata.len()));
    }
    Ok(files)
}
