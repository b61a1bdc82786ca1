//! Determines how a guest ended, from what its code returned and whether it was killed or hit a limit.

use std::time::{Duration, Instant};

use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::{I32Exit, ResourceTableError};

use super::{
    abi::NotACommand,
    store::{self, State},
};
use crate::{Error, ErrorKind, Limit, Result, Termination, exec::control::Control, text};

/// When a guest started, and how long it may run.
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
/// An exceeded limit or a kill takes precedence over what the guest returned, because the guest may have noticed too
/// late.
///
/// # Errors
///
/// [`ErrorKind::Io`] when the host could not give the guest what it needs. Never [`ErrorKind::Unsupported`], which
/// could trigger the native fallback.
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
    // A failed allocation ends in `unreachable`, or in an error before any code ran. Other faults are the guest's own,
    // even if it was refused memory before.
    let gave_up =
        error.downcast_ref::<Trap>().is_none_or(|trap| *trap == Trap::UnreachableCodeReached);
    if let Some(limit) = exhausted(&error).or_else(|| state.refused().filter(|_| gave_up)) {
        return Ok(Termination::OutOf(limit));
    }
    if let Some(error) = error.downcast_ref::<NotACommand>() {
        return Err(Error::new(ErrorKind::Unsupported, error.to_string()));
    }
    // Any other failure before the guest's code ran is the host's: it has no memory, address space, descriptor or
    // thread left. So is an operating system error in a host function.
    let ran =
        error.downcast_ref::<Trap>().is_some() || error.downcast_ref::<WasmBacktrace>().is_some();
    if !ran || error.root_cause().downcast_ref::<std::io::Error>().is_some() {
        let text = "failed to give the guest what it needs from the host; each guest reserves 4 GiB of address space \
                    and a few descriptors";
        return Err(Error::with(ErrorKind::Io, text, error.into_boxed_dyn_error()));
    }
    Ok(Termination::Trapped(fault(&error)))
}

/// The limit behind an error of ours or of wasmtime's. Only one of wasmtime's errors has a type; the others are
/// recognised by their texts, which contain nothing from the guest.
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
/// A name of a few hundred bytes can expand to a megabyte of text, so the text is cut while it is written.
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
