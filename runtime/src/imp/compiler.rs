//! Starts the compile child, and ends it. Beside `native.rs` the only file that starts a process, and always the same program.

use std::{
    io,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    time::Duration,
};

/// <https://learn.microsoft.com/en-us/windows/win32/procthread/process-creation-flags>
#[cfg(windows)]
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// The one entry of the environment that is passed on: without it the loader does not find the libraries that an AppImage
/// brings along.
#[cfg(target_os = "linux")]
const LIBRARIES: &str = "LD_LIBRARY_PATH";

/// A compile child. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Compiler(Child);

impl Compiler {
    /// Starts `program` with one argument and one entry of the environment, connected by two pipes.
    #[expect(clippy::disallowed_methods, reason = "one of the two places that start processes")]
    pub(crate) fn start(
        program: &Path,
        argument: &str,
        (name, value): (&str, &str),
    ) -> io::Result<(Self, ChildStdin, ChildStdout)> {
        let mut command = Command::new(program);
        command.arg(argument).env_clear().env(name, value);
        #[cfg(target_os = "linux")]
        if let Some(libraries) = std::env::var_os(LIBRARIES) {
            command.env(LIBRARIES, libraries);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        #[cfg(windows)]
        {
            use std::os::windows::process::CommandExt;
            command.creation_flags(CREATE_NO_WINDOW);
        }
        let mut child = Self(command.spawn()?);
        match (child.0.stdin.take(), child.0.stdout.take()) {
            (Some(stdin), Some(stdout)) => Ok((child, stdin, stdout)),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Ends it, whatever it does.
    pub(crate) fn kill(&mut self) {
        // The error is that it has ended.
        let _ = self.0.kill();
    }

    /// CPU time that it has used so far, where that can be told: where priorities are changed.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        /// Of a second: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>, and `USER_HZ` is this everywhere.
        const TICK: Duration = Duration::from_millis(10);

        #[expect(clippy::disallowed_methods, reason = "what the system says of a process of ours")]
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).ok()?;
        // The name before can have anything in it, parentheses too.
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks = |index| fields.split_whitespace().nth(index)?.parse::<u32>().ok();
        Some(TICK.saturating_mul(ticks(11)?.saturating_add(ticks(12)?)))
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        None
    }

    /// Waits for its end, and says how it ended.
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.wait()
    }
}

impl Drop for Compiler {
    fn drop(&mut self) {
        self.kill();
        // So that nothing is left of it in the list of processes either.
        let _ = self.wait();
    }
}
