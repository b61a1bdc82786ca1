//! The threads guests run on. Not the app's: eight guests in endless loops must not delay an app command.
//!
//! A guest without directories is a task on a few shared workers: it costs no thread, and none of its calls
//! can block. A guest that holds directories makes file calls, which are ten to forty times faster made on the
//! spot than through a pool but can hang for ever (a FIFO, a dead network drive); so it gets a thread of its
//! own, where a hung call hurts nobody else.

mod workers;

use std::{
    future::Future,
    num::NonZero,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
    thread,
};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::oneshot,
};

use crate::{Error, Result, control::Control, ticker::Ticker};
use workers::Workers;

/// Most workers an engine starts by itself. Guests on them yield every tick, so more add little but memory.
const MAX_WORKERS: usize = 8;

/// Threads for the host's own standard streams, where a guest's are connected to them.
const MAX_BLOCKING: usize = 16;

/// Threads for the file calls of one guest that are not made on its own thread.
const MAX_GUEST_BLOCKING: usize = 2;

#[derive(Debug)]
pub(crate) struct Executor {
    workers: Workers,
    /// For timers and for what the host does itself. Its thread, on which it is dropped, ends when this is.
    _timer: oneshot::Sender<()>,
    handle: Handle,
}

/// A runtime that may be dropped anywhere: the plain one must not be where blocking is forbidden.
#[derive(Debug)]
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Where one guest's task goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// The workers, which all guests without directories share.
    Shared,
    /// A thread that is started for this guest.
    OwnThread,
}

