//! How a guest ended, told from what its code returned and from what was asked of it meanwhile.

use std::{
    fmt,
    time::{Duration, Instant},
};

use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::{I32Exit, ResourceTableError};

use crate::{
    Error, ErrorKind, Limit, Result, Termination,
    control::Control,
    store::{self, State},
    text,
};

/// When a guest's clock began, and how long it may run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) began: Instant,
    pub(super) limit: Option<Duration>,
}

impl Clock {
    fn has_run_out(&self) -> bool {
        self.limit.is_some_and(|limit| self.began.elapsed() >= limit)
    }
}

/// Why a guest ended whose entry point returned `called`: an exit code, or an error.
///
/// A limit that was passed, or a kill, comes before what the guest says of itself. It may have noticed too late.
///
/// # Errors
///
/// [`ErrorKind::Io`] when the host could not give the guest what it needs. That is never [`ErrorKind::Unsupported`], which
/// could start a native program in its place.
pub(super) fn termination(
    called: wasmtime::Result<i32>,
    control: &Control,
    clock: Clock,
    state: &State,
) -> Result<Termination> {
    if let Some(reason) = control.stop_reason() {
        return Ok(reason);
    }
    if clock.has_run_out() {
        return Ok(Termination::OutOf(Limit::Time));
    }
    let error = match called {
        Ok(code) => return Ok(Termination::Exited(code)),
        Err(error) => error,
    };
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return Ok(Termination::Exited(code & 0xff));
    }
    // What an allocation that failed ends in: `unreachable`, or an error before any code ran. Other faults are
    // the guest's own, even if it was refused memory before.
    let gave_up =
        error.downcast_ref::<Trap>().is_none_or(|trap| *trap == Trap::UnreachableCodeReached);
    if let Some(limit) = exhausted(&error).or_else(|| state.refused().filter(|_| gave_up)) {
        return Ok(Termination::OutOf(limit));
    }
    if let Some(NotACommand(text)) = error.downcast_ref() {
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    // What else fails before any of its code runs, and is no limit, is the host's: it has no memory, no address space, no
    // descriptor or no thread left. So is an error of the system's in a function of the host's.
    let ran =
        error.downcast_ref::<Trap>().is_some() || error.downcast_ref::<WasmBacktrace>().is_some();
    if !ran || error.root_cause().downcast_ref::<std::io::Error>().is_some() {
        let text = "failed to give the guest what it needs from the host; each guest reserves 4 GiB of address space \
                    and a few descriptors";
        return Err(Error::with(ErrorKind::Io, text, error.into_boxed_dyn_error()));
    }
    Ok(Termination::Trapped(fault(&error)))
}

/// An entry point that is there, and has another type than a command's.
#[derive(Debug)]
struct NotACommand(String);

impl fmt::Display for NotACommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotACommand {}

/// Marks an error of looking for the entry point of what was instantiated.
pub(super) fn not_a_command(error: wasmtime::Error) -> wasmtime::Error {
    let cause = text::bounded(error.root_cause());
    wasmtime::Error::new(NotACommand(format!("not a runnable command: {cause}")))
}

/// The limit behind an error of ours or of the engine's. Of the latter only one has a type; the texts of the others are its own,
/// in which nothing of a guest's is.
fn exhausted(error: &wasmtime::Error) -> Option<Limit> {
    if let Some(store::OutOf(limit)) = error.downcast_ref() {
        return Some(*limit);
    }
    let full = error.chain().filter_map(|cause| cause.downcast_ref::<ResourceTableError>());
    if full.into_iter().any(|error| matches!(error, ResourceTableError::Full)) {
        return Some(Limit::Handles);
    }
    let cause = text::bounded(error.root_cause());
    let texts = [
        ("resource limit exceeded: instance count", Limit::Instances),
        ("resource limit exceeded: memory count", Limit::Memories),
        ("resource limit exceeded: table count", Limit::Tables),
        ("resource table has no free keys", Limit::Handles),
        ("cannot allocate another handle: store handle limit", Limit::Handles),
        ("cannot lend resource: store handle limit", Limit::Handles),
        ("too much data is being copied between the host and the guest", Limit::CallBytes),
        ("requested len ", Limit::RandomBytes),
    ];
    texts.into_iter().find(|(text, _)| cause.starts_with(text)).map(|(_, limit)| limit)
}

/// What went wrong and where, in the guest's own names.
///
/// A name of a few hundred bytes can stand for a megabyte of text, so all of this is cut while it is written.
fn fault(error: &wasmtime::Error) -> String {
    let cause = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => text::bounded(error.root_cause()),
    };
    let mut fault = cause.trim_start_matches("wasm trap: ").to_owned();
    let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], WasmBacktrace::frames);
    for (depth, frame) in frames.iter().enumerate() {
        if fault.len() > text::MAX_TEXT {
            break;
        }
        let name = frame.symbols().first().and_then(|symbol| symbol.name());
        let name = match name.or_else(|| frame.func_name()) {
            Some(name) => {
                text::name(&text::bounded(format_args!("{:#}", rustc_demangle::demangle(name))))
            }
            None => format!("function {}", frame.func_index()),
        };
        fault.push_str(&format!("\n  {depth}: {name}"));
    }
    text::block(&fault)
}
