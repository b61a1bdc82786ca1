//! Runs a guest's code until it exits, is killed, or exceeds a limit.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time;
use wasmtime::Store;

use super::{
    code::{Compiled, Linked},
    end::{self, Clock},
    pool::Engines,
    store::{self, Setup, State},
};
use crate::{
    Error, ErrorKind, Limit, Result, Termination,
    artifact::Cost,
    exec::{
        control::Control,
        polled::{HostPanic, Polled, Turns},
    },
};

/// Runs the guest. When this returns, nothing of it is left.
pub(crate) async fn run(
    engines: &Engines,
    turns: &Turns,
    compiled: Compiled,
    setup: Setup,
    cost: &Cost,
    control: &Arc<Control>,
) -> Result<Termination> {
    // Declared before the store, so that it is released after the store is dropped.
    let slot = if compiled.fits_pool() { engines.take_slot(&setup.limits) } else { None };
    let engine = slot.as_ref().map_or(engines.on_demand(), |slot| slot.engine());
    let linked = compiled.for_engine(engines, slot.is_some())?;
    let limit = setup.limits.duration(Limit::Time);
    let module = linked.is_module();
    let mut store =
        store::new(&engine.engine, &engine.interrupts, module, setup, cost, Arc::clone(control))?;
    let clock = Clock { began: Instant::now(), limit };
    let called = {
        let guest = pin!(call(&mut store, linked));
        let polled = Polled::new(guest, turns, control);
        tokio::select! {
            biased;
            () = control.killed() => return Ok(Termination::Killed),
            () = out_of_time(limit) => return Ok(Termination::OutOf(Limit::Time)),
            called = polled => called,
        }
    };
    match called {
        Ok(called) => end::termination(called, control, clock, store.data()),
        Err(HostPanic(panic)) => {
            let text =
                format!("a function of the host panicked while it served the guest: {panic}");
            Err(Error::new(ErrorKind::Internal, text))
        }
    }
}

async fn out_of_time(limit: Option<Duration>) {
    match limit {
        Some(limit) => time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// Calls the program's entry point and returns its exit code.
async fn call(store: &mut Store<State>, linked: Linked) -> wasmtime::Result<i32> {
    match linked {
        Linked::P1(module) => module.call(store).await,
        Linked::P2(component) => component.call(store).await,
    }
}
