//! Directories of the host: opens them, and checks whether one lies in another.
//!
//! Names are not compared, because a directory can have many (links, mounts, case). A directory's [`Identity`] is its
//! id in the file system, together with the ids of all its ancestors.

#[cfg(target_os = "linux")]
mod mounts;

use std::{io, path::Path};

use cap_std::{
    AmbientAuthority,
    fs::{Dir, DirBuilder, File},
};

use crate::{Error, ErrorKind, Result};

/// A directory as the file system identifies it, with all its ancestors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The directory and its ancestors, nearest first.
    chain: Vec<Id>,
    /// Its ancestors at the other places where it is mounted.
    elsewhere: Vec<Id>,
}

/// Device and inode.
type Id = (u64, u64);

/// Most levels climbed. Deeper trees do not occur by accident.
const MAX_DEPTH: usize = 1024;

impl Identity {
    /// `path` is the path that it was opened by, if any.
    pub(crate) fn of(dir: &Dir, path: Option<&Path>) -> Result<Self> {
        let found = ancestry(dir, path);
        let chain = found.map_err(|error| Error::io("identify a directory", error))?;
        Ok(Self { chain, elsewhere: Vec::new() })
    }

    /// Like [`of`](Self::of), with the ancestors at every mount that shows the directory: a bind mount has other
    /// parents.
    pub(crate) fn everywhere(dir: &Dir, path: Option<&Path>) -> Result<Self> {
        #[cfg_attr(
            not(target_os = "linux"),
            expect(unused_mut, reason = "only Linux tells mounts")
        )]
        let mut identity = Self::of(dir, path)?;
        #[cfg(target_os = "linux")]
        for place in mounts::places(dir) {
            let Ok(dir) = Dir::open_ambient_dir(&place, cap_std::ambient_authority()) else {
                continue;
            };
            for id in Self::of(&dir, Some(&place))?.chain {
                if !identity.chain.contains(&id) && !identity.elsewhere.contains(&id) {
                    identity.elsewhere.push(id);
                }
            }
        }
        Ok(identity)
    }

    /// Whether it is the root of the file system, a drive, or a network share.
    pub(crate) fn is_root(&self) -> bool {
        self.chain.len() == 1
    }

    /// Whether both are the same directory.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.chain.first() == other.chain.first()
    }

    /// Whether this directory is `other` or lies below it.
    pub(crate) fn lies_in(&self, other: &Self) -> bool {
        other
            .chain
            .first()
            .is_some_and(|own| self.chain.contains(own) || self.elsewhere.contains(own))
    }
}

/// The directories that show a file by its own name or by a mount. Does not find hard links.
pub(crate) fn homes(file: &File) -> Result<Vec<Identity>> {
    #[cfg(target_os = "linux")]
    let places = mounts::places(file);
    #[cfg(not(target_os = "linux"))]
    let places = {
        let _ = file;
        Vec::<std::path::PathBuf>::new()
    };
    let parents = places.iter().filter_map(|place| place.parent());
    let opened = parents.filter_map(|parent| {
        let dir = Dir::open_ambient_dir(parent, cap_std::ambient_authority()).ok()?;
        Some((dir, parent))
    });
    opened.map(|(dir, parent)| Identity::everywhere(&dir, Some(parent))).collect()
}

/// Opens a directory by its configured path.
///
/// # Errors
///
/// [`ErrorKind::Grant`] when it is missing or not a directory.
pub(crate) fn open(path: &Path, authority: AmbientAuthority) -> Result<Dir> {
    let shown = path.display();
    Dir::open_ambient_dir(path, authority).map_err(|error| {
        let text = match error.kind() {
            io::ErrorKind::NotFound => {
                format!("the directory `{shown}` does not exist; make it or correct the grant")
            }
            io::ErrorKind::NotADirectory => {
                format!("`{shown}` is not a directory; grant the directory it is in")
            }
            _ => format!("the directory `{shown}` cannot be opened"),
        };
        Error::with(ErrorKind::Grant, text, error)
    })
}

