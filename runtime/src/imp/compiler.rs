//! Starts the compile child, and ends it. Beside `native.rs` the only file that starts a process, and always the same program.

use std::{
    io,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
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
