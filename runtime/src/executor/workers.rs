//! The threads that guests without directories share.
//!
//! A queue and a few threads, and no more: guests are few, each is polled for at most a tick at a time, and what comes back
//! goes to the end of the queue, so all of them get their turn. What is worth care is how a thread waits. Host and guest hand
//! bytes to each other in microseconds, and waking a thread that sleeps takes longer than that; so the thread that finds
//! the queue empty looks again for a moment before it sleeps. One does so at a time, and whoever puts something into the
//! queue meanwhile does not have to wake anybody.

use std::{
    collections::VecDeque,
    hint,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use async_task::Runnable;
use tokio::{runtime::Handle, task::coop};

use crate::{Error, Result};

/// How long a thread looks for more before it sleeps: a little longer than the other side of an exchange takes to answer, and
/// short against what a wake-up costs a battery.
const LOOK: Duration = Duration::from_micros(50);

/// Looks between two looks at the clock.
const LOOKS: u32 = 32;

/// A handle to the threads. They end when it is dropped.
#[derive(Debug)]
pub(super) struct Workers(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    /// Whose timers tasks use, wherever they run.
    runtime: Handle,
    queue: Mutex<Queue>,
    /// Tasks in the queue, to be looked at without its lock.
    length: AtomicUsize,
    /// A thread is looking for more.
    looking: AtomicBool,
    /// Whether to look at all: with one processor it only keeps others from running.
    may_look: bool,
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    tasks: VecDeque<Runnable>,
    /// Threads that sleep. The one that fell asleep last is woken first: its caches are warm.
    asleep: Vec<Thread>,
}

impl Workers {
    /// Starts `count` threads, on which the timers of `runtime` can be used.
    pub(super) fn start(count: usize, runtime: &Handle) -> Result<Self> {
        let shared = Arc::new(Shared {
            runtime: runtime.clone(),
            queue: Mutex::default(),
            length: AtomicUsize::new(0),
            looking: AtomicBool::new(false),
            may_look: thread::available_parallelism().is_ok_and(|cores| cores.get() > 1),
            stop: AtomicBool::new(false),
        });
        let workers = Self(Arc::clone(&shared));
        for _ in 0..count {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name("wasi-sidecar-worker".into())
                .spawn(move || shared.work())
                // Those that were started end with `workers`.
                .map_err(|error| Error::io("start the worker threads", error))?;
        }
        Ok(workers)
    }

    /// Runs a task to its end.
    pub(super) fn run(&self, task: impl Future<Output = ()> + Send + 'static) {
        let shared = Arc::clone(&self.0);
        // Wherever it is polled, it has a turn of its own and not what is left of another's.
        let task = coop::unconstrained(task);
        let (runnable, task) = async_task::spawn(task, move |task| shared.enqueue(task));
        task.detach();
        runnable.schedule();
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
        let asleep = std::mem::take(&mut self.0.queue().asleep);
        asleep.iter().for_each(Thread::unpark);
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it holds the lock; if it did, the queue is still good.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a task that was started or woken.
    fn enqueue(&self, task: Runnable) {
        let mut queue = self.queue();
        queue.tasks.push_back(task);
        // Sequentially consistent with a looking thread's own store of `looking` and load of `length`: one of the two sees
        // the other.
        self.length.store(queue.tasks.len(), Ordering::SeqCst);
        let woken = if self.looking.load(Ordering::SeqCst) { None } else { queue.asleep.pop() };
        drop(queue);
        if let Some(thread) = woken {
            thread.unpark();
        }
    }

    fn work(&self) {
        while let Some(task) = self.next() {
            self.run(task);
        }
    }

    /// Polls a task once.
    fn run(&self, task: Runnable) {
        let _in_runtime = self.runtime.enter();
        // A guest's own panics end the guest, before they come here. Whatever else might panic does not take a thread
        // away from all others.
        let run = catch_unwind(AssertUnwindSafe(|| task.run()));
        if run.is_err() {
            tracing::error!("a task of the engine panicked; please report this");
        }
    }

    /// The next task; `None` when the threads are to end.
    fn next(&self) -> Option<Runnable> {
        loop {
            let mut queue = self.queue();
            if let Some(task) = queue.tasks.pop_front() {
                self.length.store(queue.tasks.len(), Ordering::SeqCst);
                // Tasks that came while one thread looked did not wake another.
                let woken = if queue.tasks.is_empty() || self.looking.load(Ordering::SeqCst) {
                    None
                } else {
                    queue.asleep.pop()
                };
                drop(queue);
                if let Some(thread) = woken {
                    thread.unpark();
                }
                return Some(task);
            }
            if self.stop.load(Ordering::SeqCst) {
                return None;
            }
            if self.may_look && !self.looking.swap(true, Ordering::SeqCst) {
                drop(queue);
                self.look();
                self.looking.store(false, Ordering::SeqCst);
                // What came between the last look and now was put there by somebody who relied on this thread.
                queue = self.queue();
            }
            if queue.tasks.is_empty() && !self.stop.load(Ordering::SeqCst) {
                queue.asleep.push(thread::current());
                drop(queue);
                // Woken for nothing, it only looks again; and then it must not be in the list twice.
                thread::park();
                let this = thread::current().id();
                self.queue().asleep.retain(|thread| thread.id() != this);
            }
        }
    }

    /// Waits a moment for a task to come.
    fn look(&self) {
        let begin = Instant::now();
        while begin.elapsed() < LOOK {
            for _ in 0..LOOKS {
                if self.length.load(Ordering::SeqCst) > 0 {
                    return;
                }
                hint::spin_loop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn workers(count: usize) -> (tokio::runtime::Runtime, Workers) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let workers = Workers::start(count, runtime.handle()).expect("threads");
        (runtime, workers)
    }

    #[test]
    fn all_tasks_run_whoever_sleeps_and_looks() {
        let (_runtime, workers) = workers(3);
        for round in 0..200 {
            let (sender, done) = mpsc::channel();
            for task in 0..50 {
                let sender = sender.clone();
                workers.run(async move {
                    for _ in 0..task % 4 {
                        tokio::task::yield_now().await;
                    }
                    let _ = sender.send(());
                });
            }
            drop(sender);
            assert_eq!(done.iter().count(), 50, "round {round}");
        }
    }

    #[test]
    fn a_task_that_panics_takes_no_thread_with_it() {
        let (_runtime, workers) = workers(1);
        workers.run(async { std::panic::panic_any("a fault") });
        let (sender, done) = mpsc::channel();
        workers.run(async move {
            let _ = sender.send(());
        });
        assert_eq!(done.recv(), Ok(()));
    }

    #[test]
    fn threads_end_with_their_handle() {
        let (_runtime, workers) = workers(2);
        let shared = Arc::downgrade(&workers.0);
        drop(workers);
        while shared.strong_count() > 0 {
            thread::yield_now();
        }
    }
}
