//! Functions of preview1 in place of the engine's.
//!
//! The engine fails a call that hands over more than a limit, reads a whole directory for each piece of its listing, and counts
//! what a poll waits for as things held open. Ours move a part of what is large, list name by name, and bound a poll by itself.
//! Each calls the engine's function of the same name for all the rest.

mod list;
mod open;
mod paths;
mod poll;
mod transfer;

use wasmtime::{AsContextMut, Caller, Extern, Linker};
use wasmtime_wasi::p1::{types::Errno, wasi_snapshot_preview1::WasiSnapshotPreview1};
use wiggle::GuestMemory;

use super::{OutOf, State};
use crate::exit::Limit;
#[cfg(all(test, target_os = "linux"))]
pub(super) use list::read as read_directory;
pub(super) use open::Directories;

/// Where modules import them from.
const MODULE: &str = "wasi_snapshot_preview1";

const SUCCESS: i32 = Errno::Success as i32;

/// Puts these functions in the place of the engine's.
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

/// The guest's memory, its state, and the bytes that a call may hand to the host.
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

/// Ends a guest that hands over more than the limit, in a call that cannot take a part of it.
fn check(most: usize, lengths: &[i32]) -> wasmtime::Result<()> {
    let total = lengths.iter().map(|length| u64::from(length.cast_unsigned())).sum::<u64>();
    if total > most as u64 { Err(OutOf(Limit::CallBytes).into()) } else { Ok(()) }
}
