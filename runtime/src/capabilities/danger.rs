//! Directories that nobody means to hand to a guest, and that a variable or a typing mistake can name all the same.
//!
//! They are told by what the file system calls them and not by their names: `/proc/self/root` is `/` as well. It is a
//! guard for whoever writes a configuration, not a boundary: a directory that is granted is granted.

use std::path::Path;

use cap_std::{AmbientAuthority, fs::Dir};

use super::refusal;
use crate::{Result, directory::Identity};

/// Where a system shows its devices and processes as files. Reading them can hang, and writing them can do anything.
const SYSTEM: &[&str] = &["/proc", "/sys", "/dev"];

/// Ordinary files all the same.
const ORDINARY: &[&str] = &["/dev/shm"];

/// Refuses the directory `host` if it is one of those.
pub(super) fn refuse(host: &Path, found: &Identity, authority: AmbientAuthority) -> Result<()> {
    let known = |path: &Path| {
        let dir = Dir::open_ambient_dir(path, authority).ok()?;
        Identity::of(&dir, Some(path)).ok()
    };
    let everywhere = |path: &Path| {
        let dir = Dir::open_ambient_dir(path, authority).ok()?;
        Identity::everywhere(&dir, Some(path)).ok()
    };
    let home = std::env::home_dir().filter(|home| home.is_absolute());
    let lies_in = |place: &&&str| known(Path::new(place)).is_some_and(|it| found.lies_in(&it));
    let what = if found.is_root() {
        "is the root of everything".to_owned()
    } else if home.and_then(|home| everywhere(&home)).is_some_and(|home| home.lies_in(found)) {
        "holds the whole home directory".to_owned()
    } else if let Some(place) =
        SYSTEM.iter().find(lies_in).filter(|_| !ORDINARY.iter().any(|place| lies_in(&place)))
    {
        format!("is or lies in `{place}`, where the system shows devices and processes")
    } else {
        return Ok(());
    };
    Err(refusal(format!(
        "the granted directory `{}` {what}; grant a directory below it, or say that it is meant: \
         `Capabilities::dangerous_dir`, `\"dangerous\": true` beside `host` in `grants.dirs`, or \
         `--dangerous-dir`",
        host.display()
    )))
}
