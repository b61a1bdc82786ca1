//! The state of a component's machine code, and notifications of its changes.

use std::{mem, time::Instant};

use tokio::sync::watch;

use crate::{Error, guest::code::Compiled};

/// Where a component's machine code came from.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{CodeOrigin, Component, Engine, EngineConfig, LoadOptions};
///
/// let engine = Engine::new(&EngineConfig::new())?; // without a code cache
/// let component = Component::load(&engine, wasm, LoadOptions::new())?;
/// assert_eq!(component.code_origin(), None);
/// component.compile().await?;
/// assert_eq!(component.code_origin(), Some(CodeOrigin::Compiled));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodeOrigin {
    /// Compiled by this engine.
    Compiled,
    /// Found in the [`CodeCache`](crate::CodeCache).
    Cache,
    /// Compiled ahead of time and supplied by [`LoadOptions::code`](crate::LoadOptions::code).
    AheadOfTime,
}

/// The state of the machine code of a [`Component`](crate::Component) or a [`Sidecar`](crate::Sidecar).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{CodeOrigin, Component, Engine, EngineConfig, LoadOptions, Status};
///
/// let engine = Engine::new(&EngineConfig::new())?;
/// let component = Component::load(&engine, wasm, LoadOptions::new())?;
/// assert!(matches!(component.status(), Status::NotAsked));
/// component.compile().await?;
/// assert!(matches!(component.status(), Status::Ready(CodeOrigin::Compiled)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Status {
    /// Nobody has spawned or compiled the component yet.
    NotAsked,
    /// The code is being looked up, or waits for a compile slot.
    Queued,
    /// The code is being compiled.
    Compiling {
        /// When the compilation started.
        since: Instant,
    },
    /// The code is ready: a spawn does not wait.
    Ready(CodeOrigin),
    /// The component cannot be compiled here.
    Failed(Error),
    /// A native program runs, which needs no machine code. Only a [`Sidecar`](crate::Sidecar) has this status.
    Native,
}

impl Status {
    /// Whether the status is final.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Ready(_) | Self::Failed(_) | Self::Native)
    }
}

/// Notifies of changes of a component's [`Status`]. Made by
/// [`Component::watch_status`](crate::Component::watch_status).
///
/// It does not keep the component alive.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{Command, Component, Engine, EngineConfig, LoadOptions, Status};
///
/// let engine = Engine::new(&EngineConfig::new())?;
/// let component = Component::load(&engine, wasm, LoadOptions::new())?;
/// let mut status = component.watch_status();
/// let mut child = Command::new(component).spawn()?;
/// while let Some(status) = status.changed().await {
///     if let Status::Compiling { since } = status {
///         println!("compiling for {:?}", since.elapsed());
///     }
///     if status.is_final() {
///         break;
///     }
/// }
/// # child.wait().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct StatusWatch {
    state: watch::Receiver<State>,
    /// Whether the last returned status was [`Status::NotAsked`].
    was_not_asked: bool,
}

impl StatusWatch {
    pub(super) fn new(mut state: watch::Receiver<State>) -> Self {
        let was_not_asked = matches!(state.borrow_and_update().status(), Status::NotAsked);
        Self { state, was_not_asked }
    }

    /// The current status.
    #[must_use]
    pub fn current(&self) -> Status {
        self.state.borrow().status()
    }

    /// The next status that differs from the last one returned, or from the initial one. Skips statuses that passed
    /// between calls. `None` once the component is gone.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the next call returns a change that a cancelled call did not.
    pub async fn changed(&mut self) -> Option<Status> {
        loop {
            self.state.changed().await.ok()?;
            let status = self.state.borrow_and_update().status();
            let is_not_asked = matches!(status, Status::NotAsked);
            let was_not_asked = mem::replace(&mut self.was_not_asked, is_not_asked);
            // A look-up that found no code changes nothing.
            if !(is_not_asked && was_not_asked) {
                return Some(status);
            }
        }
    }
}

impl std::fmt::Debug for StatusWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StatusWatch").field(&self.current()).finish()
    }
}

/// [`Status`], with the code itself.
pub(super) enum State {
    NotAsked,
    Queued,
    Compiling(Instant),
    Ready(Compiled, CodeOrigin),
    Failed(Error),
}

impl State {
    pub(super) fn status(&self) -> Status {
        match self {
            Self::NotAsked => Status::NotAsked,
            Self::Queued => Status::Queued,
            Self::Compiling(since) => Status::Compiling { since: *since },
            Self::Ready(_, origin) => Status::Ready(*origin),
            Self::Failed(error) => Status::Failed(error.clone()),
        }
    }
}
