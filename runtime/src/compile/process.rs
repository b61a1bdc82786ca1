//! Starts and ends a compile child's process. Only this file and `backend/native.rs` start processes.

use std::{
    io,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    time::Duration,
};

/// <https://learn.microsoft.com/en-us/windows/win32/procthread/process-creation-flags>
#[cfg(windows)]
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// The only environment entry passed on: without it, the loader does not find the libraries of an AppImage.
#[cfg(target_os = "linux")]
const LIBRARIES: &str = "LD_LIBRARY_PATH";

/// A running compile child. Dropping it kills it.
#[derive(Debug)]
pub(super) struct CompileProcess(Child);

impl CompileProcess {
    /// Starts `program` with one argument, one environment entry, and two pipes.
    #[expect(clippy::disallowed_methods, reason = "one of the two places that start processes")]
    pub(super) fn start(
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

    /// Kills the process in any state.
    pub(super) fn kill(&mut self) {
        // An error means that it has ended.
        let _ = self.0.kill();
    }

    /// CPU time used so far. `None` on systems where compilations keep their priority.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn cpu_time(&self) -> Option<Duration> {
        /// A hundredth of a second: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>, where `USER_HZ` is
        /// 100 on all systems.
        const TICK: Duration = Duration::from_millis(10);

        #[expect(clippy::disallowed_methods, reason = "what the system says of a process of ours")]
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).ok()?;
        // The program's name comes before and can contain anything, parentheses too.
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks = |index| fields.split_whitespace().nth(index)?.parse::<u32>().ok();
        Some(TICK.saturating_mul(ticks(11)?.saturating_add(ticks(12)?)))
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(super) fn cpu_time(&self) -> Option<Duration> {
        None
    }

    /// Waits for the process to end.
    pub(super) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.wait()
    }
}

impl Drop for CompileProcess {
    fn drop(&mut self) {
        self.kill();
        // Reaps the process, so that no zombie is left.
        let _ = self.wait();
    }
}
