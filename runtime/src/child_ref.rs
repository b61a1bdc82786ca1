//! A second handle to a child, for whoever keeps track of children without owning them.

use crate::{Backend, ChildId, ExitStatus, Result, Usage, imp::Process};

/// Refers to a child without owning it: dropping it closes no stream and ends nothing. Clones are cheap.
///
/// An application keeps one for each child that it wants to show in a list, or to end when a window closes, while
/// another part of it holds the [`Child`](crate::Child) itself.
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

    /// Its name among the children of this process.
    #[must_use]
    pub fn id(&self) -> ChildId {
        self.id
    }

    /// The process id, of a native child. A component has none.
    #[must_use]
    pub fn os_id(&self) -> Option<u32> {
        self.process.os_id
    }

    /// What runs it.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.process.backend
    }

    /// What it has used so far; `None` for a native child.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.process.usage()
    }

    /// Asks for its end and returns at once, as [`Child::start_kill`](crate::Child::start_kill) does.
    pub fn start_kill(&self) {
        self.process.kill();
    }

    /// Waits for its end. Unlike [`Child::wait`](crate::Child::wait) it leaves the child's input open.
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

    /// How it ended, if it has.
    ///
    /// # Errors
    ///
    /// Those of [`Child::wait`](crate::Child::wait).
    pub fn try_wait(&self) -> Result<Option<ExitStatus>> {
        self.process.outcome().transpose()
    }

    /// Whether nothing of it is left: it has ended, and its place among the guests of the engine is free again.
    ///
    /// A guest that was ended while it hung in a file call has an [`ExitStatus`] before it is gone: its thread, and its place
    /// below [`EngineConfig::max_guests`](crate::EngineConfig::max_guests), are kept until the call returns. Whoever limits how
    /// many guests somebody may have counts those as well.
    ///
    /// A native child is gone when it has ended.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.process.is_gone()
    }
}
