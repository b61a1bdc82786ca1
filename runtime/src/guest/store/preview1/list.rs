//! Lists a directory for preview1, from where the guest's last call stopped.
//!
//! A guest names the position to continue from by a cookie: the number of entries before it, as in wasmtime. The
//! directory stays open at that position, so that the next call continues at once. A guest that continues elsewhere is
//! served from the start, past as many names as its cookie says. A kill can stop it on the way.

use std::{fs::File, sync::Arc};

use wasmtime::{Caller, Linker, component::Resource};
use wasmtime_wasi::{
    FsPerms, WasiView,
    filesystem::{Descriptor, WasiFilesystemView},
    p1::{
        types::{self, Errno, Filetype},
        wasi_snapshot_preview1 as engine,
    },
    p2::{FsError, bindings::filesystem::types::HostDescriptor},
};
use wiggle::{GuestMemory, GuestPtr};

use super::{MODULE, SUCCESS, State, lend};
use crate::guest::store::listing::{Entries, next_text};

/// Bytes of an entry before its name: <https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md>.
const HEAD: usize = 24;

/// The entries `.` and `..` come first.
const DOTS: [&str; 2] = [".", ".."];

/// Names between two points at which the guest can be stopped and yields to others.
const STRETCH: u64 = 512;

/// A position in a directory.
pub(super) struct Listing {
    entries: Entries,
    /// Number of names before the next one.
    passed: u64,
    /// The next name, if the guest had no room for it.
    kept: Option<Entry>,
}

struct Entry {
    name: String,
    kind: Filetype,
    number: u64,
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        MODULE,
        "fd_readdir",
        |mut caller: Caller<'_, State>,
         (file, to, room, cookie, used): (i32, i32, i32, i64, i32)| {
            Box::new(async move {
                let (mut memory, state, _) = lend(&mut caller)?;
                read(state, &mut memory, file, to, room, cookie, used).await
            })
        },
    )?;
    Ok(())
}

/// Fills the guest's buffer with entries after a cookie, and returns the number of bytes.
pub(in crate::guest::store) async fn read(
    state: &mut State,
    memory: &mut GuestMemory<'_>,
    file: i32,
    to: i32,
    room: i32,
    cookie: i64,
    used: i32,
) -> wasmtime::Result<i32> {
    let Some((handle, directory, perms)) = state.directory(file.cast_unsigned()) else {
        // Not a directory, or not open: wasmtime returns the right error.
        return engine::fd_readdir(state.preview1(), memory, file, to, room, cookie, used).await;
    };
    let mut out = Out { memory, at: to.cast_unsigned(), room: room.cast_unsigned(), used: 0 };
    let asked = Asked { file: file.cast_unsigned(), handle, directory, perms };
    if let Err(error) = asked.list(state, &mut out, cookie.cast_unsigned()).await {
        return error.downcast().map(|errno| errno as i32);
    }
    let length = out.used;
    memory.write(GuestPtr::<u32>::new(used.cast_unsigned()), length)?;
    Ok(SUCCESS)
}

impl State {
    fn directory(&mut self, file: u32) -> Option<(u32, Arc<File>, FsPerms)> {
        let handle = self.directories.get(file)?.handle;
        match self.wasi.ctx().table.get(&Resource::new_borrow(handle)) {
            Ok(Descriptor::Dir(directory)) => {
                Some((handle, Arc::clone(&directory.dir), directory.perms))
            }
            _ => None,
        }
    }

    /// Lets the guest be stopped in a long call, and yields to others.
    async fn pause(&mut self) -> Result<(), types::Error> {
        match self.control.stop_reason() {
            Some(reason) => Err(types::Error::trap(wasmtime::Error::msg(reason))),
            None => {
                tokio::task::yield_now().await;
                Ok(())
            }
        }
    }
}

/// The directory that a call lists.
struct Asked {
    file: u32,
    /// Its index in wasmtime's table.
    handle: u32,
    directory: Arc<File>,
    perms: FsPerms,
}

impl Asked {
    async fn list(
        &self,
        state: &mut State,
        out: &mut Out<'_, '_>,
        cookie: u64,
    ) -> Result<(), types::Error> {
        let mut next = cookie;
        while let Some(name) = usize::try_from(next).ok().and_then(|next| DOTS.get(next)) {
            let found = state.filesystem().metadata_hash(Resource::new_borrow(self.handle)).await?;
            // wasmtime gives both of them the same number.
            let entry =
                Entry { name: (*name).into(), kind: Filetype::Directory, number: found.lower };
            next += 1;
            if !out.put(next, &entry)? {
                return Ok(());
            }
        }
        let first = DOTS.len() as u64;
        let Some(mut listing) = self.resume(state, next - first).await? else { return Ok(()) };
        while out.room > 0 {
            let Some(entry) = self.next(state, &mut listing).await? else {
                self.ended(state, listing.passed);
                return Ok(());
            };
            if !out.put(first + listing.passed + 1, &entry)? {
                listing.kept = Some(entry);
                break;
            }
            listing.passed += 1;
            if listing.passed.is_multiple_of(STRETCH) {
                state.pause().await?;
            }
        }
        if let Some(open) = state.directories.get(self.file) {
            open.listing = Some(listing);
        }
        Ok(())
    }

