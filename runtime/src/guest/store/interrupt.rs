//! Interrupts a guest in its loops, and whenever a call to the host returns.
//!
//! Compiled code checks for an interrupt at function entries, loop headers and bulk operations. Straight-line code that
//! calls the host passes none of these, however long it runs. So the guest also checks each time a call returns to it,
//! from host functions and from wasmtime functions that compiled code calls, such as `memory.grow`.
//!
//! A check costs one load if nothing has happened. When the epoch has advanced, at a tick or because a guest was
//! killed, the guest ends if it has to. Otherwise it yields to other guests.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use wasmtime::{AsContextMut, CallHook, CallHookHandler, Store, StoreContextMut, UpdateDeadline};

use super::State;

/// Counts the interrupts of an engine's guests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupts(Arc<AtomicU64>);

impl Interrupts {
    /// Guests that see the new count also see everything written before it.
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// The interrupts, and the last one that a guest yielded for.
#[derive(Debug)]
pub(super) struct Turn {
    interrupts: Interrupts,
    seen: u64,
}

impl Turn {
    pub(super) fn new(interrupts: &Interrupts) -> Self {
        Self { interrupts: interrupts.clone(), seen: interrupts.now() }
    }

    fn is_over(&self) -> bool {
        self.interrupts.now() != self.seen
    }

    fn begin(&mut self) {
        self.seen = self.interrupts.now();
    }
}

/// Makes the guest of this store check in its loops and whenever a call returns to it.
pub(super) fn install(store: &mut Store<State>) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        stop(&store)?;
        store.data_mut().turn.begin();
        Ok(UpdateDeadline::Yield(1))
    });
    store.call_hook_async(CheckOnReturn);
}

/// The error that ends a guest which was killed or has exceeded its CPU time.
fn stop(store: &StoreContextMut<'_, State>) -> wasmtime::Result<()> {
    match store.data().control.stop_reason() {
        Some(reason) => Err(wasmtime::Error::msg(reason)),
        None => Ok(()),
    }
}

struct CheckOnReturn;

impl CallHookHandler<State> for CheckOnReturn {
    // Written out, so that a check without an interrupt allocates nothing.
    fn handle_call_event<'handler, 'store, 'event>(
        &'handler self,
        store: StoreContextMut<'store, State>,
        event: CallHook,
    ) -> Pin<Box<dyn Future<Output = wasmtime::Result<()>> + Send + 'event>>
    where
        'handler: 'event,
        'store: 'event,
        Self: 'event,
    {
        // Only before the guest's code runs: the other events are followed by one of these.
        let goes_on = matches!(event, CallHook::ReturningFromHost | CallHook::CallingWasm);
        if goes_on && store.data().turn.is_over() {
            Box::pin(yield_now(store))
        } else {
            Box::pin(Done)
        }
    }
}

async fn yield_now(mut store: StoreContextMut<'_, State>) -> wasmtime::Result<()> {
    stop(&store)?;
    YieldOnce { yielded: false }.await;
    store.data_mut().turn.begin();
    // The guest has just yielded and need not yield again in the next loop.
    store.as_context_mut().set_epoch_deadline(1);
    Ok(())
}

/// A zero-sized future, so boxing it allocates nothing.
struct Done;

impl Future for Done {
    type Output = wasmtime::Result<()>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(()))
    }
}

/// Goes to the end of the queue once.
struct YieldOnce {
    yielded: bool,
}

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
