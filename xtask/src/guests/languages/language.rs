//! What the build of a guest needs to know about its language.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::system::paths;

pub(crate) struct Language {
    /// The name of its folder: in the sources, in the output and below `target/toolchains`.
    pub(crate) name: &'static str,
    /// Versions and options; a change rebuilds all guests.
    pub(crate) recipe: &'static str,
    /// The source files of a guest, by its name.
    pub(crate) sources: fn(&str) -> Vec<PathBuf>,
    /// What its compiler is, and its download size in megabytes.
    pub(crate) compiler: (&'static str, u32),
    /// The key of the compiler's version.
    pub(crate) key: fn() -> Result<String>,
    /// Installs the compiler and returns its folder.
    pub(crate) install: fn() -> Result<PathBuf>,
    /// Compiles a guest: the compiler's folder, the guest's name, the file to write.
    pub(crate) compile: fn(&Path, &str, &Path) -> Result<()>,
}

/// The WIT world of components in JavaScript and Python, whose compilers have no WASI target.
pub(crate) fn wit() -> PathBuf {
    paths::workspace().join("wit")
}

/// The files of [`wit`] for keys. A test checks that the checksums fit the other files.
pub(crate) fn wit_sources() -> Vec<PathBuf> {
    vec![wit().join("world.wit"), wit().join("deps.sha256")]
}
