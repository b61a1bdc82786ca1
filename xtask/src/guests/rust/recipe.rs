//! What a Rust guest is built from: sources, options, and the key of both.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasi_sidecar_guests::RUST_PACKAGES;

use crate::guests::cache::Key;
use crate::system::paths;
use crate::toolchains::rustc::Rustc;
use crate::toolchains::versions;

pub(crate) const PROFILE: &str = "guest";
/// Change it to rebuild existing guests.
const RECIPE: &str = "1";
/// Linker option for all WebAssembly guests: start with enough memory for a small heap. Growing the memory changes page
/// protection twice, which takes as long as the rest of a start when many guests start at once.
const INITIAL_MEMORY: &str = "-Clink-arg=--initial-memory=2097152";
/// Guests whose speed is measured.
const FOR_SPEED: [&str; 1] = ["compute"];
/// Options for them on WebAssembly. Longer loop bodies make fewer checks for interrupts; SIMD is off by default.
pub(crate) const FAST: [&str; 3] =
    [INITIAL_MEMORY, "-Ctarget-feature=+simd128", "-Cllvm-args=-unroll-partial-threshold=600"];
/// Guests with C code in their dependencies.
const WITH_C: [&str; 1] = ["sqlite"];

/// Whether a guest needs a C compiler, which is a Python package.
pub(crate) fn has_c(name: &str) -> bool {
    WITH_C.contains(&name)
}

/// The compiler options of a guest.
pub(crate) fn flags(rustc: &Rustc, name: &str) -> &'static [&'static str] {
    match rustc.target {
        None => &[],
        Some(_) if FOR_SPEED.contains(&name) => &FAST,
        Some(_) => &[INITIAL_MEMORY],
    }
}

/// The key of everything that a guest is built from.
pub(crate) fn key(rustc: &Rustc, name: &str) -> Result<String> {
    let root = paths::workspace();
    let mut key = Key::default()
        .text(RECIPE)
        .text(PROFILE)
        .text(&rustc.version)
        .text(rustc.target.unwrap_or(""))
        .text(&flags(rustc, name).join(" "));
    if has_c(name) {
        key = key.text(versions::ZIG.requirement);
    }
    // For profile and dependencies. If these files change for other reasons, cargo rebuilds nothing.
    for file in [root.join("Cargo.toml"), root.join("Cargo.lock"), package(name).join("Cargo.toml")]
    {
        key = key.file(&file)?;
    }
    for source in sources(name)? {
        key = key.file(&source)?;
    }
    Ok(key.finish())
}

/// The folder of a guest's package.
fn package(name: &str) -> PathBuf {
    paths::guest_sources().join(if RUST_PACKAGES.contains(&name) { name } else { "rust" })
}

/// The source files of a guest: its package, or one program of the common package and the library of all.
fn sources(name: &str) -> Result<Vec<PathBuf>> {
    let folder = package(name).join("src");
    if RUST_PACKAGES.contains(&name) {
        return files(&folder);
    }
    let mut sources = files(&paths::guest_sources().join("stdio/src"))?;
    sources.push(folder.join("bin").join(name).with_extension("rs"));
    Ok(sources)
}

/// The files of a folder, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
