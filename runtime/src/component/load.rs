//! Reading an artifact's file, and what is refused before anything is done with it.

use std::{io::Read, path::Path};

use bytes::Bytes;
use cap_std::fs::Dir;

use crate::{
    Digest, Error, ErrorKind, Result,
    directory::{self, Identity},
};

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

/// The directories in which a file is found: where its name is, where it really lies if that is a link, and where mounts
/// show it.
pub(super) fn homes(dir: &Dir, path: &Path) -> Result<Vec<Identity>> {
    let failed = |error| Error::io(format!("find `{}`", path.display()), error);
    let mut homes = vec![home(dir, path)?];
    let real = dir.canonicalize(path).map_err(failed)?;
    if real != path {
        homes.push(home(dir, &real)?);
    }
    homes.extend(directory::homes(&dir.open(path).map_err(failed)?)?);
    Ok(homes)
}

fn home(dir: &Dir, path: &Path) -> Result<Identity> {
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
    // Looked at before it is opened: opening a FIFO would wait for somebody to write to it.
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
    // As large as somebody else has made it, so that a lack of memory is an error.
    wasm.try_reserve_exact(metadata.len() as usize).map_err(|error| failed(error.into()))?;
    // The file can have grown since; one byte more than the limit is enough to notice.
    file.take(max.saturating_add(1)).read_to_end(&mut wasm).map_err(failed)?;
    Ok(wasm.into())
}

pub(super) fn too_large(size: u64, max: u64) -> Error {
    Error::new(
        ErrorKind::Limit,
        format!(
            "an artifact of {size} bytes, and at most {max} are loaded; \
             raise `EngineConfig::max_artifact_size` (`engine.maxArtifactSize`, `--max-artifact-size`) if it is meant to be that large"
        ),
    )
}
