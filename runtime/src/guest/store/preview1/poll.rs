//! Polls: what a call waits for does not count as handles, because it is gone when the call returns.

use wasmtime::{Caller, Linker};
use wasmtime_wasi::p1::wasi_snapshot_preview1 as engine;

use super::{MODULE, OutOf, State, check, lend};
use crate::Limit;

/// Bytes of a subscription and of an event: <https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md>.
const SUBSCRIPTION: i32 = 48;
const EVENT: i32 = 32;

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        MODULE,
        "poll_oneoff",
        |mut caller: Caller<'_, State>, (asked, events, count, ready): (i32, i32, i32, i32)| {
            Box::new(async move {
                let (mut memory, state, most) = lend(&mut caller)?;
                // At most as many as the guest may hold open. wasmtime's table has room for them besides those.
                if count.cast_unsigned() as usize > state.handles.most() {
                    return Err(OutOf(Limit::Handles).into());
                }
                let bytes = count.checked_mul(SUBSCRIPTION + EVENT).unwrap_or(-1);
                check(most, &[bytes])?;
                engine::poll_oneoff(state.preview1(), &mut memory, asked, events, count, ready)
                    .await
            })
        },
    )?;
    Ok(())
}
