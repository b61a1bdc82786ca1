//! What a backend receives, and the running child that it returns.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::sync::watch;

use super::{
    program::Backend,
    streams::{ChildStderr, ChildStdin, ChildStdout},
};
use crate::{
    Engine, Error, ErrorKind, ExitStatus, Grants, Limits, Result, Usage, engine::AdmissionWatch,
    exec::control::Control, stdio::Target,
};

/// Identifies a child of either backend. Unique for the lifetime of this process.
///
/// It is never a process id of the operating system: those are below `0x8000_0000`, and these are above. So nobody
/// signals the wrong process by mistake. See [`Child::os_id`](crate::Child::os_id) for the process id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildId(u32);

impl ChildId {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed) | 0x8000_0000)
    }

    /// The id as a number.
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

/// A command that was checked and is ready to run.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) args: Vec<std::ffi::OsString>,
    pub(crate) env: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    pub(crate) inherit_env: bool,
    pub(crate) current_dir: Option<std::path::PathBuf>,
    pub(crate) stdin: Target,
    pub(crate) stdout: Target,
    pub(crate) stderr: Target,
    pub(crate) grants: Grants,
    pub(crate) limits: Limits,
    pub(crate) kill_on_drop: bool,
}

/// What a backend returns.
#[derive(Debug)]
pub(crate) struct Spawned {
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
    pub(crate) process: Process,
}

/// How a child ended. Published once; every handle reads the same value.
pub(crate) type Outcome = Result<ExitStatus>;

/// A running child: its kill and its end.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) backend: Backend,
    pub(crate) os_id: Option<u32>,
    pub(super) control: Arc<Control>,
    pub(super) outcome: watch::Receiver<Option<Outcome>>,
    /// The engine to interrupt when the child is killed.
    pub(super) engine: Option<Engine>,
    /// The guest's slot among the running guests, which it can hold longer than it has an outcome.
    pub(super) admission: Option<AdmissionWatch>,
}

impl Process {
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// What the child has used so far; `None` for a native child, which the operating system accounts for.
    pub(crate) fn usage(&self) -> Option<Usage> {
        (self.backend == Backend::Component).then(|| self.control.usage())
    }

    /// Kills the child without waiting for its end. Does nothing if it has ended.
    pub(crate) fn kill(&self) {
        self.control.kill();
        if let Some(engine) = &self.engine {
            engine.interrupt();
        }
    }

    /// Runs a task on the engine's workers. A native child has no engine, and its task runs on the Tokio runtime that
    /// spawned it.
    pub(crate) fn on_engine(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(engine) = &self.engine {
            engine.executor().run_shared(task);
        }
    }

    /// Whether the child has ended and released its slot among the engine's guests.
    pub(crate) fn is_gone(&self) -> bool {
        let holds = self.admission.as_ref().is_some_and(AdmissionWatch::is_held);
        self.outcome.borrow().is_some() && !holds
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.outcome.borrow().clone()
    }

    /// Waits for the child's end. Cancel safe, and can be called again.
    pub(crate) async fn wait(&self) -> Outcome {
        let mut outcome = self.outcome.clone();
        match outcome.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            // Happens only to a native child whose runtime was shut down before it ended.
            _ => Err(Error::new(
                ErrorKind::Internal,
                "the runtime that watched over the child is gone; whether it has ended is not known",
            )),
        }
    }
}

/// Kills the child on drop, if kill on drop is set.
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
