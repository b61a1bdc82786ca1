//! Runs a component as a task of its engine.

use std::{
    io,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::{oneshot, watch},
    time,
};
use wasmtime::{Store, Trap, WasmBacktrace};
use wasmtime_wasi::{I32Exit, ResourceTableError};

use super::{
    handle::{Outcome, Process, Spawned, Spec},
    inherit::Copies,
};
use crate::{
    ArtifactKind, Backend, Component, Engine, Error, ErrorKind, ExitStatus, Limit, Result,
    Termination,
    component::{Compiled, Linked},
    control::Control,
    engine::Admission,
    executor::{HostPanic, Place, Polled, here},
    pipe::{self, Closer},
    stdio::Target,
    store::{self, GuestInput, GuestOutput, Setup, State},
    streams::{ChildStderr, ChildStdin, ChildStdout, PipedOutput},
    text,
};

/// How long a guest that was ended may take to notice. Only a file call that hangs takes longer; its thread is
/// then given up, with everything it holds.
const GRACE: Duration = Duration::from_millis(100);

/// Bytes of arguments, and of environment: what Linux gives a process, give or take.
const MAX_ARGUMENT_BYTES: usize = 1 << 20;

/// How many of each. A table of pointers is as long as the guest's copy of it, and Linux takes no more than its bytes.
const MAX_ARGUMENTS: usize = 10_000;

pub(super) fn spawn(component: &Component, spec: Spec) -> Result<Spawned> {
    start(component, spec).map_err(|error| error.of(component.name()))
}

fn start(component: &Component, spec: Spec) -> Result<Spawned> {
    let engine = component.engine();
    spec.limits.check()?;
    engine.check_grants(&spec.capabilities)?;
    let admission = engine.admit()?;
    let control = Arc::new(Control::new(spec.limits.cpu_time));
    let (sender, outcome) = watch::channel(None);
    let (streams, setup, copies, enders) = connect(component, spec)?;
    component.load_if_small();

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
        let run = || executor.run(Place::Shared(component.conduct()), job.run(None));
        if executor.would_wake() { here(run)? } else { run()? }
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
    };
    Ok(Spawned { stdin, stdout, stderr, process })
}

type Streams = (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>);

/// Makes the pipes, and everything the guest is given.
fn connect(component: &Component, mut spec: Spec) -> Result<(Streams, Setup, Copies, Vec<Ender>)> {
    let args = arguments(component.name(), &spec)?;
    let mut env = environment(&spec)?;
    let current_dir = current_dir(&mut spec)?;
    if let (Some(path), ArtifactKind::CommandModule) = (&current_dir, component.artifact().kind()) {
        // Preview1 has no call for the initial directory; some languages look here.
        if !env.iter().any(|(name, _)| name == "PWD") {
            env.push(("PWD".into(), path.clone()));
        }
    }
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

fn refuse<T>(text: String) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidInput, text))
}

/// The guest's arguments: its own name first, as every program has it.
fn arguments(name: &str, spec: &Spec) -> Result<Vec<String>> {
    few("arguments", spec.args.len())?;
    let mut args = vec![name.to_owned()];
    let mut bytes = 0;
    for arg in &spec.args {
        let Some(text) = arg.to_str() else {
            return refuse(format!("the argument `{}` is not UTF-8", arg.to_string_lossy()));
        };
        if text.contains('\0') {
            return refuse(format!("the argument `{text}` contains a NUL"));
        }
        bytes += text.len() + 1;
        args.push(text.to_owned());
    }
    if bytes > MAX_ARGUMENT_BYTES {
        return refuse(format!(
            "{bytes} bytes of arguments, and a component gets at most {MAX_ARGUMENT_BYTES}; \
             pass data on standard input"
        ));
    }
    Ok(args)
}

/// The entries given for this run, and the granted ones of the host that were not overridden.
fn environment(spec: &Spec) -> Result<Vec<(String, String)>> {
    if spec.inherit_env {
        return refuse(
            "a component cannot inherit the whole environment; grant the names it needs with \
             `Capabilities::env`"
                .into(),
        );
    }
    few("environment entries", spec.env.len() + spec.capabilities.env.len())?;
    let mut env = Vec::with_capacity(spec.env.len() + spec.capabilities.env.len());
    let mut bytes = 0;
    let given = spec.env.iter().map(|(name, value)| (name.clone(), value.clone()));
    let granted = spec.capabilities.env.iter().filter_map(|name| {
        #[expect(clippy::disallowed_methods, reason = "exactly the names that were granted")]
        let value = std::env::var_os(name)?;
        (!spec.env.iter().any(|(given, _)| given == name.as_str())).then(|| (name.into(), value))
    });
    for (name, value) in given.chain(granted) {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            return refuse(format!(
                "the environment entry `{}` is not UTF-8",
                name.to_string_lossy()
            ));
        };
        crate::capabilities::check_env_name(name)?;
        if value.contains('\0') {
            return refuse(format!("the environment entry `{name}` contains a NUL"));
        }
        bytes += name.len() + value.len() + 2;
        env.push((name.to_owned(), value.to_owned()));
    }
    if bytes > MAX_ARGUMENT_BYTES {
        return refuse(format!(
            "{bytes} bytes of environment, and a component gets at most {MAX_ARGUMENT_BYTES}"
        ));
    }
    Ok(env)
}

fn few(what: &str, count: usize) -> Result<()> {
    if count > MAX_ARGUMENTS {
        return refuse(format!(
            "{count} {what}, and a component gets at most {MAX_ARGUMENTS}; pass data on standard input"
        ));
    }
    Ok(())
}

