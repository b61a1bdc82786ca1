//! The example app: the artifacts it bundles, and building it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasi_sidecar_guests::Kind;

use crate::{build, paths};

pub(crate) const APP: &str = "sidecar-playground";

/// What is bundled, by the names that the app's configuration has.
const ARTIFACTS: [(&str, Kind<'static>, &str); 12] = [
    ("upper", Kind::Component, "upper"),
    ("word-count", Kind::Component, "word-count"),
    ("markdown", Kind::Component, "markdown"),
    ("fs-probe", Kind::Component, "fs-probe"),
    ("lines", Kind::Component, "lines"),
    ("spin", Kind::Component, "spin"),
    ("memory-hog", Kind::Component, "memory-hog"),
    ("trap", Kind::Component, "trap"),
    ("c-echo", Kind::Language("c"), "echo"),
    ("go-echo", Kind::Language("go"), "echo"),
    ("python-echo", Kind::Language("python"), "echo"),
    ("js-echo", Kind::Language("js"), "echo"),
];

/// Native twins, which lie beside the app's executable.
const TWINS: [&str; 2] = ["upper", "markdown"];

/// The guests to build for it.
pub(crate) const GUESTS: [&str; 12] = [
    "upper",
    "word-count",
    "markdown",
    "fs-probe",
    "lines",
    "spin",
    "memory-hog",
    "trap",
    "c/echo",
    "go/echo",
    "python/echo",
    "js/echo",
];

/// Puts the built guests where the app's configuration expects them.
pub(crate) fn stage() -> Result<()> {
    let folder = paths::workspace().join("examples/app/src-tauri/sidecars");
    for (name, kind, guest) in ARTIFACTS {
        copy(&wasi_sidecar_guests::path(kind, guest), &folder.join(name).with_extension("wasm"))?;
    }
    Ok(())
}

/// Builds the app, with its twins beside it. Its page has been built, and its artifacts are in place.
pub(crate) fn build() -> Result<PathBuf> {
    let app = build::executable(&["build"], "--bin", APP)?;
    let folder = app.parent().context("an executable lies in a folder")?;
    for name in TWINS {
        let twin = wasi_sidecar_guests::path(Kind::Native, name);
        copy(&twin, &folder.join(twin.file_name().unwrap_or_default()))?;
    }
    Ok(app)
}

/// Copies a file unless the same one is there: a newer file would make cargo build the app again.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| {
        format!("cannot read {}; `cargo xtask guests` builds it", from.display())
    })?;
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    // With its permissions, which a program needs.
    fs::copy(from, to).with_context(|| format!("cannot write {}", to.display()))?;
    Ok(())
}
