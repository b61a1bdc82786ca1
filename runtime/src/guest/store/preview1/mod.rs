//! Functions of preview1 that replace wasmtime's.
//!
//! wasmtime fails a call that passes more than a limit, reads a whole directory for each part of its listing, and
//! counts what a poll waits for as open handles. Ours transfer a part of a large buffer, list name by name, and limit a
//! poll separately. Each calls wasmtime's function of the same name for the rest.

mod list;
mod open;
mod paths;
mod poll;
mod transfer;

use wasmtime::{AsContextMut, Caller, Extern, Linker};
use wasmtime_wasi::p1::{types::Errno, wasi_snapshot_preview1::WasiSnapshotPreview1};
use wiggle::GuestMemory;

use super::{OutOf, State};
use crate::Limit;
#[cfg(all(test, target_os = "linux"))]
pub(super) use list::read as read_directory;
pub(super) use open::Directories;

/// The module that guests import them from.
const MODULE: &str = "wasi_snapshot_preview1";

const SUCCESS: i32 = Errno::Success as i32;

/// Replaces wasmtime's functions with these.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    transfer::link(linker)?;
    paths::link(linker)?;
    poll::link(linker)?;
    open::link(linker)?;
    list::link(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The guest's memory, its state, and the bytes that a call may pass to the host.
fn lend<'a>(
    caller: &'a mut Caller<'_, State>,
) -> wasmtime::Result<(GuestMemory<'a>, &'a mut State, usize)> {
    let most = caller.as_context_mut().hostcall_fuel();
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return Err(wasmtime::Error::msg("missing required memory export"));
    };
    let (memory, state) = memory.data_and_store_mut(caller);
    state.wasi.set_hostcall_fuel(most);
    Ok((GuestMemory::Unshared(memory), state, most))
}

/// Ends a guest that passes more than the limit in a call that cannot take a part of it.
fn check(most: usize, lengths: &[i32]) -> wasmtime::Result<()> {
    let total = lengths.iter().map(|length| u64::from(length.cast_unsigned())).sum::<u64>();
    if total > most as u64 { Err(OutOf(Limit::CallBytes).into()) } else { Ok(()) }
}
