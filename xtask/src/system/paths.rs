//! Folders of this repository. Output always goes below this workspace's `target`, even if cargo builds elsewhere, because
//! tests look for the guests there.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

pub(crate) fn guest_sources() -> PathBuf {
    workspace().join("guests")
}

/// The plugin: a crate and an npm package.
pub(crate) fn plugin() -> PathBuf {
    workspace().join("host-plugin")
}

/// Downloaded compilers for guests.
pub(crate) fn toolchains() -> PathBuf {
    workspace().join("target/toolchains")
}

/// Programs that `cargo install` builds for these commands.
pub(crate) fn tools() -> PathBuf {
    workspace().join("target/tools")
}

/// Intermediate files of the guests' compilers. They can be removed at any time.
pub(crate) fn guest_scratch() -> PathBuf {
    wasi_sidecar_guests::directory().join("scratch")
}

/// Removes a folder if it exists.
pub(crate) fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
