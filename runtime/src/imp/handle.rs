//! What a backend is given and what it hands back: a child without its streams' ends.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::sync::watch;

use crate::{
    Backend, Capabilities, Engine, Error, ErrorKind, ExitStatus, Limits, Result, Usage,
    control::Control,
    engine::AdmissionWatch,
    stdio::Target,
    streams::{ChildStderr, ChildStdin, ChildStdout},
};

/// Names a child, whichever backend runs it. Unique as long as the process lives.
///
/// It is never an operating system's process id: those are below `0x8000_0000`, these above, so that nobody
/// sends a signal to a stranger by mistake. For the system's own see [`Child::os_id`](crate::Child::os_id).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildId(u32);

impl ChildId {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed) | 0x8000_0000)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChildId({:#x})", self.0)
    }
}

/// A command, checked and ready to run.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) args: Vec<std::ffi::OsString>,
    pub(crate) env: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    pub(crate) inherit_env: bool,
    pub(crate) current_dir: Option<std::path::PathBuf>,
    pub(crate) stdin: Target,
    pub(crate) stdout: Target,
    pub(crate) stderr: Target,
    pub(crate) capabilities: Capabilities,
    pub(crate) limits: Limits,
    pub(crate) kill_on_drop: bool,
}

/// What a backend hands back.
#[derive(Debug)]
pub(crate) struct Spawned {
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
    pub(crate) process: Process,
}

/// How a child ended: once, and for everybody who asks.
pub(crate) type Outcome = Result<ExitStatus>;

/// A running child, as far as ending it and learning of its end go.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) backend: Backend,
    pub(crate) os_id: Option<u32>,
    pub(super) control: Arc<Control>,
    pub(super) outcome: watch::Receiver<Option<Outcome>>,
    /// The engine whose guests look up when a kill is asked for.
    pub(super) engine: Option<Engine>,
    /// A guest's place among those that run, which it can hold for longer than it has an outcome.
    pub(super) admission: Option<AdmissionWatch>,
}

impl Process {
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// What it has used so far; `None` for a native child, which the system accounts for.
    pub(crate) fn usage(&self) -> Option<Usage> {
        (self.backend == Backend::Component).then(|| self.control.usage())
    }

    /// Asks for the end; returns at once. Nothing happens if it has ended.
    pub(crate) fn kill(&self) {
        self.control.kill();
        if let Some(engine) = &self.engine {
            engine.interrupt();
        }
    }

    /// Runs a task on the engine's workers. A native child has no engine, but cannot be spawned without a
    /// runtime either, on which the task belongs then.
    pub(crate) fn on_engine(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(engine) = &self.engine {
            engine.executor().run_shared(task);
        }
    }

    /// Whether it has ended and holds no place among the guests of its engine any more.
    pub(crate) fn is_gone(&self) -> bool {
        let holds = self.admission.as_ref().is_some_and(AdmissionWatch::is_held);
        self.outcome.borrow().is_some() && !holds
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.outcome.borrow().clone()
    }

    /// Waits for the end. Cancel safe, and can be called again.
    pub(crate) async fn wait(&self) -> Outcome {
        let mut outcome = self.outcome.clone();
        match outcome.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            // Only a native child's: its runtime was shut down before it ended.
            _ => Err(Error::new(
                ErrorKind::Internal,
                "the runtime that watched over the child is gone; whether it has ended is not known",
            )),
        }
    }
}

/// Ends the child when dropped, if that was asked for.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) process: Process,
    pub(crate) kill_on_drop: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.kill_on_drop {
            self.process.kill();
        }
    }
}
