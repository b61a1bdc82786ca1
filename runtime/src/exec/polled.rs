//! Polls a guest, with the ticker running and its CPU time counted.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use super::{control::Control, ticker::Ticker};

/// Shared by the guests of an engine: the ticker, and a count of kills that makes each guest yield.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    pub(crate) ticker: Arc<Ticker>,
    /// The number of kills of all guests.
    kills: Arc<AtomicU64>,
}

impl Turns {
    pub(crate) fn new(ticker: Ticker) -> Self {
        Self { ticker: Arc::new(ticker), kills: Arc::default() }
    }

    /// Makes every guest go to the end of the queue once. A killed guest waits in the same queue: behind fifty
    /// computing guests with a whole tick each, its end would come late.
    pub(crate) fn requeue_all(&self) {
        self.kills.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls a guest and contains panics of the host's functions.
pub(crate) struct Polled<'a, F> {
    guest: Pin<&'a mut F>,
    turns: &'a Turns,
    control: &'a Control,
    /// The kills for which this guest has yielded.
    seen: u64,
}

/// The host panicked while it served the guest.
pub(crate) struct HostPanic(pub(crate) String);

impl<'a, F> Polled<'a, F> {
    pub(crate) fn new(guest: Pin<&'a mut F>, turns: &'a Turns, control: &'a Control) -> Self {
        Self { guest, turns, control, seen: turns.kills.load(Ordering::Relaxed) }
    }
}

impl<F: Future> Future for Polled<'_, F> {
    type Output = Result<F::Output, HostPanic>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let kills = this.turns.kills.load(Ordering::Relaxed);
        if std::mem::replace(&mut this.seen, kills) != kills {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        this.turns.ticker.enter();
        this.control.begin();
        // The guest's state is dropped after a panic, so nobody sees it broken.
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| this.guest.as_mut().poll(cx)));
        if this.control.end() {
            this.turns.ticker.leave();
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
    use crate::exec::ticker::Clock;

    struct Nothing;
    impl Clock for Nothing {
        fn tick(&self) {}
    }

    #[test]
    fn a_panic_while_a_guest_is_served_ends_the_guest_only() {
        let turns = Turns::new(Ticker::start(Nothing).expect("a thread"));
        let control = Control::new(None);
        let guest = pin!(async {
            std::panic::panic_any("a fault of the host");
        });
        let mut polled = pin!(Polled::new(guest, &turns, &control));
        let mut cx = Context::from_waker(Waker::noop());
        match polled.as_mut().poll(&mut cx) {
            Poll::Ready(Err(HostPanic(text))) => assert_eq!(text, "a fault of the host"),
            _ => unreachable!("it panicked"),
        }
        assert!(!control.end(), "it is no longer counted as computing");
    }

    /// The panic unwinds through the guest's own frames and its stack.
    #[cfg(feature = "compiler")]
    #[test]
    fn a_host_function_that_panics_ends_its_guest_and_another_one_runs_on_the_same_engine() {
        use crate::compile::{DEFAULT_GUEST_STACK, Settings};

        let settings = Settings { guest_stack: DEFAULT_GUEST_STACK, target: None };
        let engine =
            settings.engine(wasmtime::InstanceAllocationStrategy::OnDemand).expect("an engine");
        let text = r#"(module (import "host" "fail" (func $fail (param i32)))
            (func (export "run") (param i32) (result i32)
              (call $fail (local.get 0)) (i32.add (local.get 0) (i32.const 40))))"#;
        let bytes = wat::parse_str(text).expect("it is well formed");
        let module = wasmtime::Module::new(&engine, bytes).expect("it compiles");
        let mut linker = wasmtime::Linker::new(&engine);
        let fail = |guest: i32| assert_ne!(guest, 1, "a fault of the host");
        linker.func_wrap("host", "fail", fail).expect("it is the only one");

        let turns = Turns::new(Ticker::start(Nothing).expect("a thread"));
        let run = |number: i32| {
            let mut store = wasmtime::Store::new(&engine, ());
            store.set_epoch_deadline(1);
            let guest = pin!(async {
                let instance = linker.instantiate_async(&mut store, &module).await?;
                let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
                run.call_async(&mut store, number).await
            });
            let control = Control::new(None);
            let mut polled = pin!(Polled::new(guest, &turns, &control));
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
    fn a_computing_guest_yields_once_for_each_kill() {
        let turns = Turns::new(Ticker::start(Nothing).expect("a thread"));
        let control = Control::new(None);
        let polls = AtomicU64::new(0);
        let guest = pin!(std::future::poll_fn(|_| {
            polls.fetch_add(1, Ordering::Relaxed);
            Poll::<()>::Pending
        }));
        let mut polled = pin!(Polled::new(guest, &turns, &control));
        let mut cx = Context::from_waker(Waker::noop());
        let mut polls_of_two = || {
            for _ in 0..2 {
                assert!(polled.as_mut().poll(&mut cx).is_pending());
            }
            polls.swap(0, Ordering::Relaxed)
        };
        assert_eq!(polls_of_two(), 2);
        turns.requeue_all();
        assert_eq!(polls_of_two(), 1, "one of them was left to others");
        assert_eq!(polls_of_two(), 2);
    }
}
