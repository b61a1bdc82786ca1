//! Where an artifact comes from, and how it is read.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use cap_std::{AmbientAuthority, ambient_authority, fs::Dir};

use crate::{
    Digest, Error, ErrorKind, Result, Setting,
    grants::host_dir::{self, Identity},
};

/// Symbolic links on the way to an artifact: what Linux follows.
const MAX_LINKS: usize = 40;

/// An artifact: bytes, or a file that is read on load.
///
/// `Vec<u8>`, `Bytes` and static slices convert to it.
///
/// ```
/// use wasi_sidecar::{ArtifactSource, ambient_authority};
///
/// let source = ArtifactSource::path("sidecars/word-count.wasm", ambient_authority());
/// ```
#[derive(Debug)]
pub struct ArtifactSource(Location);

#[derive(Debug)]
enum Location {
    Bytes(Bytes),
    InDir(std::io::Result<Dir>, PathBuf),
    /// Constructed with an [`AmbientAuthority`].
    Path(PathBuf),
}

impl ArtifactSource {
    /// The bytes of an artifact. Clones of the component share them.
    #[must_use]
    pub fn bytes(wasm: impl Into<Bytes>) -> Self {
        Self(Location::Bytes(wasm.into()))
    }

    /// A file in an open directory.
    #[must_use]
    pub fn file(dir: &Dir, path: impl Into<PathBuf>) -> Self {
        Self(Location::InDir(dir.try_clone(), path.into()))
    }

    /// A file anywhere, opened with all rights of the user.
    #[must_use]
    pub fn path(path: impl Into<PathBuf>, _: AmbientAuthority) -> Self {
        Self(Location::Path(path.into()))
    }

    /// Reads the artifact; fails if it has more than `max` bytes.
    pub(super) fn read(self, max: u64) -> Result<ReadArtifact> {
        match self.0 {
            Location::Bytes(wasm) if wasm.len() as u64 > max => {
                Err(too_large(wasm.len() as u64, max))
            }
            Location::Bytes(wasm) => Ok(ReadArtifact { wasm, file: None, named: None }),
            Location::InDir(dir, path) => {
                let dir =
                    dir.map_err(|error| Error::io("use the directory of artifacts", error))?;
                Ok(ReadArtifact {
                    wasm: read(&dir, &path, max)?,
                    file: Some((dir, path)),
                    named: None,
                })
            }
            Location::Path(path) => {
                let (dir, file) = split(&path)?;
                let wasm = read(&dir, &file, max)?;
                Ok(ReadArtifact { wasm, file: Some((dir, file)), named: Some(path) })
            }
        }
    }
}

/// The bytes, and the file they came from.
pub(super) struct ReadArtifact {
    pub(super) wasm: Bytes,
    pub(super) file: Option<(Dir, PathBuf)>,
    /// The whole path, if it was named by one.
    named: Option<PathBuf>,
}

impl ReadArtifact {
    /// The directories in which another file can be put in the place of this one: where its name is, where every link on the
    /// way to it is, where the file really lies, and where mounts show it.
    pub(super) fn dirs(&self) -> Result<Vec<Identity>> {
        let Some((dir, path)) = &self.file else { return Ok(Vec::new()) };
        let failed = |error| Error::io(format!("find `{}`", path.display()), error);
        let mut dirs = vec![parent(dir, path)?];
        let real = dir.canonicalize(path).map_err(failed)?;
        if real != *path {
            dirs.push(parent(dir, &real)?);
        }
        dirs.extend(host_dir::homes(&dir.open(path).map_err(failed)?)?);
        match &self.named {
            Some(named) => {
                let open = |path: &Path| Dir::open_ambient_dir(path, ambient_authority());
                linking_dirs(open, named, &mut dirs)?;
            }
            None => linking_dirs(|path| dir.open_dir(path), path, &mut dirs)?,
        }
        Ok(dirs)
    }
}

