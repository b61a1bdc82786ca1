//! Configures and starts a program, like [`tokio::process::Command`].

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use crate::{
    Child, ExitStatus, Grants, Limits, Output, Program, Result, Stdio,
    backend::{self, Spec},
    text,
};

/// Default limit on the bytes that [`Command::output`] collects from each stream.
const DEFAULT_MAX_OUTPUT: usize = 256 << 20;

/// Configures and starts a program, modelled on [`tokio::process::Command`].
///
/// Defaults, at [`Command::new`]:
/// - no arguments
/// - an empty environment, also for a native program
/// - piped standard streams
/// - no [`Grants`], default [`Limits`]; neither applies to a native program
/// - the child keeps running when its handle is dropped
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
    grants: Grants,
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
            grants: Grants::new(),
            limits: Limits::new(),
            kill_on_drop: false,
            max_output: DEFAULT_MAX_OUTPUT,
        }
    }

    /// The program to run.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Adds an argument. A component's arguments must be UTF-8 without NUL, at most 10,000, and 1 MiB in total.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(&mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment entry for this run. It overrides a granted entry of the same name.
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

    /// Removes all entries set so far, and withholds all granted ones.
    pub fn env_clear(&mut self) -> &mut Self {
        self.env.clear();
        self.env_cleared = true;
        self.inherit_env = false;
        self
    }

    /// Lets a native program inherit the host's environment below the entries set here, as `std` does.
    /// [`spawn`](Self::spawn) refuses this for a component: grant it single names instead.
    pub fn inherit_env(&mut self) -> &mut Self {
        self.inherit_env = true;
        self
    }

    /// Sets the initial directory. For a component it is a guest path inside a granted directory, passed as WASI's
    /// `initial-cwd` and in the environment entry `PWD`.
    ///
    /// The program has to follow it. Go's library does, and so do components that ask for `initial-cwd` (in Rust:
    /// `wasi_sidecar_guest::initial_dir`). The C library below most languages starts in `/` and cannot tell `f` from
    /// `/f`, so [`spawn`](Self::spawn) refuses any directory but `/` for all other programs. If a directory is granted
    /// as `/`, it also refuses components that can ask but might not. Grant the directory that such a program should
    /// start in as `/`.
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

    /// What a component may access. Does not restrict a native program, which has all rights of its user.
    pub fn grants(&mut self, grants: Grants) -> &mut Self {
        self.grants = grants;
        self
    }

    /// How much a component may use.
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.limits = limits;
        self
    }

    /// Whether dropping the handle kills the child. Default: no.
    pub fn kill_on_drop(&mut self, kill: bool) -> &mut Self {
        self.kill_on_drop = kill;
        self
    }

    /// Bytes of each stream that [`output`](Self::output) collects, 256 MiB by default. A child that writes more is
    /// killed.
    pub fn max_output(&mut self, bytes: usize) -> &mut Self {
        self.max_output = bytes;
        self
    }

    /// Starts the program. Never waits for a compilation: the child's streams and its kill work while its code
    /// compiles.
    ///
    /// # Errors
    ///
    /// Fails for arguments or environment entries that cannot be passed, a grant or initial directory that cannot be
    /// given, and limits out of range. A native program also fails if it cannot be started or if there is no Tokio
    /// runtime.
    pub fn spawn(&self) -> Result<Child> {
        let name = text::name(&self.program.name());
        let spawned = backend::spawn(&self.program, self.spec()).inspect_err(|error| {
            // The error text may quote a guest's arguments, and the log has data at the debug level only.
            tracing::warn!(guest = %name, kind = ?error.kind(), "refused");
            tracing::debug!(guest = %name, error = %error.chain(), "refused because");
        })?;
        let child = Child::new(spawned, self.kill_on_drop, self.max_output);
        tracing::info!(guest = %name, id = %child.id(), backend = %child.backend(), "spawned");
        Ok(child)
    }

    /// Starts the program with the host's own streams where none are set, and waits for its end.
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

    /// Starts the program, closes its input, collects its output, and waits for its end.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Self::spawn) and [`Child::wait_with_output`].
    pub async fn output(&self) -> Result<Output> {
        self.spawn()?.wait_with_output().await
    }

    fn spec(&self) -> Spec {
        let mut grants = self.grants.clone();
        if self.env_cleared {
            grants.env.clear();
        }
        Spec {
            args: self.args.clone(),
            env: self.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            inherit_env: self.inherit_env,
            current_dir: self.current_dir.clone(),
            stdin: self.stdin.unwrap_or_default().0,
            stdout: self.stdout.unwrap_or_default().0,
            stderr: self.stderr.unwrap_or_default().0,
            grants,
            limits: self.limits.clone(),
            kill_on_drop: self.kill_on_drop,
        }
    }
}