/// Creates a directory that only this user can read, or opens the existing one. Missing parents get default
/// permissions: they are the user's, not ours.
pub(crate) fn make_private(path: &Path, authority: AmbientAuthority) -> Result<Dir> {
    let Some(name) = path.file_name() else {
        let text = format!("`{}` does not name a directory", path.display());
        return Err(Error::new(ErrorKind::InvalidInput, text));
    };
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let make = || {
        Dir::create_ambient_dir_all(parent, authority)?;
        let parent = Dir::open_ambient_dir(parent, authority)?;
        match parent.create_dir_with(name, &private()) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // Opened by its path and not below `parent`: the user may have moved it and left a link.
        let dir = Dir::open_ambient_dir(path, authority)?;
        check_private(&dir)?;
        Ok(dir)
    };
    make().map_err(|error| Error::io(format!("make the directory `{}`", path.display()), error))
}

/// Another user who can write to the directory, or who owns it, could replace the files.
#[cfg(unix)]
fn check_private(dir: &Dir) -> io::Result<()> {
    use cap_std::fs::MetadataExt;

    let metadata = dir.dir_metadata()?;
    let own = metadata.uid() == rustix::process::geteuid().as_raw();
    if own && metadata.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        "others than this user can write to it; make it this user's own (`chmod 700`) or give another",
    ))
}

/// On other systems the user's profile directory protects it.
#[cfg(not(unix))]
fn check_private(_: &Dir) -> io::Result<()> {
    Ok(())
}

fn private() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use cap_std::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder
}

#[cfg(unix)]
fn ancestry(dir: &Dir, _: Option<&Path>) -> io::Result<Vec<Id>> {
    use rustix::fs::{AtFlags, statat};

    let mut ids: Vec<Id> = Vec::new();
    // Climbs with `..` and without opening, which takes only the right to traverse.
    let mut path = String::from(".");
    while ids.len() < MAX_DEPTH {
        // A directory that cannot be checked is an error, not the root: its ancestors would be unprotected.
        let stat = statat(dir, &path, AtFlags::empty())?;
        // The types of these fields differ between systems.
        #[allow(clippy::unnecessary_cast, reason = "they are u64 on some systems only")]
        let id = (stat.st_dev as u64, stat.st_ino as u64);
        if ids.last() == Some(&id) {
            break;
        }
        ids.push(id);
        path.push_str("/..");
    }
    Ok(ids)
}

/// Windows has no way up from an open directory, so the ancestors come from the path it was opened by.
#[cfg(not(unix))]
fn ancestry(dir: &Dir, path: Option<&Path>) -> io::Result<Vec<Id>> {
    use cap_fs_ext::MetadataExt;

    let metadata = dir.dir_metadata()?;
    let mut ids = vec![(metadata.dev(), metadata.ino())];
    let Some(path) = path else { return Ok(ids) };
    #[expect(
        clippy::disallowed_methods,
        reason = "of a directory the caller opened with its authority"
    )]
    let path = std::fs::canonicalize(path)?;
    for level in path.ancestors().skip(1).take(MAX_DEPTH) {
        let Ok(dir) = Dir::open_ambient_dir(level, cap_std::ambient_authority()) else { break };
        let metadata = dir.dir_metadata()?;
        ids.push((metadata.dev(), metadata.ino()));
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_lies_in_itself_and_in_what_is_above_it() {
        let root = cap_tempfile::tempdir(cap_std::ambient_authority()).expect("a directory");
        root.create_dir_all("a/b/c").expect("made");
        root.create_dir("other").expect("made");
        let id =
            |name: &str| Identity::of(&root.open_dir(name).expect("open"), None).expect("known");
        assert!(id("a").lies_in(&id("a")));
        assert!(id("a/b/c").lies_in(&id("a")));
        assert!(!id("a").lies_in(&id("a/b/c")));
        assert!(!id("other").lies_in(&id("a")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_the_directory_it_leads_to() {
        let root = cap_tempfile::tempdir(cap_std::ambient_authority()).expect("a directory");
        root.create_dir_all("a/b").expect("made");
        root.symlink("a/b", "link").expect("made");
        let id =
            |name: &str| Identity::of(&root.open_dir(name).expect("open"), None).expect("known");
        assert!(id("link").lies_in(&id("a")));
    }
}
