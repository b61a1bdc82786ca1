//! Opens and closes: tracks which of a module's descriptors are directories, and how far each was listed.
//!
//! wasmtime does not expose its descriptors. They are derived from its table: from the entries of the granted
//! directories at the start, and from the one entry of each open, whose index is known in advance.

use std::collections::BTreeMap;

use wasmtime::{
    Caller, Linker,
    component::{Resource, ResourceTable},
};
use wasmtime_wasi::{
    WasiView,
    filesystem::Descriptor,
    p1::{types::Errno, wasi_snapshot_preview1 as engine},
};
use wiggle::{GuestMemory, GuestPtr};

use super::{MODULE, SUCCESS, State, check, lend, list::Listing};
use crate::guest::store::access_time;

/// The descriptor of the first granted directory, after the three standard streams.
const FIRST: u32 = 3;

/// The directories that a guest holds open, by descriptor.
#[derive(Default)]
pub(in crate::guest::store) struct Directories(BTreeMap<u32, Directory>);

/// An open directory.
pub(super) struct Directory {
    /// Its index in wasmtime's table.
    pub(super) handle: u32,
    /// Kept between calls, with a descriptor of its own. It counts as one of the guest's handles.
    pub(super) listing: Option<Listing>,
    /// The number of its names when a listing reached the end.
    pub(super) end: Option<u64>,
}

impl Directory {
    fn new(handle: u32) -> Self {
        Self { handle, listing: None, end: None }
    }
}

impl Directories {
    pub(super) fn get(&mut self, file: u32) -> Option<&mut Directory> {
        self.0.get_mut(&file)
    }

    /// How many of them are being listed.
    pub(in crate::guest::store) fn listed(&self) -> usize {
        self.0.values().filter(|directory| directory.listing.is_some()).count()
    }

    /// Closes the listings, which can start over.
    fn give_up_listings(&mut self) {
        self.0.values_mut().for_each(|directory| directory.listing = None);
    }
}

impl State {
    /// Makes wasmtime assign descriptors to the granted directories, and records them. Call it before the guest opens
    /// anything.
    pub(in crate::guest::store) fn know_preopens(&mut self) {
        let mut nowhere = [0; 8];
        let memory = &mut GuestMemory::Unshared(&mut nowhere);
        // If this fails, so does every call of the guest.
        let _ = engine::fd_prestat_get(&mut self.wasi, memory, FIRST.cast_signed(), 0);
        let table = self.wasi.ctx().table;
        let entries = (0..).take_while(|entry| table.get_any_mut(*entry).is_ok());
        let entries: Vec<_> = entries.collect();
        let directories = entries.into_iter().filter(|entry| is_directory(table, *entry));
        self.directories.0 = (FIRST..).zip(directories.map(Directory::new)).collect();
    }

    /// Whether there is room for one more file, directory or listing.
    pub(in crate::guest::store) fn has_room(&mut self) -> bool {
        if self.is_full() {
            self.directories.give_up_listings();
        }
        self.may_open()
    }
}

fn is_directory(table: &ResourceTable, entry: u32) -> bool {
    matches!(table.get(&Resource::new_borrow(entry)), Ok(Descriptor::Dir(_)))
}

/// The index that the next entry of the table will have.
fn next_entry(table: &mut ResourceTable) -> Option<u32> {
    let entry = table.push(()).ok()?;
    let place = entry.rep();
    table.delete(entry).ok()?;
    Some(place)
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    type Open = (i32, i32, i32, i32, i32, i64, i64, i32, i32);
    linker.func_wrap_async(
        MODULE,
        "path_open",
        |mut caller: Caller<'_, State>,
         (dir, look, path, length, how, rights, inherited, flags, opened): Open| {
            Box::new(async move {
                let (mut memory, state, most) = lend(&mut caller)?;
                check(most, &[length])?;
                if !state.has_room() {
                    return Ok(Errno::Mfile as i32);
                }
                let entry = next_entry(state.wasi.ctx().table);
                let wasi = state.preview1();
                let errno = engine::path_open(
                    wasi,
                    &mut memory,
                    dir,
                    look,
                    path,
                    length,
                    how,
                    rights,
                    inherited,
                    flags,
                    opened,
                )
                .await?;
                let Some(entry) = entry.filter(|_| errno == SUCCESS) else { return Ok(errno) };
                access_time::keep(state.wasi.ctx().table, &Resource::new_borrow(entry));
                if is_directory(state.wasi.ctx().table, entry) {
                    let file = memory.read(GuestPtr::<u32>::new(opened.cast_unsigned()))?;
                    state.directories.0.insert(file, Directory::new(entry));
                }
                Ok(errno)
            })
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "fd_close",
        |mut caller: Caller<'_, State>, (file,): (i32,)| {
            Box::new(async move {
                let (mut memory, state, _) = lend(&mut caller)?;
                let errno = engine::fd_close(state.preview1(), &mut memory, file).await?;
                if errno == SUCCESS {
                    state.directories.0.remove(&file.cast_unsigned());
                }
                Ok(errno)
            })
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "fd_renumber",
        |mut caller: Caller<'_, State>, (from, to): (i32, i32)| {
            Box::new(async move {
                let (mut memory, state, _) = lend(&mut caller)?;
                let errno = engine::fd_renumber(state.preview1(), &mut memory, from, to).await?;
                if errno == SUCCESS && from != to {
                    let directories = &mut state.directories.0;
                    directories.remove(&to.cast_unsigned());
                    if let Some(directory) = directories.remove(&from.cast_unsigned()) {
                        directories.insert(to.cast_unsigned(), directory);
                    }
                }
                Ok(errno)
            })
        },
    )?;
    Ok(())
}
