//! Runs a component as a task of its engine, and publishes how it ended.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{oneshot, watch},
    time,
};

use super::{
    arguments,
    handle::{Outcome, Process, Spawned, Spec},
    inherit::Copies,
    program::Backend,
    streams::{ChildStderr, ChildStdin, ChildStdout, PipedOutput},
};
use crate::{
    Component, Error, ErrorKind, ExitStatus, Limit, Result, Setting, Termination,
    engine::Admission,
    exec::{
        control::Control,
        executor::Affinity,
        pipe::{self, StreamCloser},
    },
    guest::{
        self,
        store::{GuestInput, GuestOutput, Setup},
    },
    stdio::Target,
    text,
};

/// How long a killed guest may take to stop. Only a hanging file call takes longer. The guest's thread is then
/// abandoned with everything it holds.
const GRACE: Duration = Duration::from_millis(100);

pub(super) fn spawn(component: &Component, spec: Spec) -> Result<Spawned> {
    start(component, spec).map_err(|error| error.of(component.name()))
}

fn start(component: &Component, spec: Spec) -> Result<Spawned> {
    let engine = component.engine();
    spec.limits.check()?;
    engine.check_grants(&spec.grants)?;
    let admission = engine.admit()?;
    let admitted = admission.watch();
    let control = Arc::new(Control::new(spec.limits.duration(Limit::CpuTime)));
    let (sender, outcome) = watch::channel(None);
    let (streams, setup, copies, enders) = connect(component, spec)?;

    let job = Job {
        component: component.clone(),
        setup,
        copies,
        control: Arc::clone(&control),
        outcome: Arc::new(sender),
        admission,
    };
    let executor = engine.executor();
    let sockets = job.setup.grants.has_network();
    if job.setup.grants.may_block() || sockets {
        let (gone, is_gone) = oneshot::channel();
        let watchdog = job.watchdog(enders, is_gone);
        executor.run(Affinity::OwnThread { sockets }, job.run(Some(gone)))?;
        executor.run_shared(watchdog);
    } else {
        executor.run(Affinity::Shared, job.run(None))?;
    }
    let (stdin, stdout, stderr) = streams;
    let process = Process {
        backend: Backend::Component,
        os_id: None,
        control,
        outcome,
        engine: Some(engine.clone()),
        admission: Some(admitted),
    };
    Ok(Spawned { stdin, stdout, stderr, process })
}

type Streams = (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>);

/// Makes the pipes and everything else that the guest is given.
fn connect(component: &Component, spec: Spec) -> Result<(Streams, Setup, Copies, Vec<Ender>)> {
    let args = arguments::arguments(component.name(), &spec)?;
    let mut env = arguments::environment(&spec)?;
    let current_dir = arguments::current_dir(component.artifact(), &spec, &mut env)?;
    let runtime = component.engine().executor().handle();
    let mut enders = Vec::new();
    let mut copies = Copies::default();

    let (stdin, guest_in) = match spec.stdin {
        Target::Null => (None, None),
        target => {
            let (writer, reader) = pipe::pipe();
            enders.push(Ender::Reading(reader.closer()));
            let writer = ChildStdin::piped(writer);
            match target {
                Target::Inherit => {
                    copies.input(runtime, writer);
                    (None, Some(reader))
                }
                _ => (Some(writer), Some(reader)),
            }
        }
    };
    let mut output = |target: Target, is_error: bool| match target {
        Target::Null => (None, None),
        target => {
            let (writer, reader) = pipe::pipe();
            enders.push(Ender::Writing(writer.closer()));
            let reader = PipedOutput::new(reader);
            match (target, is_error) {
                (Target::Inherit, false) => copies.output(runtime, reader, tokio::io::stdout()),
                (Target::Inherit, true) => copies.output(runtime, reader, tokio::io::stderr()),
                _ => return (Some(reader), Some(writer)),
            }
            (None, Some(writer))
        }
    };
    let (stdout, guest_out) = output(spec.stdout, false);
    let (stderr, guest_err) = output(spec.stderr, true);

    let setup = Setup {
        args,
        env,
        current_dir,
        grants: spec.grants,
        limits: spec.limits,
        resolver: component.engine().resolver().for_guest(),
        stdin: GuestInput::new(guest_in),
        stdout: GuestOutput::new(guest_out),
        stderr: GuestOutput::new(guest_err),
    };
    let streams = (stdin, stdout.map(ChildStdout::piped), stderr.map(ChildStderr::piped));
    Ok((streams, setup, copies, enders))
}

/// The host's end of a stream, to close it when the guest's thread is abandoned.
enum Ender {
    Reading(StreamCloser),
    Writing(StreamCloser),
}

impl Ender {
    fn end(&self) {
        match self {
            Self::Reading(closer) => closer.end_reading(),
            Self::Writing(closer) => closer.end_writing(),
        }
    }
}

