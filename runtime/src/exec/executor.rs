//! The threads that guests run on, apart from the app's: eight endless loops must not delay an app command.
//!
//! A guest without directories is a task on a few shared workers: it needs no thread, and none of its calls can block.
//! A guest with directories makes file calls. On its own thread they are ten to forty times faster than through a pool,
//! but they can hang for ever (a FIFO, a dead network drive). So such a guest gets a thread of its own, where a hanging
//! call affects nobody else.
//!
//! A guest with network rules has a thread of its own as well. Waiting for sockets takes descriptors of the host, and only the thread
//! of such a guest has them.

use std::{
    future::Future,
    io,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::oneshot,
};

use super::workers::Workers;
use crate::{Error, Result};

/// Default for the most workers. Guests yield at every tick, so more workers add little but memory.
const MAX_WORKERS: usize = 8;

/// Most threads for the host's own standard streams that guests inherit.
const MAX_BLOCKING: usize = 16;

/// Most threads for the file calls of one guest that do not run on its own thread.
const MAX_GUEST_BLOCKING: usize = 2;

/// Pairs of descriptors that have to be free before a runtime for sockets is made, which takes six: a queue of events, a second
/// one of it, what wakes it, and three for signals.
#[cfg(unix)]
const SPARE_PAIRS: usize = 4;

#[derive(Debug)]
pub(crate) struct Executor {
    workers: Workers,
    /// Ends the timer thread, which owns the runtime, when it is dropped.
    _timer: oneshot::Sender<()>,
    handle: Handle,
}

/// A runtime that can be dropped anywhere. A plain one panics when it is dropped where blocking is forbidden.
#[derive(Debug)]
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The threads that run a guest.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Affinity {
    /// The workers that all guests without directories and network share.
    Shared,
    /// A thread that is started for this guest.
    OwnThread {
        /// Whether it may wait for sockets.
        sockets: bool,
    },
}

/// A runtime that can wait for sockets. The first one of a process also sets up signals, which panics when there is no descriptor
/// left, and for all later ones as well; so there have to be some.
fn with_sockets(mut builder: Builder) -> io::Result<Runtime> {
    #[cfg(unix)]
    {
        use std::os::unix::net::UnixStream;

        let spare: io::Result<Vec<_>> = (0..SPARE_PAIRS).map(|_| UnixStream::pair()).collect();
        drop(spare?);
    }
    let build = AssertUnwindSafe(|| builder.enable_io().build());
    catch_unwind(build)
        .unwrap_or_else(|_| Err(io::Error::other("waiting for sockets cannot be set up")))
}

impl Executor {
    pub(crate) fn new(workers: Option<NonZero<usize>>) -> Result<Self> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        // At least two, so that a long host call of one guest does not stop all others on a small machine.
        let workers = workers.map_or(cores.clamp(2, MAX_WORKERS), NonZero::get);
        let failed = |error| Error::io("start the timer thread", error);
        // Runs on our own thread and without I/O: a runtime that starts threads panics when the system has no threads
        // or descriptors left.
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
                // An error means that the other end was dropped.
                let _ = runtime.block_on(ended);
            }
        };
        thread::Builder::new().name("wasi-sidecar-timer".into()).spawn(run).map_err(failed)?;
        let workers = Workers::start(workers, &handle)?;
        Ok(Self { workers, _timer: timer, handle })
    }

    /// The runtime for the host's own tasks and for timers.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs a task of the host on the guests' workers.
    pub(crate) fn run_shared(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.workers.run(task);
    }

    /// Runs a guest's task to its end.
    pub(crate) fn run(
        &self,
        affinity: Affinity,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        match affinity {
            Affinity::Shared => self.workers.run(task),
            Affinity::OwnThread { sockets } => {
                let failed = |error| Error::io("start a thread for the guest", error);
                // A runtime of its own as well: some file calls go through its pool, and one that hangs there
                // is left behind with it.
                let mut builder = Builder::new_current_thread();
                builder
                    .enable_time()
                    .max_blocking_threads(MAX_GUEST_BLOCKING)
                    .thread_name("wasi-sidecar-file");
                let runtime = if sockets { with_sockets(builder) } else { builder.build() };
                let runtime = runtime.map_err(failed)?;
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
