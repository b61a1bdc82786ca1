//! Moves the engine's epoch on while guests compute, and sleeps while none does.
//!
//! Compiled guests look at the epoch at every loop and call; when it has moved past their deadline they leave
//! their code for a moment, which is where fairness, CPU limits and kills happen. The tick is what bounds how
//! long a computing guest can keep a worker; a kill does not wait for it (it moves the epoch itself).
//!
//! With every guest idle the thread is parked and nothing of ours wakes. A guest that starts to compute wakes
//! it only if it is parked, so a busy exchange of short messages does not pay for a wake-up per message: the
//! thread parks after a whole tick without any guest having run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use crate::{Error, Result};

/// How often a computing guest is interrupted. Shorter costs throughput, longer costs the others latency.
pub(crate) const TICK: Duration = Duration::from_millis(5);

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
        }
    }

    /// It stops for now, or has been given up.
    pub(crate) fn leave(&self) {
        self.shared.computing.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.thread.unpark();
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
            }
            shared.parked.store(false, Ordering::SeqCst);
        }
        seen = begun;
        thread::sleep(TICK);
        clock.tick();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    struct Count(mpsc::Sender<()>);
    impl Clock for Count {
        fn tick(&self) {
            let _ = self.0.send(());
        }
    }

    #[test]
    fn it_ticks_while_a_guest_computes_and_ends_with_its_handle() {
        let (sender, ticks) = mpsc::channel();
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
}