    /// The listing after `passed` names; `None` if there are no more.
    async fn resume(
        &self,
        state: &mut State,
        passed: u64,
    ) -> Result<Option<Listing>, types::Error> {
        let Some(open) = state.directories.get(self.file) else { return Ok(None) };
        // The known end stays valid until the guest continues before it.
        if passed > 0 && open.end.is_some_and(|end| passed >= end) {
            return Ok(None);
        }
        open.end = None;
        let kept = open.listing.take();
        if let Some(listing) = kept.filter(|listing| listing.passed == passed) {
            return Ok(Some(listing));
        }
        if !state.has_room() {
            return Err(Errno::Mfile.into());
        }
        let entries = Entries::of(&self.directory, self.perms).map_err(FsError::from)?;
        let mut listing = Listing { entries, passed: 0, kept: None };
        while listing.passed < passed {
            if self.text(state, &mut listing)?.is_none() {
                self.ended(state, listing.passed);
                return Ok(None);
            }
            listing.passed += 1;
            if listing.passed.is_multiple_of(STRETCH) {
                state.pause().await?;
            }
        }
        Ok(Some(listing))
    }

    /// The next name and its kind.
    fn text(
        &self,
        state: &mut State,
        listing: &mut Listing,
    ) -> Result<Option<(String, Filetype)>, types::Error> {
        let mut left_out = None;
        let found = next_text(&mut listing.entries, &mut left_out);
        if let Some(name) = left_out {
            state.tell_left_out(&name);
        }
        let found = found.transpose().map_err(FsError::from)?;
        Ok(found.map(|(name, kind)| (name, kind.try_into().unwrap_or(Filetype::Unknown))))
    }

    async fn next(
        &self,
        state: &mut State,
        listing: &mut Listing,
    ) -> Result<Option<Entry>, types::Error> {
        if let Some(entry) = listing.kept.take() {
            return Ok(Some(entry));
        }
        while let Some((name, kind)) = self.text(state, listing)? {
            match self.number(state, listing, &name).await {
                Ok(number) => return Ok(Some(Entry { name, kind, number })),
                // Deleted after its name was read.
                Err(error) if error.downcast_ref() == Some(&Errno::Noent) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// A file's number, the same as in its metadata.
    #[cfg(unix)]
    #[expect(clippy::unused_async, reason = "as elsewhere")]
    async fn number(
        &self,
        _: &mut State,
        listing: &mut Listing,
        name: &str,
    ) -> Result<u64, types::Error> {
        Ok(listing.entries.number(name).map_err(FsError::from)?)
    }

    #[cfg(not(unix))]
    async fn number(
        &self,
        state: &mut State,
        _: &mut Listing,
        name: &str,
    ) -> Result<u64, types::Error> {
        use wasmtime_wasi::p2::bindings::filesystem::types::PathFlags;

        let directory = Resource::new_borrow(self.handle);
        let mut files = state.filesystem();
        Ok(files.metadata_hash_at(directory, PathFlags::empty(), name.to_owned()).await?.lower)
    }

    fn ended(&self, state: &mut State, names: u64) {
        if let Some(open) = state.directories.get(self.file) {
            open.end = Some(names);
        }
    }
}

/// The free part of the guest's buffer.
struct Out<'a, 'b> {
    memory: &'a mut GuestMemory<'b>,
    at: u32,
    room: u32,
    used: u32,
}

impl Out<'_, '_> {
    /// Writes as much of the entry as fits. Returns whether all of it did.
    fn put(&mut self, next: u64, entry: &Entry) -> Result<bool, types::Error> {
        let name = entry.name.as_bytes();
        let length = u32::try_from(name.len())?;
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(&next.to_le_bytes());
        head[8..16].copy_from_slice(&entry.number.to_le_bytes());
        head[16..20].copy_from_slice(&length.to_le_bytes());
        head[20] = entry.kind as u8;
        Ok(self.write(&head)? && self.write(name)?)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<bool, types::Error> {
        let length = bytes.len().min(self.room as usize);
        let written = u32::try_from(length)?;
        self.memory.copy_from_slice(&bytes[..length], GuestPtr::<[u8]>::new((self.at, written)))?;
        self.at = self.at.wrapping_add(written);
        self.room -= written;
        self.used += written;
        Ok(length == bytes.len())
    }
}
