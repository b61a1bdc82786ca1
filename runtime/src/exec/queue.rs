//! The task queue that the workers share.
//!
//! Guests are few, and each is polled for at most a tick at a time. A requeued task goes to the end, so every guest is
//! polled in turn. Host and guest exchange bytes in microseconds, which is less than waking a sleeping thread takes. So
//! the thread that finds the queue empty spins for a moment before it sleeps. Only one thread spins at a time, and a
//! task that is queued meanwhile wakes no other.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use async_task::Runnable;

use super::spin;

/// How long a thread spins before it sleeps: a little longer than the other side takes to answer, and little compared
/// with what a wake-up costs a battery.
const SPIN: Duration = Duration::from_micros(50);

/// The waiting tasks, and the threads that wait for one.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// The number of queued tasks, readable without the lock.
    length: AtomicUsize,
    /// Whether a thread spins.
    spinning: AtomicBool,
    closed: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    tasks: VecDeque<Runnable>,
    /// Sleeping threads. The last to fall asleep is woken first: its caches are warm.
    asleep: Vec<Thread>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock. If it did, the queue would still be valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a task to the end.
    pub(super) fn push(&self, task: Runnable) {
        let mut state = self.lock();
        state.tasks.push_back(task);
        // Sequentially consistent with a spinning thread's own store of `spinning` and load of `length`: at least one
        // of the two sees the other's store.
        self.length.store(state.tasks.len(), Ordering::SeqCst);
        let woken = if self.spinning.load(Ordering::SeqCst) { None } else { state.asleep.pop() };
        drop(state);
        if let Some(thread) = woken {
            thread.unpark();
        }
    }

    /// Waits for the next task. `None` when the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<Runnable> {
        loop {
            let mut state = self.lock();
            if let Some(task) = state.tasks.pop_front() {
                self.length.store(state.tasks.len(), Ordering::SeqCst);
                // Tasks that were queued while one thread spun did not wake another.
                let woken = if state.tasks.is_empty() || self.spinning.load(Ordering::SeqCst) {
                    None
                } else {
                    state.asleep.pop()
                };
                drop(state);
                if let Some(thread) = woken {
                    thread.unpark();
                }
                return Some(task);
            }
            if self.closed.load(Ordering::SeqCst) {
                return None;
            }
            if spin::pays_off() && !self.spinning.swap(true, Ordering::SeqCst) {
                drop(state);
                spin::spin_until(SPIN, || self.length.load(Ordering::SeqCst) > 0);
                self.spinning.store(false, Ordering::SeqCst);
                // A task queued after the last check relied on this thread to take it.
                state = self.lock();
            }
            if state.tasks.is_empty() && !self.closed.load(Ordering::SeqCst) {
                state.asleep.push(thread::current());
                drop(state);
                thread::park();
                // After a spurious wake-up, this thread must not be in the list twice.
                let this = thread::current().id();
                self.lock().asleep.retain(|thread| thread.id() != this);
            }
        }
    }

    /// Ends the threads that wait for a task.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let asleep = std::mem::take(&mut self.lock().asleep);
        asleep.iter().for_each(Thread::unpark);
    }
}
