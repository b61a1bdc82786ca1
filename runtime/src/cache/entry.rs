//! One sealed file of machine code.
//!
//! Layout: 8 bytes magic, 32 bytes seal, then the code. The length needs no field: the seal covers it.

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

/// Largest file that is read; code is about five times the size of its artifact.
const MAX_FILE: u64 = 1 << 30;

/// Age at which an unfinished file cannot belong to a running process any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Dates further ahead than this are from before the clock was set back. Those of a file server are ahead by less.
const AHEAD: Duration = Duration::from_secs(3600);

pub(super) struct Entry(String);

impl Entry {
    pub(super) fn new(artifact: &Digest, fingerprint: &Digest) -> Self {
        let fingerprint = fingerprint.to_string();
        Self(format!("{artifact}-{}{SUFFIX}", &fingerprint[..16]))
    }

    pub(super) fn read(&self, dir: &Dir, key: &Key) -> io::Result<Bytes> {
        let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        // Looked at before it is opened: opening a FIFO would wait.
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
        // The comparison of `blake3::Hash` takes the same time wherever the difference is.
        if key.seal(&self.0, &bytes[HEADER..]) != blake3::Hash::from_bytes(seal) {
            return Err(damaged("not sealed by this key"));
        }
        // Used just now: the last to be evicted. It may be refused; then it is merely evicted earlier.
        let _ = file.into_std().set_modified(SystemTime::now());
        Ok(Bytes::from(bytes).slice(HEADER..))
    }

    /// Written aside and renamed, so that no reader ever sees half of it.
    pub(super) fn write(&self, dir: &Dir, key: &Key, code: &[u8]) -> io::Result<()> {
        let aside = aside(&self.0);
        let written = (|| {
            let mut file = dir.open_with(&aside, &key::private())?;
            file.write_all(MAGIC)?;
            file.write_all(key.seal(&self.0, code).as_bytes())?;
            file.write_all(code)?;
            // Without this a power loss can leave a renamed file without its bytes; the seal would tell, but
            // the compile would be lost.
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

/// Removes least recently used entries until the rest fits; never the one just made.
pub(super) fn evict(dir: &Dir, max_bytes: u64, keep: &Entry) -> io::Result<()> {
    let mut entries = Vec::new();
    let mut total = 0;
    let now = CapTime::from_std(SystemTime::now());
    for (name, modified, length) in files(dir, SUFFIX)? {
        total += length;
        if name != keep.0 {
            // With a date that will not come for long an entry would outlive all that are used.
            let used = modified.filter(|modified| !is_ahead(*modified, now));
            entries.push((used, name, length));
        }
    }
    // Those without a date come first.
    entries.sort();
    for (_, name, length) in entries {
        if total <= max_bytes {
            break;
        }
        // Another process may have been faster; either way it is gone or stays for the next time.
        let _ = dir.remove_file(&name);
        total -= length;
    }
    Ok(())
}

/// Removes what a process that was killed while writing has left.
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

/// The files whose names end like this: name, date if it has one that can be told, and length.
fn files(dir: &Dir, suffix: &str) -> io::Result<Vec<(String, Option<CapTime>, u64)>> {
    let mut files = Vec::new();
    for entry in dir.entries()? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !name.ends_with(suffix) {
            continue;
        }
        // Another process may have removed it since.
        let Ok(metadata) = entry.metadata() else { continue };
        if !metadata.is_file() {
            continue;
        }
        files.push((name, metadata.modified().ok(), metadata.len()));
    }
    Ok(files)
}
