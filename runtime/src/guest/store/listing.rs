//! Lists a directory name by name, instead of reading all of it at once.
//!
//! wasmtime's function reads the whole directory when a listing begins, and keeps it as long as the guest keeps the
//! listing. A guest with as many listings as it may have handles would make the host hold gigabytes. This one reads on
//! when the guest asks for the next name, and holds a descriptor and a buffer. `preview1` uses it as well.
//!
//! Names in WASI are text. A name that is not UTF-8 is skipped, because no guest could open it, and standard libraries
//! abort a whole listing for it.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
};

use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource, ResourceType},
};
use wasmtime_wasi::{
    FsPerms, WasiView,
    filesystem::Descriptor,
    p2::{
        FsError,
        bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode},
    },
};

use super::{OutOf, State};
use crate::{Limit, text};

pub(super) use entries::Entries;

/// The interface whose functions are replaced here.
pub(super) const TYPES: &str = "wasi:filesystem/types@0.2.12";

/// An open listing.
struct Listing(Entries);

/// Whether the log was told that a name was skipped.
#[derive(Debug, Default)]
pub(super) struct Names {
    told: bool,
}

impl State {
    /// Logs a skipped name, once per guest.
    pub(super) fn tell_left_out(&mut self, name: &OsStr) {
        if !std::mem::replace(&mut self.names.told, true) {
            let guest = self.handles.guest();
            tracing::warn!(%guest, "names that are not UTF-8 are left out of listings");
            let name = text::name(&name.to_string_lossy());
            tracing::debug!(%guest, %name, "the first name that is left out");
        }
    }
}

/// The next entry whose name is UTF-8. The first skipped name goes to `left_out`.
pub(super) fn next_text(
    entries: &mut Entries,
    left_out: &mut Option<OsString>,
) -> Option<io::Result<(String, DescriptorType)>> {
    loop {
        let (name, kind) = match entries.next()? {
            Ok(entry) => entry,
            Err(error) => return Some(Err(error)),
        };
        match name.into_string() {
            Ok(name) => return Some(Ok((name, kind))),
            Err(name) => {
                left_out.get_or_insert(name);
            }
        }
    }
}

/// Replaces wasmtime's functions with these.
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

/// The result for the guest, or an error that ends it: it exceeded its handles, or passed one that does not exist.
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
    let state = store.data_mut();
    // Each listing holds a descriptor of the host, and no error of this call fits.
    if state.is_full() {
        return Err(FsError::trap(OutOf(Limit::Handles)));
    }
    let table = state.ctx().table;
    let Descriptor::Dir(directory) = table.get(directory)? else {
        return Err(ErrorCode::NotDirectory.into());
    };
    let entries = Entries::of(&directory.dir, directory.perms)?;
    Ok(table.push(Listing(entries))?)
}

fn next(
    mut store: StoreContextMut<'_, State>,
    listing: &Resource<Listing>,
) -> Result<Option<DirectoryEntry>, FsError> {
    let state = store.data_mut();
    let Listing(entries) = state.ctx().table.get_mut(listing)?;
    let mut left_out = None;
    let entry = next_text(entries, &mut left_out).transpose()?;
    if let Some(name) = left_out {
        state.tell_left_out(&name);
    }
    Ok(entry.map(|(name, type_)| DirectoryEntry { type_, name }))
}

#[cfg(unix)]
mod entries {
    //! One descriptor per listing. Listings count as the guest's handles, which are limited to what the host can spare.

    use std::{
        ffi::{OsStr, OsString},
        hash::{DefaultHasher, Hash, Hasher},
        io,
        os::{fd::AsFd, unix::ffi::OsStrExt},
    };

    use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};

    use super::{DescriptorType, File, FsPerms};

    pub(in crate::guest::store) struct Entries(Dir);

    impl Entries {
        pub(in crate::guest::store) fn of(directory: &File, perms: FsPerms) -> io::Result<Self> {
            // Opened again, so that two listings of a directory have separate positions.
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let opened = openat(directory.as_fd(), ".", flags, Mode::empty())?;
            crate::guest::store::access_time::keep_of(&opened, perms);
            Ok(Self(Dir::new(opened)?))
        }

        pub(in crate::guest::store) fn next(
            &mut self,
        ) -> Option<io::Result<(OsString, DescriptorType)>> {
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
                    // Not every file system reports the kind here. A file that is gone by now has no kind.
                    let found =
                        self.0.fd().and_then(|fd| statat(fd, name, AtFlags::SYMLINK_NOFOLLOW));
                    kind = found.map_or(kind, |found| FileType::from_raw_mode(found.st_mode));
                }
                return Some(Ok((OsStr::from_bytes(name.to_bytes()).to_owned(), kind_of(kind))));
            }
        }

        /// The file's number in preview1: the lower half of wasmtime's hash.
        pub(in crate::guest::store) fn number(&self, name: &str) -> io::Result<u64> {
            let found = statat(self.0.fd()?, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let mut hasher = DefaultHasher::new();
            (found.st_dev as u64, found.st_ino as u64).hash(&mut hasher);
            Ok(hasher.finish())
        }
    }

    /// Returns only what wasmtime's function does: C libraries of guests trap at an unknown kind, which for most of
    /// them includes a socket.
    fn kind_of(kind: FileType) -> DescriptorType {
        match kind {
            FileType::RegularFile => DescriptorType::RegularFile,
            FileType::Directory => DescriptorType::Directory,
            FileType::Symlink => DescriptorType::SymbolicLink,
            FileType::CharacterDevice => DescriptorType::CharacterDevice,
            FileType::BlockDevice => DescriptorType::BlockDevice,
            FileType::Fifo | FileType::Socket | FileType::Unknown => DescriptorType::Unknown,
        }
    }
}

#[cfg(not(unix))]
mod entries {
    use std::{ffi::OsString, io};

    use cap_std::fs::{Dir, ReadDir};

    use super::{DescriptorType, File, FsPerms};

    pub(in crate::guest::store) struct Entries(ReadDir);

    impl Entries {
        pub(in crate::guest::store) fn of(directory: &File, _: FsPerms) -> io::Result<Self> {
            Ok(Self(Dir::from_std_file(directory.try_clone()?).entries()?))
        }

        pub(in crate::guest::store) fn next(
            &mut self,
        ) -> Option<io::Result<(OsString, DescriptorType)>> {
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
