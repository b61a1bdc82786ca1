//! Compilers, set up once under `target/toolchains` and kept.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{paths, step};

/// Holds the key, and is written last: a folder without it was never finished.
const STAMP: &str = ".complete";

/// The folder of a compiler, made by `fill` unless the one that is there has this key.
///
/// `fill` works in a folder aside, which becomes the compiler's when all of it has succeeded; so what it writes must
/// not name that folder.
pub(super) fn ensure(
    name: &str,
    key: &str,
    about: &str,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let home = paths::toolchains().join(name);
    if is_there(name, key) {
        return Ok(home);
    }
    step::line("setting up", &format!("{about}, into target/toolchains/{name}"));
    let aside = paths::toolchains().join(format!("{name}.partial"));
    remove(&aside)?;
    fs::create_dir_all(&aside).with_context(|| format!("cannot create {}", aside.display()))?;
    fill(&aside)?;
    fs::write(aside.join(STAMP), key)
        .with_context(|| format!("cannot write to {}", aside.display()))?;
    remove(&home)?;
    fs::rename(&aside, &home).with_context(|| format!("cannot create {}", home.display()))?;
    Ok(home)
}

/// Whether this compiler is set up.
pub(super) fn is_there(name: &str, key: &str) -> bool {
    let stamp = paths::toolchains().join(name).join(STAMP);
    fs::read_to_string(stamp).is_ok_and(|found| found == key)
}

/// Removes a folder if it is there.
pub(super) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