/// One guest, from start to end.
struct Job {
    component: Component,
    setup: Setup,
    copies: Copies,
    control: Arc<Control>,
    outcome: Arc<watch::Sender<Option<Outcome>>>,
    admission: Admission,
}

impl Job {
    /// Runs the guest and publishes how it ended. `gone` fires as soon as nothing of the guest is left.
    async fn run(self, gone: Option<oneshot::Sender<()>>) {
        let Self { component, setup, mut copies, control, outcome, admission } = self;
        // Publishes an outcome even if this task panics or is dropped: handles wait for one.
        let outcome = PublishOnDrop(outcome);
        let name = text::name(component.name());
        let ended = run(&component, setup, &control).await;
        drop((gone, admission));
        match &ended {
            Ok(Termination::OutOf(limit)) => {
                tracing::warn!(guest = %name, %limit, "ended by a limit");
            }
            // The text has names from the artifact, and the log has data at the debug level only.
            Ok(termination @ Termination::Trapped(_)) => {
                tracing::warn!(guest = %name, "trapped");
                tracing::debug!(guest = %name, %termination, "ended");
            }
            Ok(termination) => match control.refused() {
                // The guest may not report it: some languages exit with 1, or print "MemoryError".
                Some(limit) => {
                    let raise = Setting::Limit(limit);
                    tracing::warn!(guest = %name, %termination, refused = %limit, %raise, "ended after a refusal");
                }
                None => tracing::info!(guest = %name, %termination, "ended"),
            },
            // This text may have names from the artifact as well.
            Err(error) => {
                tracing::warn!(guest = %name, kind = ?error.kind(), "could not run");
                tracing::debug!(guest = %name, error = %error.chain(), "could not run because");
            }
        }
        // The guest has closed its ends of the streams. Its output is still in the pipes.
        let killed = tokio::select! {
            biased;
            () = copies.finish() => false,
            () = control.killed() => true,
        };
        // The host's terminal may be stopped. The rest gets as long as any killed guest.
        if killed && time::timeout(GRACE, copies.finish()).await.is_err() {
            copies.abort();
        }
        publish(&outcome.0, ended.map(ExitStatus::new));
    }

    /// Watches a guest that has a thread of its own, where a call can hang and nothing can interrupt it.
    fn watchdog(
        &self,
        enders: Vec<Ender>,
        mut gone: oneshot::Receiver<()>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let control = Arc::clone(&self.control);
        let outcome = Arc::clone(&self.outcome);
        let time = self.setup.limits.duration(Limit::Time);
        let component = self.component.clone();
        async move {
            let late = async {
                match time {
                    // The guest's clock starts with its code, which is a little later. The grace period covers the
                    // difference.
                    Some(limit) if component.compiled().await.is_ok() => {
                        time::sleep(limit.saturating_add(GRACE)).await;
                    }
                    _ => std::future::pending().await,
                }
            };
            let reason = tokio::select! {
                _ = &mut gone => return,
                () = control.killed() => Termination::Killed,
                () = late => Termination::OutOf(Limit::Time),
            };
            tokio::select! {
                _ = &mut gone => return,
                () = time::sleep(GRACE) => {}
            }
            tracing::warn!(
                guest = %text::name(component.name()),
                termination = %reason,
                "hangs in a file call; its thread is given up"
            );
            control.kill();
            if control.end() {
                component.engine().turns().ticker.leave();
            }
            enders.iter().for_each(Ender::end);
            publish(&outcome, Ok(ExitStatus::new(reason)));
        }
    }
}

/// Publishes the first outcome only.
fn publish(sender: &watch::Sender<Option<Outcome>>, outcome: Outcome) {
    sender.send_if_modified(|slot| {
        let first = slot.is_none();
        if first {
            *slot = Some(outcome);
        }
        first
    });
}

/// Publishes an internal error if nothing else was published.
struct PublishOnDrop(Arc<watch::Sender<Option<Outcome>>>);

impl Drop for PublishOnDrop {
    fn drop(&mut self) {
        let text = "the guest's task ended without a result; please report this";
        publish(&self.0, Err(Error::new(ErrorKind::Internal, text)));
    }
}

/// Waits for the code and runs the guest. When this returns, nothing of the guest is left.
async fn run(component: &Component, setup: Setup, control: &Arc<Control>) -> Result<Termination> {
    let compiled = tokio::select! {
        biased;
        () = control.killed() => return Ok(Termination::Killed),
        compiled = component.compiled() => compiled?,
    };
    let cost = component.cost(setup.limits.count(Limit::Instances));
    if let Some(limit) = cost.beyond(&setup.limits) {
        return Ok(Termination::OutOf(limit));
    }
    let engine = component.engine();
    guest::run::run(engine.engines(), engine.turns(), compiled, setup, &cost, control).await
}
