//! How many files, directories, streams and timers a guest may hold open.
//!
//! An open that is one too many fails, as it does for a native program: the guest may close something and go on. The call that
//! makes a timer or a stream has no error to answer with, and ends the guest.

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
use crate::{Limits, exit::Limit, text};

/// Entries of the engine's table for each handle that a component may have: a timer takes two. Files, directories and listings are
/// counted one by one.
const ENTRIES: usize = 2;

/// The same for a module: while it polls, each subscription takes two beside the handle that it is for.
const MODULE_ENTRIES: usize = 3;

/// What the engine counts for each handle of a component: itself, and that it is lent to a function, as all are that a poll waits for.
const LENT: usize = 2;

/// The limit, and what it has refused.
pub(super) struct Handles {
    guest: String,
    most: usize,
    /// Whether the latest open was refused.
    refused: bool,
    told: bool,
}

impl Handles {
    pub(super) fn new(limits: &Limits, guest: &str) -> Self {
        Self { guest: text::name(guest), most: limits.handles, refused: false, told: false }
    }

    /// What the engine's table may hold, which bounds the host's memory.
    pub(super) fn entries(&self, module: bool) -> usize {
        self.most.saturating_mul(if module { MODULE_ENTRIES } else { ENTRIES })
    }

    /// What the engine may count for a component.
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
    /// Whether the guest holds as much open as it may.
    pub(super) fn is_full(&mut self) -> bool {
        let open = self.wasi.ctx().table.iter_mut().count() + self.directories.listed();
        open >= self.handles.most
    }

    /// Whether the guest may open one more file or directory. A refusal is remembered, and told once.
    pub(super) fn may_open(&mut self) -> bool {
        let refused = self.is_full();
        self.handles.refused = refused;
        if refused {
            self.tell_refused();
        }
        !refused
    }

    /// The one place that learns that a limit has refused an open.
    fn tell_refused(&mut self) {
        self.control.note_refused(Limit::Handles);
        if !std::mem::replace(&mut self.handles.told, true) {
            let Handles { guest, most, .. } = &self.handles;
            tracing::warn!(%guest, limit = %Limit::Handles, most, "may open no more files");
        }
    }
}

/// Puts a function of our own in the place of the engine's.
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
                    // WASI 0.2 has no `EMFILE`. C libraries that keep a table of descriptors of their own say the same when
                    // that is full.
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
