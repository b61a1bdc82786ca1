//! Limits how many files, directories, streams and timers a guest may hold open.
//!
//! An open beyond the limit fails, as for a native program: the guest may close something and go on. The call that
//! makes a timer or a stream has no error to return, and ends the guest.

use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::{
    WasiView,
    filesystem::{Descriptor, WasiFilesystemView},
    p2::bindings::filesystem::types::{
        DescriptorFlags, ErrorCode, HostDescriptor, OpenFlags, PathFlags,
    },
};

use super::{
    State, access_time,
    listing::{TYPES, answer},
};
use crate::{Limit, Limits, text};

/// Entries of wasmtime's table per handle of a component: a timer takes two. Files, directories and listings are
/// counted individually.
const ENTRIES: usize = 2;

/// The same for a module: during a poll, each subscription takes two besides the handle that it is for.
const MODULE_ENTRIES: usize = 3;

/// What wasmtime counts per handle of a component: the handle, and that it is lent to a function, as a poll does with
/// all it waits for.
const LENT: usize = 2;

/// The limit, and what it refused.
pub(super) struct Handles {
    guest: String,
    most: usize,
    /// Whether the latest open was refused.
    refused: bool,
    told: bool,
}

impl Handles {
    pub(super) fn new(limits: &Limits, guest: &str) -> Self {
        Self {
            guest: text::name(guest),
            most: limits.count(Limit::Handles),
            refused: false,
            told: false,
        }
    }

    /// Limit on the entries of wasmtime's table, which bounds the host's memory.
    pub(super) fn entries(&self, module: bool) -> usize {
        self.most.saturating_mul(if module { MODULE_ENTRIES } else { ENTRIES })
    }

    /// Limit on what wasmtime counts for a component.
    pub(super) fn lent(&self) -> usize {
        self.most.saturating_mul(LENT)
    }

    /// The guest's name, for the log.
    pub(super) fn guest(&self) -> &str {
        &self.guest
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    pub(super) fn refused(&self) -> Option<Limit> {
        self.refused.then_some(Limit::Handles)
    }
}

impl State {
    /// Whether the guest holds as many handles as it may.
    pub(super) fn is_full(&mut self) -> bool {
        let open = self.wasi.ctx().table.iter_mut().count() + self.directories.listed();
        open >= self.handles.most
    }

    /// Whether the guest may open one more file or directory. A refusal is recorded, and logged once.
    pub(super) fn may_open(&mut self) -> bool {
        let refused = self.is_full();
        self.handles.refused = refused;
        if refused {
            self.tell_refused();
        }
        !refused
    }

    /// Records that the limit refused an open.
    fn tell_refused(&mut self) {
        self.control.note_refused(Limit::Handles);
        if !std::mem::replace(&mut self.handles.told, true) {
            let Handles { guest, most, .. } = &self.handles;
            tracing::warn!(%guest, limit = %Limit::Handles, most, "may open no more files");
        }
    }
}

/// Replaces wasmtime's functions with ours.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance(TYPES)?.func_wrap_async(
        "[method]descriptor.open-at",
        |mut store,
         (directory, path_flags, path, open_flags, flags): (
            Resource<Descriptor>,
            PathFlags,
            String,
            OpenFlags,
            DescriptorFlags,
        )| {
            Box::new(async move {
                let state = store.data_mut();
                if !state.may_open() {
                    // WASI 0.2 has no `EMFILE`. C libraries that keep their own table of descriptors return the same
                    // error when it is full.
                    return Ok((Err(ErrorCode::InsufficientMemory),));
                }
                let mut files = state.filesystem();
                let opened = files.open_at(directory, path_flags, path, open_flags, flags).await;
                if let Ok(opened) = &opened {
                    access_time::keep(files.table, opened);
                }
                Ok((answer(opened)?,))
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}
