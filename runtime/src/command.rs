//! How to run a program.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use crate::{
    Capabilities, Child, ExitStatus, Limits, Output, Program, Result, Stdio,
    imp::{self, Spec},
    text,
};

/// Bytes of each stream that [`Command::output`] collects, unless it is told otherwise.
const DEFAULT_MAX_OUTPUT: usize = 256 << 20;

/// How to run a program; the shape of [`tokio::process::Command`].
///
/// Defaults, at [`Command::new`]:
/// - no arguments
/// - an empty environment: a sidecar sees what it is given and nothing else, a native one too
/// - piped standard streams
/// - no [`Capabilities`], default [`Limits`]; neither applies to a native program
/// - the child lives on when its handle is dropped
///
/// ```
/// # async fn run(component: wasi_sidecar::Component) -> wasi_sidecar::Result<()> {
/// use wasi_sidecar::Command;
///
/// let output = Command::new(component).arg("--version").output().await?;
/// assert!(output.status.success());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Command {
    program: Program,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    inherit_env: bool,
    env_cleared: bool,
    current_dir: Option<PathBuf>,
    stdin: Option<Stdio>,
    stdout: Option<Stdio>,
    stderr: Option<Stdio>,
    capabilities: Capabilities,
    limits: Limits,
    kill_on_drop: bool,
    max_output: usize,
}

impl Command {
    /// A command with the defaults listed above.
    #[must_use]
    pub fn new(program: impl Into<Program>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            inherit_env: false,
            env_cleared: false,
            current_dir: None,
            stdin: None,
            stdout: None,
            stderr: None,
            capabilities: Capabilities::new(),
            limits: Limits::new(),
            kill_on_drop: false,
            max_output: DEFAULT_MAX_OUTPUT,
        }
    }

    /// What it runs.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Adds an argument. A component's arguments are UTF-8 without NUL, at most 10,000 and 1 MiB together.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(&mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment entry for this run; it wins over a granted one of the same name.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.env.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Sets environment entries for this run.
    pub fn envs(
        &mut self,
        env: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> &mut Self {
        for (name, value) in env {
            self.env(name, value);
        }
        self
    }

    /// Removes the entries set so far, and passes on none of the granted ones.
    pub fn env_clear(&mut self) -> &mut Self {
        self.env.clear();
        self.env_cleared = true;
        self.inherit_env = false;
        self
    }

    /// Gives a native program the host's whole environment below the entries set here, as `std` does. A
    /// component is refused it when it is spawned: it is granted names instead.
    pub fn inherit_env(&mut self) -> &mut Self {
        self.inherit_env = true;
        self
    }

    /// The initial directory. For a component: a path as the guest sees it, which must lie in a granted directory. It
    /// is told it by WASI (`initial-cwd`) and in the environment entry `PWD`.
    ///
    /// The program has to go there. Go's library does, and so does a component that asks for `initial-cwd` (in Rust:
    /// `wasi_sidecar_guest::initial_dir`). The C library below most languages starts in `/` and cannot tell `f` from
    /// `/f`, so [`spawn`](Self::spawn) refuses all other programs a directory other than `/`, and with a directory granted as `/`
    /// those that may not ask. Grant the directory that such a program should start in as `/`.
    pub fn current_dir(&mut self, path: impl AsRef<Path>) -> &mut Self {
        self.current_dir = Some(path.as_ref().to_owned());
        self
    }

    /// Connects standard input.
    pub fn stdin(&mut self, stdin: Stdio) -> &mut Self {
        self.stdin = Some(stdin);
        self
    }

    /// Connects standard output.
    pub fn stdout(&mut self, stdout: Stdio) -> &mut Self {
        self.stdout = Some(stdout);
        self
    }

    /// Connects standard error.
    pub fn stderr(&mut self, stderr: Stdio) -> &mut Self {
        self.stderr = Some(stderr);
        self
    }

    /// What a component may touch. A native program touches what its user may, whatever is given here.
    pub fn capabilities(&mut self, capabilities: Capabilities) -> &mut Self {
        self.capabilities = capabilities;
        self
    }

    /// How much a component may use.
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.limits = limits;
        self
    }

    /// Whether dropping the handle kills the child; it does not by default.
    pub fn kill_on_drop(&mut self, kill: bool) -> &mut Self {
        self.kill_on_drop = kill;
        self
    }

    /// Bytes of each stream that [`output`](Self::output) collects, 256 MiB by default. More kills the child.
    pub fn max_output(&mut self, bytes: usize) -> &mut Self {
        self.max_output = bytes;
        self
    }

    /// Starts it. Never waits for a compilation: that goes on behind the child's streams, which work at once,
    /// and so does killing it.
    ///
    /// # Errors
    ///
    /// What can be checked at once: arguments and environment that cannot be passed, a grant or an initial
    /// directory that cannot be given, limits out of range; for a native program, that it cannot be started,
    /// or that there is no Tokio runtime here.
    pub fn spawn(&self) -> Result<Child> {
        let name = text::name(&self.program.name());
        let spawned = imp::spawn(&self.program, self.spec()).inspect_err(|error| {
            // The text can hold a guest's arguments, and they are data.
            tracing::warn!(guest = %name, kind = ?error.kind(), "refused");
            tracing::debug!(guest = %name, error = %error.chain(), "refused because");
        })?;
        let child = Child::new(spawned, self.kill_on_drop, self.max_output);
        tracing::info!(guest = %name, id = %child.id(), backend = %child.backend(), "spawned");
        Ok(child)
    }

    /// Starts it with the host's own streams where none were set, and waits.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Self::spawn) and [`Child::wait`].
    pub async fn status(&self) -> Result<ExitStatus> {
        let mut command = self.clone();
        for stream in [&mut command.stdin, &mut command.stdout, &mut command.stderr] {
            stream.get_or_insert(Stdio::inherit());
        }
        command.spawn()?.wait().await
    }

    /// Starts it, closes its input, collects its output and waits.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Self::spawn) and [`Child::wait_with_output`].
    pub async fn output(&self) -> Result<Output> {
        self.spawn()?.wait_with_output().await
    }

    fn spec(&self) -> Spec {
        let mut capabilities = self.capabilities.clone();
        if self.env_cleared {
            capabilities.env.clear();
        }
        Spec {
            args: self.args.clone(),
            env: self.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            inherit_env: self.inherit_env,
            current_dir: self.current_dir.clone(),
            stdin: self.stdin.unwrap_or_default().0,
            stdout: self.stdout.unwrap_or_default().0,
            stderr: self.stderr.unwrap_or_default().0,
            capabilities,
            limits: self.limits.clone(),
            kill_on_drop: self.kill_on_drop,
        }
    }
}