/// The guest's initial directory: a path of the guest's that lies in a grant.
///
/// WASI has a call for it, which many C libraries do not make. They resolve relative paths against the preopen
/// named `.`, so the directory is given under that name as well, with the access of the grant it lies in.
fn current_dir(spec: &mut Spec) -> Result<Option<String>> {
    let Some(path) = &spec.current_dir else { return Ok(None) };
    // The innermost grant is the one the guest's own paths resolve in.
    let grants = spec.capabilities.dirs.iter().filter(|preopen| path.starts_with(&preopen.guest));
    let opened =
        grants.max_by_key(|preopen| preopen.guest.len()).and_then(|preopen| preopen.below(path));
    match (path.to_str(), opened) {
        (Some(text), Some(opened)) => {
            let text = text.to_owned();
            spec.capabilities.dirs.push(opened?);
            Ok(Some(text))
        }
        _ => Err(Error::new(
            ErrorKind::Grant,
            format!(
                "the initial directory `{}` is not in a granted directory; it is a path as the guest \
                 sees it, like `/data/sub` when `/data` is granted",
                path.display()
            ),
        )),
    }
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
            Ok(termination) => tracing::info!(guest = %name, %termination, "ended"),
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
                        time::sleep(limit + GRACE).await;
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
    guest(component.engine(), compiled, setup, time, control).await
}

/// Runs the guest's code until it ends by itself, is killed, or uses up a limit.
async fn guest(
    engine: &Engine,
    compiled: Compiled,
    setup: Setup,
    limit: Option<Duration>,
    control: &Arc<Control>,
) -> Result<Termination> {
    // Given back after the store is gone, which is dropped first.
    let place = if compiled.fits_pool() { engine.vms().place(&setup.limits) } else { None };
    let vm = place.as_ref().map_or(engine.vms().own(), |place| place.vm());
    let linked = compiled.on(engine, place.is_some())?;
    let module = matches!(linked, Linked::Module(_));
    let mut store = store::new(vm, module, setup, Arc::clone(control))?;
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
        Ok(called) => termination(called, control, store.data()),
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
            let command = component.instantiate_async(&mut *store).await?;
            let run = command.wasi_cli_run().call_run(store).await?;
            Ok(i32::from(run.is_err()))
        }
        Linked::Module(module) => {
            let instance = module.instantiate_async(&mut *store).await?;
            let start = instance.get_typed_func::<(), ()>(&mut *store, "_start")?;
            start.call_async(store, ()).await?;
            Ok(0)
        }
    }
}

fn termination(
    called: wasmtime::Result<i32>,
    control: &Control,
    state: &State,
) -> Result<Termination> {
    let error = match called {
        Ok(code) => return Ok(Termination::Exited(code)),
        Err(error) => error,
    };
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return Ok(Termination::Exited(code & 0xff));
    }
    if let Some(reason) = control.stop_reason() {
        return Ok(reason);
    }
    // The host had no descriptor or no memory left: nothing the guest has done.
    if let Some(error) = error.root_cause().downcast_ref::<io::Error>() {
        return Err(Error::io(
            "give the guest what it needs",
            io::Error::new(error.kind(), error.to_string()),
        ));
    }
    // What an allocation that failed ends in: `unreachable`, or an error before any code ran. Other faults are
    // the guest's own, even if it was refused memory before.
    let gave_up =
        error.downcast_ref::<Trap>().is_none_or(|trap| *trap == Trap::UnreachableCodeReached);
    if let Some(limit) = state.refused().filter(|_| gave_up) {
        return Ok(Termination::OutOf(limit));
    }
    if let Some(limit) = exhausted(&error) {
        return Ok(Termination::OutOf(limit));
    }
    // Before any of its code ran, and no limit: an export has another type than a command's.
    if error.downcast_ref::<Trap>().is_none() && error.downcast_ref::<WasmBacktrace>().is_none() {
        let text = format!("it is no command that this host can start: {}", error.root_cause());
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    Ok(Termination::Trapped(fault(&error)))
}

/// The limit behind an error of the engine's. Only one of them has a type; the texts of the others are the engine's own,
/// in which nothing of a guest's is.
fn exhausted(error: &wasmtime::Error) -> Option<Limit> {
    let full = error.chain().filter_map(|cause| cause.downcast_ref::<ResourceTableError>());
    if full.into_iter().any(|error| matches!(error, ResourceTableError::Full)) {
        return Some(Limit::Handles);
    }
    let cause = error.root_cause().to_string();
    let texts = [
        ("resource limit exceeded: instance count", Limit::Instances),
        ("resource limit exceeded: memory count", Limit::Memories),
        ("resource limit exceeded: table count", Limit::Tables),
        ("resource table has no free keys", Limit::Handles),
        ("cannot allocate another handle: store handle limit", Limit::Handles),
        ("cannot lend resource: store handle limit", Limit::Handles),
        ("too much data is being copied between the host and the guest", Limit::CallBytes),
        ("requested len ", Limit::RandomBytes),
    ];
    texts.into_iter().find(|(text, _)| cause.starts_with(text)).map(|(_, limit)| limit)
}

/// What went wrong and where, in the guest's own names.
fn fault(error: &wasmtime::Error) -> String {
    let cause = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    let mut fault = cause.trim_start_matches("wasm trap: ").to_owned();
    if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
        for (depth, frame) in backtrace.frames().iter().enumerate() {
            let name = frame.symbols().first().and_then(|symbol| symbol.name());
            let name = match name.or_else(|| frame.func_name()) {
                Some(name) => text::name(&format!("{:#}", rustc_demangle::demangle(name))),
                None => format!("function {}", frame.func_index()),
            };
            fault.push_str(&format!("\n  {depth}: {name}"));
        }
    }
    text::block(&fault)
}
