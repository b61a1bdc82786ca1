//! Runs a component as a task of its engine.

use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use tokio::{
    sync::{oneshot, watch},
    time,
};
use wasmtime::Store;
use wasmtime_wasi::p2::bindings::Command;

use super::{
    end::{self, Clock},
    given,
    handle::{Outcome, Process, Spawned, Spec},
    inherit::Copies,
};
use crate::{
    Backend, Component, Engine, Error, ErrorKind, ExitStatus, Limit, Result, Termination,
    artifact::Cost,
    component::{Compiled, Linked},
    control::Control,
    engine::Admission,
    executor::{HostPanic, Place, Polled},
    pipe::{self, Closer},
    stdio::Target,
    store::{self, GuestInput, GuestOutput, Setup, State},
    streams::{ChildStderr, ChildStdin, ChildStdout, PipedOutput},
    text,
};

/// How long a guest that was ended may take to notice. Only a file call that hangs takes longer; its thread is
/// then given up, with everything it holds.
const GRACE: Duration = Duration::from_millis(100);

pub(super) fn spawn(component: &Component, spec: Spec) -> Result<Spawned> {
    start(component, spec).map_err(|error| error.of(component.name()))
}

fn start(component: &Component, spec: Spec) -> Result<Spawned> {
    let engine = component.engine();
    spec.limits.check()?;
    engine.check_grants(&spec.capabilities)?;
    let admission = engine.admit()?;
    let admitted = admission.watch();
    let control = Arc::new(Control::new(spec.limits.cpu_time));
    let (sender, outcome) = watch::channel(None);
    let (streams, setup, copies, enders) = connect(component, spec)?;

    let job = Job {
        component: component.clone(),
        time: setup.limits.time,
        setup,
        copies,
        control: Arc::clone(&control),
        outcome: Arc::new(sender),
        admission,
    };
    let executor = engine.executor();
    if job.setup.capabilities.dirs.is_empty() {
        executor.run(Place::Shared, job.run(None))?;
    } else {
        let (gone, is_gone) = oneshot::channel();
        let watchdog = job.watchdog(enders, is_gone);
        executor.run(Place::OwnThread, job.run(Some(gone)))?;
        executor.run_shared(watchdog);
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

/// Makes the pipes, and everything the guest is given.
fn connect(component: &Component, spec: Spec) -> Result<(Streams, Setup, Copies, Vec<Ender>)> {
    let args = given::arguments(component.name(), &spec)?;
    let mut env = given::environment(&spec)?;
    let current_dir = given::current_dir(component.artifact(), &spec, &mut env)?;
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
        capabilities: spec.capabilities,
        limits: spec.limits,
        stdin: GuestInput::new(guest_in),
        stdout: GuestOutput::new(guest_out),
        stderr: GuestOutput::new(guest_err),
    };
    let streams = (stdin, stdout.map(ChildStdout::piped), stderr.map(ChildStderr::piped));
    Ok((streams, setup, copies, enders))
}

/// The outside end of a stream, for when the guest's thread is given up.
enum Ender {
    Reading(Closer),
    Writing(Closer),
}

impl Ender {
    fn end(&self) {
        match self {
            Self::Reading(closer) => closer.end_reading(),
            Self::Writing(closer) => closer.end_writing(),
        }
    }
}

/// One guest, from its start to its end.
struct Job {
    component: Component,
    setup: Setup,
    time: Option<Duration>,
    copies: Copies,
    control: Arc<Control>,
    outcome: Arc<watch::Sender<Option<Outcome>>>,
    admission: Admission,
}

impl Job {
    /// Runs the guest and publishes how it ended; `gone` is told as soon as nothing of the guest is left.
    async fn run(self, gone: Option<oneshot::Sender<()>>) {
        let Self { component, setup, time, mut copies, control, outcome, admission } = self;
        // Whatever happens to this task, somebody waits for an outcome.
        let outcome = Promise(outcome);
        let name = text::name(component.name());
        let ended = play(&component, setup, time, &control).await;
        drop((gone, admission));
        match &ended {
            Ok(Termination::OutOf(limit)) => {
                tracing::warn!(guest = %name, %limit, "ended by a limit");
            }
            // Its text has names out of the artifact.
            Ok(termination @ Termination::Trapped(_)) => {
                tracing::warn!(guest = %name, "trapped");
                tracing::debug!(guest = %name, %termination, "ended");
            }
            Ok(termination) => match control.refused() {
                // Some languages say nothing of it: they exit with 1, or print "MemoryError".
                Some(limit) => {
                    let option = limit.method();
                    tracing::warn!(guest = %name, %termination, refused = %limit, raise = option, "ended after a refusal");
                }
                None => tracing::info!(guest = %name, %termination, "ended"),
            },
            // So may this one have.
            Err(error) => {
                tracing::warn!(guest = %name, kind = ?error.kind(), "could not run");
                tracing::debug!(guest = %name, error = %error.chain(), "could not run because");
            }
        }
        // The guest and its ends of the streams are gone; what it wrote is still in them.
        let killed = tokio::select! {
            biased;
            () = copies.finish() => false,
            () = control.killed() => true,
        };
        // The host's terminal may be held; the rest gets as long as any guest that is killed.
        if killed && time::timeout(GRACE, copies.finish()).await.is_err() {
            copies.abort();
        }
        publish(&outcome.0, ended.map(ExitStatus::new));
    }

    /// Looks after a guest that has a thread of its own, where a call can hang beyond anybody's reach.
    fn watchdog(
        &self,
        enders: Vec<Ender>,
        mut gone: oneshot::Receiver<()>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let control = Arc::clone(&self.control);
        let outcome = Arc::clone(&self.outcome);
        let time = self.time;
        let component = self.component.clone();
        async move {
            let late = async {
                match time {
                    // Its clock starts when its code does, which is a little later; the grace covers that.
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
                component.engine().ticker().leave();
            }
            enders.iter().for_each(Ender::end);
            publish(&outcome, Ok(ExitStatus::new(reason)));
        }
    }
}

/// The first outcome stands.
fn publish(sender: &watch::Sender<Option<Outcome>>, outcome: Outcome) {
    sender.send_if_modified(|slot| {
        let first = slot.is_none();
        if first {
            *slot = Some(outcome);
        }
        first
    });
}

/// Publishes that something went wrong if nothing else was published.
struct Promise(Arc<watch::Sender<Option<Outcome>>>);

impl Drop for Promise {
    fn drop(&mut self) {
        let text = "the guest's task ended without a result; please report this";
        publish(&self.0, Err(Error::new(ErrorKind::Internal, text)));
    }
}

/// Waits for the code and runs the guest. When this returns nothing of the guest is left.
async fn play(
    component: &Component,
    setup: Setup,
    time: Option<Duration>,
    control: &Arc<Control>,
) -> Result<Termination> {
    let compiled = tokio::select! {
        biased;
        () = control.killed() => return Ok(Termination::Killed),
        compiled = component.compiled() => compiled?,
    };
    let cost = component.cost(setup.limits.instances);
    if let Some(limit) = cost.beyond(&setup.limits) {
        return Ok(Termination::OutOf(limit));
    }
    guest(component.engine(), compiled, setup, &cost, time, control).await
}

/// Runs the guest's code until it ends by itself, is killed, or uses up a limit.
async fn guest(
    engine: &Engine,
    compiled: Compiled,
    setup: Setup,
    cost: &Cost,
    limit: Option<Duration>,
    control: &Arc<Control>,
) -> Result<Termination> {
    // Given back after the store is gone, which is dropped first.
    let place = if compiled.fits_pool() { engine.vms().place(&setup.limits) } else { None };
    let vm = place.as_ref().map_or(engine.vms().own(), |place| place.vm());
    let linked = compiled.on(engine, place.is_some())?;
    let module = matches!(linked, Linked::Module(_));
    let mut store = store::new(vm, module, setup, cost, Arc::clone(control))?;
    let clock = Clock { began: Instant::now(), limit };
    let late = async {
        match limit {
            Some(limit) => time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let called = {
        let guest = pin!(call(&mut store, linked));
        let kills = engine.kills();
        let seen = kills.load(Ordering::Relaxed);
        let polled = Polled { guest, ticker: engine.ticker(), control, kills, seen };
        tokio::select! {
            biased;
            () = control.killed() => return Ok(Termination::Killed),
            () = late => return Ok(Termination::OutOf(Limit::Time)),
            called = polled => called,
        }
    };
    match called {
        Ok(called) => end::termination(called, control, clock, store.data()),
        Err(HostPanic(panic)) => {
            let text =
                format!("a function of the host panicked while it served the guest: {panic}");
            Err(Error::new(ErrorKind::Internal, text))
        }
    }
}

/// Calls the program's entry point; the value is its exit code.
async fn call(store: &mut Store<State>, linked: Linked) -> wasmtime::Result<i32> {
    match linked {
        Linked::Component(component) => {
            let instance = component.instance_pre().instantiate_async(&mut *store).await?;
            let command = Command::new(&mut *store, &instance).map_err(end::not_a_command)?;
            let run = command.wasi_cli_run().call_run(store).await?;
            Ok(i32::from(run.is_err()))
        }
        Linked::Module(module) => {
            let instance = module.instantiate_async(&mut *store).await?;
            let start = instance
                .get_typed_func::<(), ()>(&mut *store, "_start")
                .map_err(end::not_a_command)?;
            start.call_async(store, ()).await?;
            Ok(0)
        }
    }
}