impl Executor {
    pub(crate) fn new(workers: Option<NonZero<usize>>) -> Result<Self> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        // At least two, so that one guest's long host call does not stop all others on a small machine.
        let workers = workers.map_or(cores.clamp(2, MAX_WORKERS), NonZero::get);
        let failed = |error| Error::io("start the timer thread", error);
        // On a thread of ours, and without what it takes to wait for files: a runtime that starts its threads itself panics
        // when the system has no thread or no descriptor left.
        let runtime = Builder::new_current_thread()
            .enable_time()
            .max_blocking_threads(MAX_BLOCKING)
            .thread_name("wasi-sidecar-timer")
            .build()
            .map_err(failed)?;
        let handle = runtime.handle().clone();
        let runtime = Background(Some(runtime));
        let (timer, ended) = oneshot::channel();
        let run = move || {
            if let Some(runtime) = &runtime.0 {
                // The error is that the other end was dropped.
                let _ = runtime.block_on(ended);
            }
        };
        thread::Builder::new().name("wasi-sidecar-timer".into()).spawn(run).map_err(failed)?;
        let workers = Workers::start(workers, &handle)?;
        Ok(Self { workers, _timer: timer, handle })
    }

    /// For what the host does itself, and for what waits on the clock.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs a task of the host's beside the guests.
    pub(crate) fn run_shared(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.workers.run(task);
    }

    /// Runs a guest's task to its end.
    pub(crate) fn run(
        &self,
        place: Place,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        match place {
            Place::Shared => self.workers.run(task),
            Place::OwnThread => {
                let failed = |error| Error::io("start a thread for the guest", error);
                // A runtime of its own as well: some file calls go through its pool, and one that hangs there
                // is left behind with it.
                let runtime = Builder::new_current_thread()
                    .enable_time()
                    .max_blocking_threads(MAX_GUEST_BLOCKING)
                    .thread_name("wasi-sidecar-file")
                    .build()
                    .map_err(failed)?;
                // Dropped in the background also when no thread can be had for it.
                let runtime = Background(Some(runtime));
                let run = move || {
                    if let Some(runtime) = &runtime.0 {
                        runtime.block_on(task);
                    }
                };
                let thread = thread::Builder::new().name("wasi-sidecar-guest".into());
                thread.spawn(run).map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// Polls a guest: keeps the ticker going and the clock running while its code runs, and contains a panic of
/// the host's own functions.
pub(crate) struct Polled<'a, F> {
    pub(crate) guest: Pin<&'a mut F>,
    pub(crate) ticker: &'a Ticker,
    pub(crate) control: &'a Control,
    /// How many kills there have been, and how many of them this guest has made way for.
    pub(crate) kills: &'a AtomicU64,
    pub(crate) seen: u64,
}

/// The host panicked while it served the guest.
pub(crate) struct HostPanic(pub(crate) String);

impl<F: Future> Future for Polled<'_, F> {
    type Output = Result<F::Output, HostPanic>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // Whoever is killed waits in the same queue. With fifty computing guests before it, each for a whole tick, its
        // end would be long in coming; so everybody lets the queue go round once, which takes microseconds.
        let kills = this.kills.load(Ordering::Relaxed);
        if std::mem::replace(&mut this.seen, kills) != kills {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        this.ticker.enter();
        this.control.begin();
        // The guest's state is thrown away after a panic, so nothing broken is seen again.
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| this.guest.as_mut().poll(cx)));
        if this.control.end() {
            this.ticker.leave();
        }
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(HostPanic(panic_text(&*panic)))),
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Waker};

    use super::*;
    use crate::ticker::Clock;

    struct Nothing;
    impl Clock for Nothing {
        fn tick(&self) {}
    }

    #[test]
    fn a_panic_while_a_guest_is_served_ends_the_guest_only() {
        let ticker = Ticker::start(Nothing).expect("a thread");
        let control = Control::new(None);
        let guest = pin!(async {
            std::panic::panic_any("a fault of the host");
        });
        let kills = AtomicU64::new(0);
        let mut polled =
            pin!(Polled { guest, ticker: &ticker, control: &control, kills: &kills, seen: 0 });
        let mut cx = Context::from_waker(Waker::noop());
        match polled.as_mut().poll(&mut cx) {
            Poll::Ready(Err(HostPanic(text))) => assert_eq!(text, "a fault of the host"),
            _ => unreachable!("it panicked"),
        }
        assert!(!control.end(), "it is no longer counted as computing");
    }

    /// The panic goes through the guest's own frames and its stack.
    #[cfg(feature = "compiler")]
    #[test]
    fn a_host_function_that_panics_ends_its_guest_and_another_one_runs_on_the_same_engine() {
        use crate::compile::{DEFAULT_GUEST_STACK, Settings};

        let settings = Settings { guest_stack: DEFAULT_GUEST_STACK, target: None };
        let engine = settings.engine().expect("an engine");
        let text = r#"(module (import "host" "fail" (func $fail (param i32)))
            (func (export "run") (param i32) (result i32)
              (call $fail (local.get 0)) (i32.add (local.get 0) (i32.const 40))))"#;
        let bytes = wat::parse_str(text).expect("it is well formed");
        let module = wasmtime::Module::new(&engine, bytes).expect("it compiles");
        let mut linker = wasmtime::Linker::new(&engine);
        let fail = |guest: i32| assert_ne!(guest, 1, "a fault of the host");
        linker.func_wrap("host", "fail", fail).expect("it is the only one");

        let ticker = Ticker::start(Nothing).expect("a thread");
        let run = |number: i32| {
            let mut store = wasmtime::Store::new(&engine, ());
            store.set_epoch_deadline(1);
            let guest = pin!(async {
                let instance = linker.instantiate_async(&mut store, &module).await?;
                let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
                run.call_async(&mut store, number).await
            });
            let (control, kills) = (Control::new(None), AtomicU64::new(0));
            let mut polled =
                pin!(Polled { guest, ticker: &ticker, control: &control, kills: &kills, seen: 0 });
            match polled.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(ended) => ended.map(|ended| ended.expect("it does not trap")),
                Poll::Pending => unreachable!("it waits for nothing"),
            }
        };
        for _ in 0..3 {
            let Err(HostPanic(text)) = run(1) else { unreachable!("it panicked") };
            assert!(text.contains("a fault of the host"), "{text}");
            assert!(matches!(run(2), Ok(42)), "another guest is not touched by it");
        }
    }

    #[test]
    fn a_computing_guest_makes_way_once_for_each_kill() {
        let ticker = Ticker::start(Nothing).expect("a thread");
        let control = Control::new(None);
        let (kills, turns) = (AtomicU64::new(0), AtomicU64::new(0));
        let guest = pin!(std::future::poll_fn(|_| {
            turns.fetch_add(1, Ordering::Relaxed);
            Poll::<()>::Pending
        }));
        let mut polled =
            pin!(Polled { guest, ticker: &ticker, control: &control, kills: &kills, seen: 0 });
        let mut cx = Context::from_waker(Waker::noop());
        let mut turns_after_two_polls = || {
            for _ in 0..2 {
                assert!(polled.as_mut().poll(&mut cx).is_pending());
            }
            turns.swap(0, Ordering::Relaxed)
        };
        assert_eq!(turns_after_two_polls(), 2);
        kills.fetch_add(1, Ordering::Relaxed);
        assert_eq!(turns_after_two_polls(), 1, "one of them was left to others");
        assert_eq!(turns_after_two_polls(), 2);
    }
}
