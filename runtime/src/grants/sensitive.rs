//! Refuses sensitive directories, which nobody means to grant: file system roots, home directories, `/proc` and the
//! like.
//!
//! They are identified by the file system and not by name: `/proc/self/root` is `/` too. This protects authors of
//! configurations from mistakes. It is not a boundary: a granted directory is granted.

use std::path::Path;

use cap_std::{AmbientAuthority, fs::Dir};

use super::{host_dir::Identity, refusal};
use crate::{Result, Setting};

/// Where the operating system shows devices and processes as files. Reading them can hang, and writing them can do
/// anything.
const SYSTEM: &[&str] = &["/proc", "/sys", "/dev"];

/// Exceptions that hold ordinary files.
const ORDINARY: &[&str] = &["/dev/shm"];

/// Refuses `host` if it is sensitive.
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
        "the granted directory `{}` {what}; grant a directory below it, or opt in with `{}`",
        host.display(),
        Setting::DangerousDir
    ))
    .about(Setting::DangerousDir))
}
