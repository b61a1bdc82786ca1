//! What the host and a running guest share: the wish to end it, and what it has used.

use std::{
    pin::pin,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::exit::{Limit, Termination};

/// Shared by a child's handle and the task that runs the guest.
#[derive(Debug)]
pub(crate) struct Control {
    killed: AtomicBool,
    kill: Notify,
    /// Whether a stretch of computing is counted by the ticker.
    computing: AtomicBool,
    /// Nanoseconds of computing in finished stretches.
    busy: AtomicU64,
    /// Start of the stretch that runs now, in nanoseconds after `born`; 0 if none runs.
    since: AtomicU64,
    born: Instant,
    cpu_limit: Option<Duration>,
    memory: AtomicU64,
    memory_peak: AtomicU64,
    /// The first limit that refused the guest something.
    refused: OnceLock<Limit>,
}

/// What a child has used so far.
///
/// ```
/// # async fn show(child: &wasi_sidecar::Child) {
/// if let Some(usage) = child.usage() {
///     println!("{:?} computing, {} KiB", usage.cpu_time, usage.memory_peak >> 10);
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Time spent computing, in the guest's code and in calls it makes. Measured on the clock, so on a
    /// crowded machine it is an upper bound.
    pub cpu_time: Duration,
    /// Bytes of linear memory held now; 0 after the end.
    pub memory: u64,
    /// The most it held at once.
    pub memory_peak: u64,
    /// The first limit that refused it more of something while it ran on, such as memory it wanted to grow by or one more open
    /// file. A program that ends with an error of its own for that reason may not say so.
    pub refused: Option<Limit>,
}

impl Control {
    pub(crate) fn new(cpu_limit: Option<Duration>) -> Self {
        Self {
            killed: AtomicBool::new(false),
            kill: Notify::new(),
            computing: AtomicBool::new(false),
            busy: AtomicU64::new(0),
            since: AtomicU64::new(0),
            born: Instant::now(),
            cpu_limit,
            memory: AtomicU64::new(0),
            memory_peak: AtomicU64::new(0),
            refused: OnceLock::new(),
        }
    }

    /// Asks for the end. The caller also moves the epoch, so that computing code notices at once.
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::Release);
        self.kill.notify_waiters();
    }

    /// Waits until the end was asked for. Any number of tasks may wait.
    pub(crate) async fn killed(&self) {
        loop {
            let mut notified = pin!(self.kill.notified());
            // Registered before the flag is looked at, so that a kill in between is not missed.
            notified.as_mut().enable();
            if self.killed.load(Ordering::Acquire) {
                return;
            }
            notified.await;
        }
    }

    /// Why code that is running should stop, if it should. Asked at every tick.
    pub(crate) fn stop_reason(&self) -> Option<Termination> {
        if self.killed.load(Ordering::Acquire) {
            return Some(Termination::Killed);
        }
        let limit = self.cpu_limit?;
        (self.cpu_time() >= limit).then_some(Termination::OutOf(Limit::CpuTime))
    }

    /// A stretch of computing begins.
    pub(crate) fn begin(&self) {
        self.computing.store(true, Ordering::Release);
        self.since.store(self.now().max(1), Ordering::Relaxed);
    }

    /// It ends, or the guest is given up in the middle of it. Whether this call was the one that ended it.
    pub(crate) fn end(&self) -> bool {
        let since = self.since.swap(0, Ordering::Relaxed);
        if since != 0 {
            self.busy.fetch_add(self.now().saturating_sub(since), Ordering::Relaxed);
        }
        self.computing.swap(false, Ordering::AcqRel)
    }

    fn cpu_time(&self) -> Duration {
        let since = self.since.load(Ordering::Relaxed);
        let running = if since == 0 { 0 } else { self.now().saturating_sub(since) };
        Duration::from_nanos(self.busy.load(Ordering::Relaxed) + running)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(crate) fn set_memory(&self, bytes: u64) {
        self.memory.store(bytes, Ordering::Relaxed);
        self.memory_peak.fetch_max(bytes, Ordering::Relaxed);
    }

    /// Notes that a limit refused the guest something, which may be all that is ever heard of it.
    pub(crate) fn note_refused(&self, limit: Limit) {
        // The error is that another came first.
        let _ = self.refused.set(limit);
    }

    /// The limit that was noted first.
    pub(crate) fn refused(&self) -> Option<Limit> {
        self.refused.get().copied()
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            cpu_time: self.cpu_time(),
            memory: self.memory.load(Ordering::Relaxed),
            memory_peak: self.memory_peak.load(Ordering::Relaxed),
            refused: self.refused(),
        }
    }
}