/// Adds the directory of every symbolic link on the way to a file.
fn linking_dirs(
    open: impl Fn(&Path) -> std::io::Result<Dir>,
    path: &Path,
    dirs: &mut Vec<Identity>,
) -> Result<()> {
    let mut paths = vec![path.to_owned()];
    let mut links = 0;
    while let Some(path) = paths.pop() {
        for prefix in path.ancestors() {
            let (Some(name), Some(parent)) = (prefix.file_name(), prefix.parent()) else {
                continue;
            };
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            let Ok(dir) = open(parent) else { continue };
            let Ok(target) = dir.read_link_contents(name) else { continue };
            dirs.push(Identity::everywhere(&dir, None)?);
            links += 1;
            if links > MAX_LINKS {
                let text = format!("`{}` is reached by too many links", path.display());
                return Err(Error::new(ErrorKind::Io, text));
            }
            let rest = path.strip_prefix(prefix).unwrap_or(Path::new(""));
            paths.push(parent.join(target).join(rest));
        }
    }
    Ok(())
}

impl From<Bytes> for ArtifactSource {
    fn from(wasm: Bytes) -> Self {
        Self::bytes(wasm)
    }
}

impl From<Vec<u8>> for ArtifactSource {
    fn from(wasm: Vec<u8>) -> Self {
        Self::bytes(wasm)
    }
}

impl From<&'static [u8]> for ArtifactSource {
    fn from(wasm: &'static [u8]) -> Self {
        Self::bytes(wasm)
    }
}

/// Splits a path into an open directory and the name in it.
fn split(path: &Path) -> Result<(Dir, PathBuf)> {
    let (Some(parent), Some(file)) = (path.parent(), path.file_name()) else {
        let text = format!("`{}` names no file; give the .wasm file", path.display());
        return Err(Error::new(ErrorKind::NotFound, text));
    };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let dir = Dir::open_ambient_dir(parent, ambient_authority())
        .map_err(|error| Error::io(format!("open the folder `{}`", parent.display()), error))?;
    Ok((dir, file.into()))
}

pub(super) fn check_pin(name: &str, found: &Digest, pinned: &Digest) -> Result<()> {
    if found == pinned {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Digest,
        format!(
            "`{name}` has the SHA-256 {found} and {pinned} is pinned; \
             if the new file is the right one, pin its digest"
        ),
    ))
}

fn parent(dir: &Dir, path: &Path) -> Result<Identity> {
    let opened = match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => dir.open_dir(parent),
        None => dir.try_clone(),
    };
    let opened = opened
        .map_err(|error| Error::io(format!("open the directory of `{}`", path.display()), error))?;
    Identity::everywhere(&opened, None)
}

/// Reads a regular file of at most `max` bytes.
pub(super) fn read(dir: &Dir, path: &Path, max: u64) -> Result<Bytes> {
    let shown = path.display();
    let failed = |error| Error::io(format!("read `{shown}`"), error);
    // Checked before opening, because opening a FIFO would block until somebody writes to it.
    let metadata = dir.metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        let text = format!("`{shown}` is a directory; give the .wasm file in it");
        return Err(Error::new(ErrorKind::NotWasm, text));
    }
    if !metadata.is_file() {
        let text = format!("`{shown}` is no regular file; give a .wasm file");
        return Err(Error::new(ErrorKind::NotWasm, text));
    }
    if metadata.len() > max {
        return Err(too_large(metadata.len(), max));
    }
    let file = dir.open(path).map_err(failed)?;
    let mut wasm = Vec::new();
    // Somebody else chose the size, so running out of memory must be an error and not an abort.
    wasm.try_reserve_exact(metadata.len() as usize).map_err(|error| failed(error.into()))?;
    // The file may have grown meanwhile. Reading one byte more than the limit is enough to notice.
    file.take(max.saturating_add(1)).read_to_end(&mut wasm).map_err(failed)?;
    Ok(wasm.into())
}

fn too_large(size: u64, max: u64) -> Error {
    Error::new(
        ErrorKind::Limit,
        format!(
            "an artifact of {size} bytes, and at most {max} are loaded; raise `{}` if it is meant to be that large",
            Setting::MaxArtifactSize
        ),
    )
    .about(Setting::MaxArtifactSize)
}
