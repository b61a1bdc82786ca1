//! Installs compilers below `target/toolchains`, once per version.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::system::{console, paths};

/// The file with the key. It is written last, so a folder without it is incomplete.
const STAMP: &str = ".complete";

/// The folder of a compiler. Unless it exists with this key, `fill` creates it.
///
/// `fill` writes to a temporary folder, which is renamed after success. So its files must not contain the folder's name.
pub(crate) fn ensure(
    name: &str,
    key: &str,
    about: &str,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let home = paths::toolchains().join(name);
    if is_installed(name, key) {
        return Ok(home);
    }
    console::step("installing", &format!("{about}, into target/toolchains/{name}"));
    let partial = paths::toolchains().join(format!("{name}.partial"));
    paths::remove_folder(&partial)?;
    fs::create_dir_all(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
    fill(&partial)?;
    fs::write(partial.join(STAMP), key)
        .with_context(|| format!("cannot write to {}", partial.display()))?;
    paths::remove_folder(&home)?;
    fs::rename(&partial, &home).with_context(|| format!("cannot create {}", home.display()))?;
    Ok(home)
}

/// Whether this compiler is installed with this key.
pub(crate) fn is_installed(name: &str, key: &str) -> bool {
    let stamp = paths::toolchains().join(name).join(STAMP);
    fs::read_to_string(stamp).is_ok_and(|found| found == key)
}
