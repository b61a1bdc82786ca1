//! The file named on the command line.

use std::{
    ffi::OsString,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use wasi_sidecar::{ArtifactSource, Component, Dir, Engine, LoadOptions, ambient_authority};

/// Most bytes of a file to inspect: as many as an engine loads by default.
const MAX_SIZE: u64 = 128 << 20;

/// A file, by its directory and its name there.
#[derive(Debug)]
pub(crate) struct Source {
    dir: Dir,
    name: OsString,
    path: PathBuf,
    /// The path as given, for messages.
    shown: String,
}

impl Source {
    /// Finds the file. Follows links first, because the directory of the file itself is the one that no guest may
    /// change.
    pub(crate) fn find(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        #[expect(
            clippy::disallowed_methods,
            reason = "the user named this file, with all their rights"
        )]
        let path = path.canonicalize().with_context(|| format!("failed to find `{shown}`"))?;
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            bail!("`{shown}` is a directory; give the .wasm file in it");
        };
        let dir = open_dir(parent)?;
        Ok(Self { dir, name: name.to_owned(), path, shown })
    }

    /// Loads the file to run or compile it.
    pub(crate) fn load(&self, engine: &Engine) -> Result<Component> {
        Ok(Component::load(
            engine,
            ArtifactSource::file(&self.dir, &self.name),
            LoadOptions::new(),
        )?)
    }

    /// The file's bytes, whatever they are.
    pub(crate) fn read(&self) -> Result<Vec<u8>> {
        let Self { dir, name, shown, .. } = self;
        let failed = || format!("failed to read `{shown}`");
        // Checked before opening, because opening a FIFO would block until somebody writes to it.
        let metadata = dir.metadata(name).with_context(failed)?;
        if metadata.is_dir() {
            bail!("`{shown}` is a directory; give the .wasm file in it");
        }
        if !metadata.is_file() {
            bail!("`{shown}` is no regular file; give a .wasm file");
        }
        let mut bytes = Vec::new();
        let file = dir.open(name).with_context(failed)?;
        file.take(MAX_SIZE + 1).read_to_end(&mut bytes).with_context(failed)?;
        if bytes.len() as u64 > MAX_SIZE {
            bail!("`{shown}` has more than {} MiB, the most that is loaded", MAX_SIZE >> 20);
        }
        Ok(bytes)
    }

    /// The path as given.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether `other` is a name of the same file.
    pub(crate) fn is(&self, other: &Path) -> bool {
        #[expect(
            clippy::disallowed_methods,
            reason = "the user named this file, with all their rights"
        )]
        let other = other.canonicalize();
        other.is_ok_and(|other| other == self.path)
    }
}

/// Opens a directory with the user's rights.
pub(crate) fn open_dir(path: &Path) -> Result<Dir> {
    Dir::open_ambient_dir(path, ambient_authority())
        .with_context(|| format!("failed to open the directory `{}`", path.display()))
}
