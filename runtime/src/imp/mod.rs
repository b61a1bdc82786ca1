//! The only two ways to run anything.
//!
//! A backend supplies three byte streams and a [`Process`]: a way to ask for the end and a place where the
//! outcome appears. Everything a user sees (lines, events, ordering, collecting, ids, kill on drop) is written
//! once, above this.

mod component;
mod host_stdin;
mod inherit;
mod native;

use std::sync::Arc;

use tokio::sync::watch;

use crate::{
    Backend, Capabilities, Engine, Error, ErrorKind, ExitStatus, Limits, Program, Result,
    child::{ChildStderr, ChildStdin, ChildStdout},
    control::Control,
    stdio::Target,
};

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
    control: Arc<Control>,
    outcome: watch::Receiver<Option<Outcome>>,
    /// The engine whose guests look up when a kill is asked for.
    engine: Option<Engine>,
}

impl Process {
    pub(crate) fn control(&self) -> &Control {
        &self.control
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
            drop(engine.executor().handle().spawn(task));
        }
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

/// Starts a program: the one place that tells the kinds apart.
pub(crate) fn spawn(program: &Program, spec: Spec) -> Result<Spawned> {
    match program {
        Program::Component(program) => component::spawn(program, spec),
        Program::Native(program) => native::spawn(program, spec),
    }
}
