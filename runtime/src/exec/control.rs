//! State shared by the host and a running guest: the kill flag and the usage counters.

use std::{
    pin::pin,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::{Limit, Termination};

/// Shared by a child's handles and the task that runs the guest.
#[derive(Debug)]
pub(crate) struct Control {
    killed: AtomicBool,
    kill: Notify,
    /// Whether the ticker counts a stretch of computing.
    computing: AtomicBool,
    /// Nanoseconds of finished stretches of computing.
    busy: AtomicU64,
    /// Start of the current stretch, in nanoseconds after `born`; 0 if the guest is not computing.
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
    /// Time spent computing, in the guest's code and in its calls to the host. Measured as elapsed time, so on a busy
    /// machine it is an upper bound.
    pub cpu_time: Duration,
    /// Bytes of linear memory held now; 0 after the end.
    pub memory: u64,
    /// The most bytes of linear memory held at once.
    pub memory_peak: u64,
    /// The first limit that refused the guest something while it ran on, such as more memory or one more open file. A
    /// program that then fails may not report the reason.
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

    /// Sets the kill flag. The caller also moves the epoch, so that computing code notices at once.
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::Release);
        self.kill.notify_waiters();
    }

    /// Waits for a kill. Any number of tasks may wait.
    pub(crate) async fn killed(&self) {
        loop {
            let mut notified = pin!(self.kill.notified());
            // Registers before checking the flag, so that a kill in between is not missed.
            notified.as_mut().enable();
            if self.killed.load(Ordering::Acquire) {
                return;
            }
            notified.await;
        }
    }

    /// Why running code must stop, if it must. Called at every tick.
    pub(crate) fn stop_reason(&self) -> Option<Termination> {
        if self.killed.load(Ordering::Acquire) {
            return Some(Termination::Killed);
        }
        let limit = self.cpu_limit?;
        (self.cpu_time() >= limit).then_some(Termination::OutOf(Limit::CpuTime))
    }

    /// Starts a stretch of computing.
    pub(crate) fn begin(&self) {
        self.computing.store(true, Ordering::Release);
        self.since.store(self.now().max(1), Ordering::Relaxed);
    }

    /// Ends the stretch, or abandons it with the guest. Returns whether this call ended it.
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

    /// Records that a limit refused the guest something, which the guest may never report.
    pub(crate) fn note_refused(&self, limit: Limit) {
        // An error means that another limit came first.
        let _ = self.refused.set(limit);
    }

    /// The limit that was recorded first.
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
