//! Advances the engine's epoch while guests compute, and sleeps while none does.
//!
//! Compiled guests check the epoch in every loop and call. When it has passed their deadline, they leave their code for
//! a moment, in which fairness, CPU limits and kills take effect. A tick bounds how long a computing guest can keep a
//! worker. A kill does not wait for a tick: it advances the epoch itself.
//!
//! While every guest is idle, the thread is parked and nothing of ours wakes. A guest that starts to compute wakes the
//! thread only if it is parked. The thread parks after a whole tick in which no guest ran, so a busy exchange of short
//! messages does not pay for a wake-up per message.
//!
//! The thread can be stopped from outside, or starve. Then the [backup ticker](Ticker::backup_ticker), a task on
//! another thread, ticks in its place: limits on time and CPU time hold, and guests that share workers stay fair.

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

/// Interval at which a computing guest is interrupted. A shorter one costs throughput, a longer one costs other guests
/// latency.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// How late the thread may be before the backup ticker ticks: long enough for a busy machine.
const LATE: Duration = Duration::from_millis(100);

/// Advances at every tick.
pub(crate) trait Clock: Send + Sync + 'static {
    fn tick(&self);
}

/// A handle to the ticking thread, which ends when the last handle is dropped.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug, Default)]
struct Shared {
    /// Number of guests whose code is running now.
    computing: AtomicUsize,
    /// How often a guest started to compute. Distinguishes a quiet tick from a busy one.
    begun: AtomicU64,
    parked: AtomicBool,
    /// How often the thread has ticked.
    ticks: AtomicU64,
    /// Wakes the backup ticker when the thread was unparked, or when it must end.
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

    /// A guest starts to compute. Each call is followed by a call of [`leave`](Self::leave).
    pub(crate) fn enter(&self) {
        let shared = &*self.shared;
        shared.computing.fetch_add(1, Ordering::SeqCst);
        shared.begun.fetch_add(1, Ordering::Relaxed);
        // Sequentially consistent with the ticker's own store of `parked` and load of `computing`: at least one of the
        // two sees the other's store.
        if shared.parked.load(Ordering::SeqCst) && shared.parked.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
            shared.unparked.notify_one();
        }
    }

    /// A guest stops computing, or was abandoned.
    pub(crate) fn leave(&self) {
        self.shared.computing.fetch_sub(1, Ordering::SeqCst);
    }

    /// Ticks while the thread is late, until the handle is dropped. Spawn it where guests cannot prevent it from
    /// running.
    pub(crate) fn backup_ticker<C: Clock>(
        &self,
        clock: C,
    ) -> impl Future<Output = ()> + Send + use<C> {
        let shared = Arc::clone(&self.shared);
        async move { shared.back_up(&clock).await }
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
    async fn back_up(&self, clock: &impl Clock) {
        let mut warned = false;
        while !self.stop.load(Ordering::SeqCst) {
            let mut seen = self.ticks.load(Ordering::Relaxed);
            let mut pause = LATE;
            // Unparking the thread wakes this task, so it can sleep while the thread is parked.
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
        // The thread is parked now or soon. The next guest wakes it again.
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

    /// Blocks the ticker's own thread in its tick while the test holds the lock, and reports which thread ticks.
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
        let backup = tokio::spawn(ticker.backup_ticker(clock));
        // While no guest computes, the backup ticker has nothing to do, whether or not the thread is stopped.
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
            // The thread parks again, from where it can be stopped again.
            while !ticker.shared.parked.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
            while ticks.try_recv().is_ok() {}
        }
        drop(ticker);
        backup.await.expect("it ends");
    }
}
