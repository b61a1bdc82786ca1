//! Listing a directory, name by name.
//!
//! The engine's own function reads the whole directory when a listing begins, and keeps it for as long as the guest keeps the
//! listing: a guest with as many of them as it may have handles would have the host hold gigabytes. This one reads on when the
//! guest asks for the next name, and holds a descriptor and a buffer. Preview1 has no handles for listings, and reads all of a
//! directory for each call.

use std::fs::File;

use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource, ResourceType},
};
use wasmtime_wasi::{
    WasiView,
    filesystem::Descriptor,
    p2::{
        FsError,
        bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode},
    },
};

use super::State;

/// Where the engine has linked what is replaced here.
pub(super) const TYPES: &str = "wasi:filesystem/types@0.2.12";

/// A listing that is under way.
struct Listing(entries::Entries);

/// Puts these functions in the place of the engine's.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.resource(
        "directory-entry-stream",
        ResourceType::host::<Listing>(),
        |mut store, handle| {
            store.data_mut().ctx().table.delete(Resource::<Listing>::new_own(handle))?;
            Ok(())
        },
    )?;
    types.func_wrap(
        "[method]descriptor.read-directory",
        |store, (directory,): (Resource<Descriptor>,)| Ok((answer(begin(store, &directory))?,)),
    )?;
    types.func_wrap(
        "[method]directory-entry-stream.read-directory-entry",
        |store, (listing,): (Resource<Listing>,)| Ok((answer(next(store, &listing))?,)),
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What the guest is told, or what ends it: it has used up its handles, or made one up.
pub(super) fn answer<T>(found: Result<T, FsError>) -> wasmtime::Result<Result<T, ErrorCode>> {
    match found {
        Ok(found) => Ok(Ok(found)),
        Err(error) => error.downcast().map(Err),
    }
}

fn begin(
    mut store: StoreContextMut<'_, State>,
    directory: &Resource<Descriptor>,
) -> Result<Resource<Listing>, FsError> {
    let table = store.data_mut().ctx().table;
    let Descriptor::Dir(directory) = table.get(directory)? else {
        return Err(ErrorCode::NotDirectory.into());
    };
    let entries = entries::Entries::of(&directory.dir)?;
    Ok(table.push(Listing(entries))?)
}

fn next(
    mut store: StoreContextMut<'_, State>,
    listing: &Resource<Listing>,
) -> Result<Option<DirectoryEntry>, FsError> {
    let Listing(entries) = store.data_mut().ctx().table.get_mut(listing)?;
    let Some(entry) = entries.next() else { return Ok(None) };
    let (name, type_) = entry?;
    // A name that is no text; those after it can be read.
    let name = name.into_string().map_err(|_| ErrorCode::IllegalByteSequence)?;
    Ok(Some(DirectoryEntry { type_, name }))
}

#[cfg(unix)]
mod entries {
    //! One descriptor for each listing: they count as the guest's handles, of which there are no more than the host can spare.

    use std::{
        ffi::OsStr,
        io,
        os::{fd::AsFd, unix::ffi::OsStrExt},
    };

    use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};

    use super::{DescriptorType, File};

    pub(super) struct Entries(Dir);

    impl Entries {
        pub(super) fn of(directory: &File) -> io::Result<Self> {
            // Opened once more: two listings of one directory are two places in it.
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok(Self(Dir::new(openat(directory.as_fd(), ".", flags, Mode::empty())?)?))
        }

        pub(super) fn next(&mut self) -> Option<io::Result<(std::ffi::OsString, DescriptorType)>> {
            loop {
                let entry = match self.0.read()? {
                    Ok(entry) => entry,
                    Err(error) => return Some(Err(error.into())),
                };
                let name = entry.file_name();
                if matches!(name.to_bytes(), b"." | b"..") {
                    continue;
                }
                let mut kind = entry.file_type();
                if kind == FileType::Unknown {
                    // Not every file system says it here. One that is gone by now is of no kind.
                    let found =
                        self.0.fd().and_then(|fd| statat(fd, name, AtFlags::SYMLINK_NOFOLLOW));
                    kind = found.map_or(kind, |found| FileType::from_raw_mode(found.st_mode));
                }
                return Some(Ok((OsStr::from_bytes(name.to_bytes()).to_owned(), kind_of(kind))));
            }
        }
    }

    fn kind_of(kind: FileType) -> DescriptorType {
        match kind {
            FileType::RegularFile => DescriptorType::RegularFile,
            FileType::Directory => DescriptorType::Directory,
            FileType::Symlink => DescriptorType::SymbolicLink,
            FileType::Fifo => DescriptorType::Fifo,
            FileType::Socket => DescriptorType::Socket,
            FileType::CharacterDevice => DescriptorType::CharacterDevice,
            FileType::BlockDevice => DescriptorType::BlockDevice,
            FileType::Unknown => DescriptorType::Unknown,
        }
    }
}

#[cfg(not(unix))]
mod entries {
    use std::{ffi::OsString, io};

    use cap_std::fs::{Dir, ReadDir};

    use super::{DescriptorType, File};

    pub(super) struct Entries(ReadDir);

    impl Entries {
        pub(super) fn of(directory: &File) -> io::Result<Self> {
            Ok(Self(Dir::from_std_file(directory.try_clone()?).entries()?))
        }

        pub(super) fn next(&mut self) -> Option<io::Result<(OsString, DescriptorType)>> {
            let entry = match self.0.next()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            let kind = match entry.file_type() {
                Ok(kind) if kind.is_dir() => DescriptorType::Directory,
                Ok(kind) if kind.is_symlink() => DescriptorType::SymbolicLink,
                Ok(kind) if kind.is_file() => DescriptorType::RegularFile,
                _ => DescriptorType::Unknown,
            };
            Some(Ok((entry.file_name(), kind)))
        }
    }
}
