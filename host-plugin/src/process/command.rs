//! How to run a sidecar: the builder of the shell plugin.

use std::{ffi::OsStr, path::Path, time::Duration};

use tauri::async_runtime::Receiver;
use wasi_sidecar::{Backend, Child, Framing, Program, Stdio};

use super::{CommandChild, CommandEvent, event};
use crate::{Result, children::Children};

/// How to run a sidecar; the `Command` of the shell plugin. It comes from
/// [`SidecarExt::sidecar`](crate::SidecarExt::sidecar), with the grants and limits of the configuration.
///
/// ```no_run
/// use tauri_plugin_wasi_sidecar::{SidecarExt, process::CommandEvent};
///
/// # async fn run<R: tauri::Runtime>(app: tauri::AppHandle<R>) -> tauri_plugin_wasi_sidecar::Result<()> {
/// let (mut events, mut child) = app.sidecar("word-count")?.arg("/notes").spawn()?;
/// child.write(b"a line\n")?;
/// while let Some(event) = events.recv().await {
///     if let CommandEvent::Stdout(line) = event {
///         println!("{}", String::from_utf8_lossy(&line));
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Command {
    inner: wasi_sidecar::Command,
    raw_out: bool,
    partial_after: Option<Duration>,
    max_line: usize,
    children: Children,
}

/// How a sidecar ended; the `ExitStatus` of the shell plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExitStatus {
    code: Option<i32>,
}

impl ExitStatus {
    /// Its exit code, if it ended by itself.
    pub fn code(&self) -> Option<i32> {
        self.code
    }

    /// Whether it ended by itself with code 0.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }
}

/// All that a sidecar wrote, and how it ended; the `Output` of the shell plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output, byte for byte. (The shell plugin adds a line end after each of its events.)
    pub stdout: Vec<u8>,
    /// Its standard error, likewise.
    pub stderr: Vec<u8>,
}

impl Command {
    pub(crate) fn new(inner: wasi_sidecar::Command, max_line: usize, children: Children) -> Self {
        Self { inner, raw_out: false, partial_after: None, max_line, children }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg<S: AsRef<OsStr>>(mut self, arg: S) -> Self {
        self.inner.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I, S>(mut self, args: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.inner.args(args);
        self
    }

    /// Removes the entries set so far; a native twin then inherits none of the app's either.
    #[must_use]
    pub fn env_clear(mut self) -> Self {
        self.inner.env_clear();
        self
    }

    /// Sets an environment entry.
    #[must_use]
    pub fn env<K, V>(mut self, key: K, value: V) -> Self
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.inner.env(key, value);
        self
    }

    /// Sets environment entries.
    #[must_use]
    pub fn envs<I, K, V>(mut self, envs: I) -> Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.inner.envs(envs);
        self
    }

    /// Sets the initial directory. For a component it is a path as the guest sees it, and has to lie in a granted directory; see
    /// [`wasi_sidecar::Command::current_dir`] for the components that follow it.
    #[must_use]
    pub fn current_dir<P: AsRef<Path>>(mut self, current_dir: P) -> Self {
        self.inner.current_dir(current_dir);
        self
    }

    /// Delivers output as bytes as they come instead of line by line.
    #[must_use]
    pub fn set_raw_out(mut self, raw_out: bool) -> Self {
        self.raw_out = raw_out;
        self
    }

    /// Delivers what has come of a line when nothing was added to it for this long, as an event without a line end. Without
    /// it a prompt is held back until its line ends, as the shell plugin does.
    #[must_use]
    pub fn flush_partial_lines(mut self, quiet: Duration) -> Self {
        self.partial_after = Some(quiet);
        self
    }

    /// Taken for the sake of the shell plugin's callers. A component is no process; a native twin always has a group of its
    /// own on Unix, and killing it kills the group while its leader runs.
    #[must_use]
    pub fn set_process_group(self, _process_group: bool) -> Self {
        self
    }

    /// Kills the child when its [`CommandChild`] is dropped.
    #[must_use]
    pub fn kill_on_drop(mut self, kill_on_drop: bool) -> Self {
        self.inner.kill_on_drop(kill_on_drop);
        self
    }

    /// What would run it.
    pub fn backend(&self) -> Backend {
        match self.inner.program() {
            Program::Native(_) => Backend::Native,
            _ => Backend::Component,
        }
    }

    /// Starts it. Never waits for a compilation; that goes on behind the child's streams.
    ///
    /// A line of more than `limits.line` of the configuration, 16 MiB without it, comes in pieces of that size.
    ///
    /// Events that nobody receives make the child wait. Dropping the receiver throws them away, and the child goes on.
    ///
    /// # Errors
    ///
    /// What can be told at once: arguments that cannot be passed, a directory that cannot be granted, a native twin that is
    /// not there.
    pub fn spawn(self) -> Result<(Receiver<CommandEvent>, CommandChild)> {
        let lines = Framing::lines().max_line(self.max_line);
        let framing = match self.partial_after {
            _ if self.raw_out => Framing::Raw,
            Some(quiet) => lines.partial_after(quiet),
            None => lines,
        };
        let child = self.start()?;
        let runtime = tauri::async_runtime::handle();
        let _in_runtime = runtime.inner().enter();
        let (events, child) = child.into_events_as(framing, event::translate);
        Ok((events, CommandChild::new(child)))
    }

    /// Starts it, closes its input, throws its output away, and waits.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Self::spawn), and when it could not be run to an end.
    pub async fn status(mut self) -> Result<ExitStatus> {
        self.inner.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = self.start()?;
        let status = child.wait().await?;
        Ok(ExitStatus { code: status.code() })
    }

    /// Starts it, closes its input, collects all it writes, and waits. At most 256 MiB of each stream.
    ///
    /// # Errors
    ///
    /// Those of [`status`](Self::status), and when it writes more than that.
    pub async fn output(self) -> Result<Output> {
        let child = self.start()?;
        let output = child.wait_with_output().await?;
        let status = ExitStatus { code: output.status.code() };
        Ok(Output { status, stdout: output.stdout, stderr: output.stderr })
    }

    /// A native twin needs the runtime that its pipes are registered with.
    fn start(&self) -> Result<Child> {
        let starting = self.children.starting()?;
        let runtime = tauri::async_runtime::handle();
        let _in_runtime = runtime.inner().enter();
        let child = self.inner.spawn()?;
        starting.started(child.watch());
        Ok(child)
    }
}
