//! How far the machine code of a component is, and being told when that changes.

use std::{mem, time::Instant};

use tokio::sync::watch;

use super::code::Compiled;
use crate::{CodeOrigin, Error};

/// How far the machine code of a [`Component`](crate::Component) or a [`Sidecar`](crate::Sidecar) is.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{CodeOrigin, Component, Engine, EngineConfig, Status};
///
/// let engine = Engine::new(&EngineConfig::new())?;
/// let component = Component::new(&engine, wasm)?;
/// assert!(matches!(component.status(), Status::NotAsked));
/// component.compile().await?;
/// assert!(matches!(component.status(), Status::Ready(CodeOrigin::Compiled)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Status {
    /// Nobody has spawned or compiled it yet.
    NotAsked,
    /// Its code is looked for, or waits for its turn to be compiled.
    Queued,
    /// It is being compiled.
    Compiling {
        /// When that began.
        since: Instant,
    },
    /// Its code is there: a spawn does not wait for it.
    Ready(CodeOrigin),
    /// It cannot be compiled here.
    Failed(Error),
    /// What runs is a native program, which needs no code of ours. Only a [`Sidecar`](crate::Sidecar) is told so.
    Native,
}

impl Status {
    /// Whether there is nothing left to wait for.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Ready(_) | Self::Failed(_) | Self::Native)
    }
}

/// The changes of a component's [`Status`], from [`Component::watch_status`](crate::Component::watch_status).
///
/// It does not keep the component alive.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{Command, Component, Engine, EngineConfig, Status};
///
/// let engine = Engine::new(&EngineConfig::new())?;
/// let component = Component::new(&engine, wasm)?;
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
    /// Whether the last status that was given is that nobody has asked.
    was_not_asked: bool,
}

impl StatusWatch {
    pub(super) fn new(mut state: watch::Receiver<State>) -> Self {
        let was_not_asked = matches!(state.borrow_and_update().status(), Status::NotAsked);
        Self { state, was_not_asked }
    }

    /// How far it is now.
    #[must_use]
    pub fn current(&self) -> Status {
        self.state.borrow().status()
    }

    /// The next status that differs from the last one this method gave, or from the one when this was made. Those that
    /// passed while nobody asked are left out. `None` once the component is gone.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a change that was not returned is returned by the next call.
    pub async fn changed(&mut self) -> Option<Status> {
        loop {
            self.state.changed().await.ok()?;
            let status = self.state.borrow_and_update().status();
            let is_not_asked = matches!(status, Status::NotAsked);
            let was_not_asked = mem::replace(&mut self.was_not_asked, is_not_asked);
            // Code may have been looked for without there being any, which changes nothing.
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
