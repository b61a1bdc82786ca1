//! What is left of a child whose output became events.

use wasi_sidecar::{Backend, ErrorKind, Usage};

use crate::{Result, error::broken_pipe, wait::wait_here};

/// A running child; the `CommandChild` of the shell plugin.
///
/// Dropping it closes the child's input and lets the child run on, unless [`Command::kill_on_drop`] was asked for.
///
/// [`Command::kill_on_drop`]: super::Command::kill_on_drop
///
/// ```no_run
/// # async fn ask(mut child: tauri_plugin_wasi_sidecar::process::CommandChild) -> tauri_plugin_wasi_sidecar::Result<()> {
/// child.write_async(b"a question\n").await?;
/// child.close_stdin();
/// child.kill()
/// # }
/// ```
#[derive(Debug)]
pub struct CommandChild {
    inner: wasi_sidecar::CommandChild,
}

impl CommandChild {
    pub(crate) fn new(inner: wasi_sidecar::CommandChild) -> Self {
        Self { inner }
    }

    /// Writes all of `buf` to its input. Blocks the calling thread while the child does not read; in async code
    /// [`write_async`](Self::write_async) waits without blocking.
    ///
    /// # Errors
    ///
    /// `Broken pipe` once the child has ended or its input was closed.
    pub fn write(&mut self, buf: &[u8]) -> Result<()> {
        wait_here(self.write_async(buf))
    }

    /// Writes all of `buf` to its input, waiting while the child does not read.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: some of the bytes may have been written.
    pub async fn write_async(&mut self, buf: &[u8]) -> Result<()> {
        self.inner.write(buf).await.map_err(|error| match error.kind() {
            ErrorKind::Closed => broken_pipe().into(),
            _ => error.into(),
        })
    }

    /// Ends its input.
    pub fn close_stdin(&mut self) {
        self.inner.close_stdin();
    }

    /// Kills it and waits for its end. `Ok` if it has ended already; `Terminated` still comes.
    ///
    /// # Errors
    ///
    /// None; the type is that of the shell plugin.
    pub fn kill(self) -> Result<()> {
        // That it could not be run to an end is told by its events; here it has ended, as was asked.
        let _ = wait_here(self.inner.kill());
        Ok(())
    }

    /// Its name among the children of the app. It is no process id: those are below `0x8000_0000`, these above.
    pub fn pid(&self) -> u32 {
        self.inner.id().get()
    }

    /// What runs it.
    pub fn backend(&self) -> Backend {
        self.inner.backend()
    }

    /// What it has used so far; `None` for a native twin.
    pub fn usage(&self) -> Option<Usage> {
        self.inner.usage()
    }
}
