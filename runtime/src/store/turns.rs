//! Interrupts a guest that calls the host again and again without ever passing a loop.
//!
//! The compiler has a guest look for an interrupt where a function begins, where a loop goes round, and in bulk operations. Code
//! that calls the host in a straight line passes none of these, however long it runs. So a guest also looks each time a call
//! returns to it: of the host's functions, and of those of the engine that the compiler calls, such as `memory.grow`.
//!
//! A look costs one load as long as nothing has happened. Something has when the epoch moved on: at a tick, or because
//! somebody was killed. Then the guest ends if it has to, and otherwise makes way for others, as it does in a loop.

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

/// How often all guests of an engine have been interrupted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticks(Arc<AtomicU64>);

impl Ticks {
    /// Counts one more. What was written before is seen by guests that see the tick.
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// The ticks, and the last one that a guest has made way for.
#[derive(Debug)]
pub(super) struct Turns {
    ticks: Ticks,
    seen: u64,
}

impl Turns {
    pub(super) fn new(ticks: &Ticks) -> Self {
        Self { ticks: ticks.clone(), seen: ticks.now() }
    }

    fn is_over(&self) -> bool {
        self.ticks.now() != self.seen
    }

    fn begin(&mut self) {
        self.seen = self.ticks.now();
    }
}

/// Has a guest look in its loops and whenever a call returns to it.
pub(super) fn interrupt(store: &mut Store<State>) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        stop(&store)?;
        store.data_mut().turns.begin();
        Ok(UpdateDeadline::Yield(1))
    });
    store.call_hook_async(Look);
}

/// The error that ends a guest which was killed or has used up its CPU time.
fn stop(store: &StoreContextMut<'_, State>) -> wasmtime::Result<()> {
    match store.data().control.stop_reason() {
        Some(reason) => Err(wasmtime::Error::msg(reason)),
        None => Ok(()),
    }
}

struct Look;

impl CallHookHandler<State> for Look {
    // Written out, so that a look at which nothing has happened allocates nothing.
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
        // Only what runs the guest's code next: its own return and the beginning of a call are followed by one of these.
        let goes_on = matches!(event, CallHook::ReturningFromHost | CallHook::CallingWasm);
        if goes_on && store.data().turns.is_over() {
            Box::pin(make_way(store))
        } else {
            Box::pin(Nothing)
        }
    }
}

async fn make_way(mut store: StoreContextMut<'_, State>) -> wasmtime::Result<()> {
    stop(&store)?;
    Others { had_their_turn: false }.await;
    store.data_mut().turns.begin();
    // It has just made way, so it need not do so in the next loop as well.
    store.as_context_mut().set_epoch_deadline(1);
    Ok(())
}

/// Has no size, so that a box of it takes no memory.
struct Nothing;

impl Future for Nothing {
    type Output = wasmtime::Result<()>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(()))
    }
}

/// Goes to the end of the queue once.
struct Others {
    had_their_turn: bool,
}

impl Future for Others {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.had_their_turn {
            return Poll::Ready(());
        }
        self.had_their_turn = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
