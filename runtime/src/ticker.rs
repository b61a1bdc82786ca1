//! Moves the engine's epoch on while guests compute, and sleeps while none does.
//!
//! Compiled guests look at the epoch at every loop and call; when it has moved past their deadline they leave
//! their code for a moment, which is where fairness, CPU limits and kills happen. The tick is what bounds how
//! long a computing guest can keep a worker; a kill does not wait for it (it moves the epoch itself).
//!
//! With every guest idle the thread is parked and nothing of ours wakes. A guest that starts to compute wakes
//! it only if it is parked, so a busy exchange of short messages does not pay for a wake-up per message: the
//! thread parks after a whole tick without any guest having run.
//!
//! A thread can be stopped from outside, or starved. Then a task on another one, the [deputy](Ticker::deputy), ticks until the
//! thread does so again: limits on time and CPU time hold, and guests that share workers get their turns.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use tokio::{sync::Notify, time};

use crate::{Error, Result};

/// How often a computing guest is interrupted. Shorter costs throughput, longer costs the others latency.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// How long the thread may be late before another one ticks in its place: long enough for a busy machine.
const LATE: Duration = Duration::from_millis(100);

/// What is moved on at every tick.
pub(crate) trait Clock: Send + Sync + 'static {
    fn tick(&self);
}

/// Handle to the ticking thread; the thread ends when the last handle is dropped.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug, Default)]
struct Shared {
    /// Guests whose code is running at this moment.
    computing: AtomicUsize,
    /// How often a guest has begun to run; tells a quiet tick from a busy one.
    begun: AtomicU64,
    parked: AtomicBool,
    /// How often the thread has ticked.
    ticks: AtomicU64,
    /// Wakes the deputy: the thread has been unparked, or all is over.
    unparked: Notify,
    stop: AtomicBool,
}

impl Ticker {
    pub(crate) fn start(clock: impl Clock) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = thread::Builder::new()
            .name("wasi-sidecar-ticker".into())
            .spawn({
                let shared = Arc::clone(&shared);
                move || run(&shared, &clock)
            })
            .map_err(|error| Error::io("start the ticker thread", error))?
            .thread()
            .clone();
        Ok(Self { shared, thread })
    }

    /// A guest begins to run its code. Each call is followed by one of [`leave`](Self::leave).
    pub(crate) fn enter(&self) {
        let shared = &*self.shared;
        shared.computing.fetch_add(1, Ordering::SeqCst);
        shared.begun.fetch_add(1, Ordering::Relaxed);
        // Sequentially consistent with the ticker's own store of `parked` and load of `computing`: one of
        // the two sees the other.
        if shared.parked.load(Ordering::SeqCst) && shared.parked.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
            shared.unparked.notify_one();
        }
    }

    /// It stops for now, or has been given up.
    pub(crate) fn leave(&self) {
        self.shared.computing.fetch_sub(1, Ordering::SeqCst);
    }

    /// Ticks when the thread is late, until the handle is dropped. For an executor that guests cannot keep busy.
    pub(crate) fn deputy<C: Clock>(&self, clock: C) -> impl Future<Output = ()> + Send + use<C> {
        let shared = Arc::clone(&self.shared);
        async move { shared.stand_in(&clock).await }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.thread.unpark();
        self.shared.unparked.notify_one();
    }
}

impl Shared {
    async fn stand_in(&self, clock: &impl Clock) {
        let mut warned = false;
        while !self.stop.load(Ordering::SeqCst) {
            let mut seen = self.ticks.load(Ordering::Relaxed);
            let mut pause = LATE;
            // Whoever ends a park wakes this task, so it can sleep while the thread is parked.
            while !self.parked.load(Ordering::SeqCst) && !self.stop.load(Ordering::SeqCst) {
                time::sleep(pause).await;
                let ticks = self.ticks.load(Ordering::Relaxed);
                let is_late = std::mem::replace(&mut seen, ticks) == ticks;
                pause = if is_late { TICK } else { LATE };
                if !is_late || self.computing.load(Ordering::SeqCst) == 0 {
                    continue;
                }
                if !std::mem::replace(&mut warned, true) {
                    tracing::warn!(
                        "the thread that interrupts computing guests does not run; another stands in for it"
                    );
                }
                clock.tick();
            }
            self.unparked.notified().await;
        }
    }
}

fn run(shared: &Shared, clock: &impl Clock) {
    let mut seen = shared.begun.load(Ordering::Relaxed);
    while !shared.stop.load(Ordering::SeqCst) {
        let begun = shared.begun.load(Ordering::Relaxed);
        if shared.computing.load(Ordering::SeqCst) == 0 && begun == seen {
            shared.parked.store(true, Ordering::SeqCst);
            if shared.computing.load(Ordering::SeqCst) == 0 {
                while shared.parked.load(Ordering::SeqCst) && !shared.stop.load(Ordering::SeqCst) {
                    thread::park();
                }
            } else {
                shared.unparked.notify_one();
            }
            shared.parked.store(false, Ordering::SeqCst);
        }
        seen = begun;
        thread::sleep(TICK);
        shared.ticks.fetch_add(1, Ordering::Relaxed);
        clock.tick();
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::{Mutex, mpsc};

    use super::*;

    struct Count(std::sync::mpsc::Sender<()>);
    impl Clock for Count {
        fn tick(&self) {
            let _ = self.0.send(());
        }
    }

    #[test]
    fn it_ticks_while_a_guest_computes_and_ends_with_its_handle() {
        let (sender, ticks) = std::sync::mpsc::channel();
        let ticker = Ticker::start(Count(sender)).expect("a thread");
        ticker.enter();
        for _ in 0..3 {
            ticks.recv().expect("it ticks");
        }
        ticker.leave();
        // Parked now or soon; the next guest wakes it again.
        while !ticker.shared.parked.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        while ticks.try_recv().is_ok() {}
        ticker.enter();
        ticks.recv().expect("it ticks again");
        ticker.leave();
        drop(ticker);
        while ticks.recv().is_ok() {}
    }

    /// Holds the ticker's own thread in its tick for as long as the test holds the lock, and tells who ticks.
    #[derive(Clone)]
    struct Stopped(Arc<Mutex<()>>, mpsc::UnboundedSender<bool>);
    impl Clock for Stopped {
        fn tick(&self) {
            let is_own = thread::current().name() == Some("wasi-sidecar-ticker");
            if is_own {
                drop(self.0.blocking_lock());
            }
            let _ = self.1.send(is_own);
        }
    }

    #[tokio::test]
    async fn another_thread_ticks_while_its_own_is_stopped() {
        let (sender, mut ticks) = mpsc::unbounded_channel();
        let clock = Stopped(Arc::default(), sender);
        let lock = Arc::clone(&clock.0);
        let ticker = Ticker::start(clock.clone()).expect("a thread");
        let deputy = tokio::spawn(ticker.deputy(clock));
        // While nobody computes there is nothing to stand in for, stopped or not.
        while !ticker.shared.parked.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        for _ in 0..2 {
            let held = lock.lock().await;
            ticker.enter();
            for _ in 0..3 {
                assert_eq!(ticks.recv().await, Some(false), "its own thread is stopped");
            }
            drop(held);
            while ticks.recv().await == Some(false) {}
            ticker.leave();
            // It parks again, from where it can be stopped again.
            while !ticker.shared.parked.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
            while ticks.try_recv().is_ok() {}
        }
        drop(ticker);
        deputy.await.expect("it ends");
    }
}
