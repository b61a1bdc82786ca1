//! Runs a native program. Only this file and `compile/process.rs` start processes.

use std::{process::Stdio, sync::Arc};

use tokio::{
    process::{Child, Command},
    runtime,
    sync::watch,
};

use super::{
    handle::{Outcome, Process, Spawned, Spec},
    program::{Backend, NativeProgram},
    streams::{ChildStderr, ChildStdin, ChildStdout},
};
use crate::{
    Error, ErrorKind, ExitStatus, Result, Termination, exec::control::Control, stdio::Target, text,
};

/// <https://learn.microsoft.com/en-us/windows/win32/procthread/process-creation-flags>
#[cfg(windows)]
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

pub(super) fn spawn(program: &NativeProgram, spec: Spec) -> Result<Spawned> {
    let runtime = runtime::Handle::try_current().map_err(|error| {
        Error::with(
            ErrorKind::InvalidInput,
            "a native program needs a Tokio runtime; spawn it from inside one",
            error,
        )
    })?;
    let mut child = start(program, &spec)?;
    let stdin = child.stdin.take().map(ChildStdin::native);
    let stdout = child.stdout.take().map(ChildStdout::native);
    let stderr = child.stderr.take().map(ChildStderr::native);
    let os_id = child.id();
    let control = Arc::new(Control::new(None));
    let (sender, outcome) = watch::channel(None);
    let name = text::name(&program.name());
    runtime.spawn(supervise(name, child, owns_group(&spec), Arc::clone(&control), sender));
    let process = Process {
        backend: Backend::Native,
        os_id,
        control,
        outcome,
        engine: None,
        admission: None,
    };
    Ok(Spawned { stdin, stdout, stderr, process })
}

#[expect(clippy::disallowed_methods, reason = "the one place that starts processes")]
fn start(program: &NativeProgram, spec: &Spec) -> Result<Child> {
    let mut command = Command::new(program.path());
    command.args(&spec.args);
    if !spec.inherit_env {
        command.env_clear();
        for name in &spec.grants.env {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
    }
    command.envs(spec.env.iter().map(|(name, value)| (name, value)));
    if let Some(directory) = &spec.current_dir {
        command.current_dir(directory);
    }
    command.stdin(stdio(spec.stdin)).stdout(stdio(spec.stdout)).stderr(stdio(spec.stderr));
    command.kill_on_drop(spec.kill_on_drop);
    // The program gets a process group of its own, so that a kill also reaches the processes it started. Not if it
    // inherits standard input: a terminal stops a process that reads from it outside the foreground group.
    #[cfg(unix)]
    if owns_group(spec) {
        command.process_group(0);
    }
    // Windows would open a console window for a console program.
    #[cfg(windows)]
    command.creation_flags(CREATE_NO_WINDOW);
    let path = program.path().display();
    command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::with(
            ErrorKind::NotFound,
            format!("the native program `{path}` does not exist; build it or correct its path"),
            error,
        ),
        _ => Error::io(format!("start the native program `{path}`"), error),
    })
}

fn stdio(target: Target) -> Stdio {
    match target {
        Target::Piped => Stdio::piped(),
        Target::Null => Stdio::null(),
        Target::Inherit => Stdio::inherit(),
    }
}

fn owns_group(spec: &Spec) -> bool {
    spec.stdin != Target::Inherit
}

/// Waits for the process, kills it on request, and returns how it ended.
async fn supervise(
    name: String,
    mut child: Child,
    owns_group: bool,
    control: Arc<Control>,
    outcome: watch::Sender<Option<Outcome>>,
) {
    let (ended, killed) = tokio::select! {
        ended = child.wait() => (ended, false),
        () = control.killed() => {
            kill(&mut child, owns_group);
            (child.wait().await, true)
        }
    };
    let ended = match ended {
        Ok(status) => Ok(ExitStatus::new(termination(status, killed))),
        Err(error) => Err(Error::io("wait for the native program", error)),
    };
    match &ended {
        Ok(status) => tracing::info!(guest = %name, termination = %status, "ended"),
        Err(error) => tracing::warn!(guest = %name, error = %error.chain(), "could not run"),
    }
    outcome.send_replace(Some(ended));
}

#[cfg(unix)]
fn kill(child: &mut Child, owns_group: bool) {
    use rustix::process::{Pid, Signal, kill_process_group};

    // The id is still the process's own, because nobody has waited for it yet.
    let group = child.id().filter(|_| owns_group);
    let group = group.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if group.is_none_or(|group| kill_process_group(group, Signal::KILL).is_err()) {
        let _ = child.start_kill();
    }
}

#[cfg(not(unix))]
fn kill(child: &mut Child, _: bool) {
    let _ = child.start_kill();
}

#[cfg(unix)]
fn termination(status: std::process::ExitStatus, killed: bool) -> Termination {
    use std::os::unix::process::ExitStatusExt;

    match (status.code(), status.signal()) {
        (Some(code), _) => Termination::Exited(code),
        (None, Some(9)) if killed => Termination::Killed,
        (None, Some(signal)) => Termination::Signaled(signal),
        (None, None) => Termination::Killed,
    }
}

/// On other systems a killed process reports an exit code like any other.
#[cfg(not(unix))]
fn termination(status: std::process::ExitStatus, killed: bool) -> Termination {
    status.code().filter(|_| !killed).map_or(Termination::Killed, Termination::Exited)
}
