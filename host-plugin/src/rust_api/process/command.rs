//! Configures and starts a sidecar, with the builder of the shell plugin.

use std::{ffi::OsStr, path::Path, time::Duration};

use tauri::async_runtime::Receiver;
use wasi_sidecar::{Backend, Child, Framing, Program, Stdio};

use super::{CommandChild, CommandEvent, event};
use crate::{Result, children::Children};

/// A builder that starts a sidecar; the `Command` of the shell plugin.
///
/// [`SidecarExt::sidecar`](crate::SidecarExt::sidecar) returns it with the configured grants and limits.
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

/// The exit status of a sidecar; the `ExitStatus` of the shell plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExitStatus {
    code: Option<i32>,
}

impl ExitStatus {
    /// The exit code, if the sidecar exited by itself.
    pub fn code(&self) -> Option<i32> {
        self.code
    }

    /// Whether the sidecar exited by itself with code 0.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }
}

/// The collected output and the exit status of a sidecar; the `Output` of the shell plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit status.
    pub status: ExitStatus,
    /// Standard output, byte for byte. (The shell plugin appends a newline to each event.)
    pub stdout: Vec<u8>,
    /// Standard error, byte for byte.
    pub stderr: Vec<u8>,
}

impl Command {
    pub(crate) fn new(inner: wasi_sidecar::Command, max_line: usize, children: Children) -> Self {
        Self { inner, raw_out: false, partial_after: None, max_line, children }
    }

    /// Appends an argument.
    #[must_use]
    pub fn arg<S: AsRef<OsStr>>(mut self, arg: S) -> Self {
        self.inner.arg(arg);
        self
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<I, S>(mut self, args: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.inner.args(args);
        self
    }

    /// Removes all environment entries set so far. A native fallback then inherits none of the app's entries either.
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

    /// Sets the initial directory. For a component this is a guest path inside a granted directory. Not every component
    /// follows it; see [`wasi_sidecar::Command::current_dir`].
    #[must_use]
    pub fn current_dir<P: AsRef<Path>>(mut self, current_dir: P) -> Self {
        self.inner.current_dir(current_dir);
        self
    }

    /// Delivers output as raw bytes instead of lines.
    #[must_use]
    pub fn set_raw_out(mut self, raw_out: bool) -> Self {
        self.raw_out = raw_out;
        self
    }

    /// Delivers an unfinished line, as an event without a line end, after the child has added nothing to it for this long. By
    /// default a prompt waits until its line ends, as in the shell plugin.
    #[must_use]
    pub fn flush_partial_lines(mut self, quiet: Duration) -> Self {
        self.partial_after = Some(quiet);
        self
    }

    /// Does nothing; the shell plugin has this method. A component is not a process. On Unix a native fallback always has its
    /// own process group, and killing it kills the group while its leader runs.
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

    /// The backend that would run the sidecar.
    pub fn backend(&self) -> Backend {
        match self.inner.program() {
            Program::Native(_) => Backend::Native,
            _ => Backend::Component,
        }
    }

    /// Starts the sidecar without waiting for its compilation; the child's streams wait for that.
    ///
    /// A line longer than the configured `limits.line` (16 MiB by default) arrives in pieces of that size.
    ///
    /// The child waits while nobody receives its events. Dropping the receiver discards them, and the child continues.
    ///
    /// # Errors
    ///
    /// If arguments cannot be passed, a directory cannot be granted, or the native fallback is missing. Later failures are
    /// events.
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

    /// Starts the sidecar with closed standard input, discards its output, and waits for its end.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Self::spawn), and if running the sidecar fails.
    pub async fn status(mut self) -> Result<ExitStatus> {
        self.inner.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = self.start()?;
        let status = child.wait().await?;
        Ok(ExitStatus { code: status.code() })
    }

    /// Starts the sidecar with closed standard input, collects at most 256 MiB of each output stream, and waits for its end.
    ///
    /// # Errors
    ///
    /// Those of [`status`](Self::status), and if a stream exceeds 256 MiB.
    pub async fn output(self) -> Result<Output> {
        let child = self.start()?;
        let output = child.wait_with_output().await?;
        let status = ExitStatus { code: output.status.code() };
        Ok(Output { status, stdout: output.stdout, stderr: output.stderr })
    }

    /// Enters Tauri's runtime, since the pipes of a native fallback register with the current runtime.
    fn start(&self) -> Result<Child> {
        let starting = self.children.start()?;
        let runtime = tauri::async_runtime::handle();
        let _in_runtime = runtime.inner().enter();
        let child = self.inner.spawn()?;
        starting.started(child.watch());
        Ok(child)
    }
}
