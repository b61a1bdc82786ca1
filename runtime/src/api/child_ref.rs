//! A second handle to a child, for code that tracks children without owning them.

use crate::{Backend, ChildId, ExitStatus, Result, Usage, backend::Process};

/// Refers to a child without owning it: dropping it neither closes streams nor ends the child. Clones are cheap.
///
/// An application keeps one per child to list children or to end them when a window closes, while other code holds the
/// [`Child`](crate::Child).
///
/// ```
/// # async fn end_later(child: wasi_sidecar::Child) -> wasi_sidecar::Result<()> {
/// use wasi_sidecar::Framing;
///
/// let watched = child.watch();
/// let (events, child) = child.into_events(Framing::lines());
/// watched.start_kill();
/// assert!(!watched.wait().await?.success());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ChildRef {
    id: ChildId,
    process: Process,
}

impl ChildRef {
    pub(crate) fn new(id: ChildId, process: Process) -> Self {
        Self { id, process }
    }

    /// The child's id, unique in this process.
    #[must_use]
    pub fn id(&self) -> ChildId {
        self.id
    }

    /// The operating system's process id of a native child. A component has none.
    #[must_use]
    pub fn os_id(&self) -> Option<u32> {
        self.process.os_id
    }

    /// Which backend runs the child.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.process.backend
    }

    /// What the child has used so far; `None` for a native child.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.process.usage()
    }

    /// Kills the child without waiting for its end, like [`Child::start_kill`](crate::Child::start_kill).
    pub fn start_kill(&self) {
        self.process.kill();
    }

    /// Waits for the child's end. Unlike [`Child::wait`](crate::Child::wait), it leaves the child's input open.
    ///
    /// # Errors
    ///
    /// Those of [`Child::wait`](crate::Child::wait).
    ///
    /// # Cancel safety
    ///
    /// Cancelling loses nothing.
    pub async fn wait(&self) -> Result<ExitStatus> {
        self.process.wait().await
    }

    /// How the child ended; `None` while it runs.
    ///
    /// # Errors
    ///
    /// Those of [`Child::wait`](crate::Child::wait).
    pub fn try_wait(&self) -> Result<Option<ExitStatus>> {
        self.process.outcome().transpose()
    }

    /// Whether the child has ended and released its slot among the engine's guests.
    ///
    /// A guest that is killed while it hangs in a file call has an [`ExitStatus`] before it is gone: it keeps its
    /// thread and its slot below [`EngineConfig::max_guests`](crate::EngineConfig::max_guests) until the call returns.
    /// Count such guests if you limit guests per user.
    ///
    /// A native child is gone as soon as it has ended.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.process.is_gone()
    }
}
