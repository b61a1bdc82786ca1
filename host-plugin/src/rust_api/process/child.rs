//! A running child: its input, its end and its usage. Its output arrives as events.

use wasi_sidecar::{Backend, ErrorKind, Usage};

use crate::{Result, block_on::block_on, error::broken_pipe};

/// A running child; the `CommandChild` of the shell plugin.
///
/// Dropping it closes the child's standard input. The child continues to run unless [`Command::kill_on_drop`] is set.
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

    /// Writes all of `buf` to standard input. Blocks the calling thread while the child does not read; use
    /// [`write_async`](Self::write_async) in async code.
    ///
    /// # Errors
    ///
    /// `Broken pipe` if the child has ended or its standard input is closed.
    pub fn write(&mut self, buf: &[u8]) -> Result<()> {
        block_on(self.write_async(buf))
    }

    /// Writes all of `buf` to standard input, and waits while the child does not read.
    ///
    /// # Errors
    ///
    /// The same as [`write`](Self::write).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the child may have received some of the bytes.
    pub async fn write_async(&mut self, buf: &[u8]) -> Result<()> {
        self.inner.write(buf).await.map_err(|error| match error.kind() {
            ErrorKind::Closed => broken_pipe().into(),
            _ => error.into(),
        })
    }

    /// Closes standard input; the child reads an end of file.
    pub fn close_stdin(&mut self) {
        self.inner.close_stdin();
    }

    /// Kills the child and waits for its end. `Ok` if it has ended already. The event `Terminated` still comes.
    ///
    /// # Errors
    ///
    /// None. The return type is that of the shell plugin.
    pub fn kill(self) -> Result<()> {
        // An error means that running the child failed, which its events report. It has ended either way.
        let _ = block_on(self.inner.kill());
        Ok(())
    }

    /// The child's id, unique in the app. It is not a process id: process ids are below `0x8000_0000`, child ids above.
    pub fn pid(&self) -> u32 {
        self.inner.id().get()
    }

    /// The backend that runs the child.
    pub fn backend(&self) -> Backend {
        self.inner.backend()
    }

    /// What the child has used so far; `None` for a native fallback.
    pub fn usage(&self) -> Option<Usage> {
        self.inner.usage()
    }
}
