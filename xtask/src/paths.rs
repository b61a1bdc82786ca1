//! Where things are. All of it hangs off this workspace's `target`, also when cargo builds somewhere else: tests look for
//! the guests there.

use std::path::{Path, PathBuf};

pub(crate) fn workspace() -> &'static Path {
    // The manifest's folder is `xtask`, which lies in the workspace.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

pub(crate) fn guest_sources() -> PathBuf {
    workspace().join("guests")
}

/// Compilers, set up once.
pub(crate) fn toolchains() -> PathBuf {
    workspace().join("target/toolchains")
}

/// Programs that `cargo install` makes for these commands.
pub(crate) fn tools() -> PathBuf {
    workspace().join("target/tools")
}

/// What compilers leave beside their output. Removing it costs time and nothing else.
pub(crate) fn guest_scratch() -> PathBuf {
    wasi_sidecar_guests::directory().join("scratch")
}
