//! The worker threads that guests without directories share.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use async_task::Runnable;
use tokio::{runtime::Handle, task::coop};

use super::queue::Queue;
use crate::{Error, Result};

/// A handle to the threads, which end when it is dropped.
#[derive(Debug)]
pub(super) struct Workers(Arc<Queue>);

impl Workers {
    /// Starts `count` threads. Their tasks use the timers of `runtime`.
    pub(super) fn start(count: usize, runtime: &Handle) -> Result<Self> {
        let workers = Self(Arc::default());
        for _ in 0..count {
            let (queue, runtime) = (Arc::clone(&workers.0), runtime.clone());
            let work = move || {
                while let Some(task) = queue.pop() {
                    poll(&runtime, task);
                }
            };
            thread::Builder::new()
                .name("wasi-sidecar-worker".into())
                .spawn(work)
                // On an error, dropping `workers` ends the threads that were started.
                .map_err(|error| Error::io("start the worker threads", error))?;
        }
        Ok(workers)
    }

    /// Runs a task to its end.
    pub(super) fn run(&self, task: impl Future<Output = ()> + Send + 'static) {
        let queue = Arc::clone(&self.0);
        // Otherwise a poll would run on the cooperative budget that another task left over.
        let task = coop::unconstrained(task);
        let (runnable, task) = async_task::spawn(task, move |task| queue.push(task));
        task.detach();
        runnable.schedule();
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Polls a task once.
fn poll(runtime: &Handle, task: Runnable) {
    let _in_runtime = runtime.enter();
    // A panic inside a guest ends the guest before it gets here. Any other panic must not end a thread that all guests
    // share.
    if catch_unwind(AssertUnwindSafe(|| task.run())).is_err() {
        tracing::error!("a task of the engine panicked; please report this");
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
    fn every_task_runs_while_threads_sleep_and_spin() {
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
        let queue = Arc::downgrade(&workers.0);
        drop(workers);
        while queue.strong_count() > 0 {
            thread::yield_now();
        }
    }
}
