//! A child's output as events, in the shape of `tauri-plugin-shell`.

use crate::{
    Backend, ChildId, ChildStdin, Error, ErrorKind, ExitStatus, Result, Termination, Usage,
    backend::Guard,
};

/// Something a child did.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module
/// #     (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
/// #     (memory (export "memory") 1)
/// #     (data (i32.const 0) "\08\00\00\00\06\00\00\00hello\n")
/// #     (func (export "_start")
/// #         (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#).unwrap();
/// # let engine = wasi_sidecar::Engine::new(&wasi_sidecar::EngineConfig::new())?;
/// # let component = wasi_sidecar::Component::load(&engine, wasm, wasi_sidecar::LoadOptions::new())?;
/// use wasi_sidecar::{Command, CommandEvent, Framing};
///
/// let (mut events, _child) = Command::new(component).spawn()?.into_events(Framing::lines());
/// assert_eq!(events.recv().await, Some(CommandEvent::Stdout(b"hello\n".to_vec())));
/// let Some(CommandEvent::Terminated(end)) = events.recv().await else { panic!("it goes on") };
/// assert_eq!(end.code, Some(0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandEvent {
    /// Bytes from standard output.
    Stdout(Vec<u8>),
    /// Bytes from standard error.
    Stderr(Vec<u8>),
    /// A message that is not the child's output: a trap, an exhausted limit with the name of its setting, or a stream
    /// that could not be read.
    Error(String),
    /// The child ended. Comes once, and last.
    Terminated(TerminatedPayload),
}

/// How a child ended.
///
/// ```
/// use wasi_sidecar::TerminatedPayload;
///
/// fn describe(end: &TerminatedPayload) -> String {
///     match (end.code, end.signal) {
///         (Some(code), _) => format!("exit code {code}"),
///         (None, Some(signal)) => format!("signal {signal}"),
///         (None, None) => "could not be run".to_owned(),
///     }
/// }
/// assert_eq!(describe(&TerminatedPayload::default()), "could not be run");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TerminatedPayload {
    /// The exit code, if the child exited by itself.
    pub code: Option<i32>,
    /// The signal that ended the child, or the number that stands for what did; see [`ExitStatus`].
    pub signal: Option<i32>,
    /// Why the child ended. `None` when it could not be run; an [`Error`](CommandEvent::Error) event before this one
    /// says why.
    pub termination: Option<Termination>,
}

impl From<ExitStatus> for TerminatedPayload {
    fn from(status: ExitStatus) -> Self {
        Self {
            code: status.code(),
            signal: status.signal(),
            termination: Some(status.termination().clone()),
        }
    }
}

/// A handle to a child whose output arrives as events. It writes the child's input and kills the child.
///
/// Dropping it closes the child's input. The child continues to run unless
/// [`kill_on_drop`](crate::Command::kill_on_drop) is set.
///
/// ```
/// # async fn ask(child: wasi_sidecar::Child) -> wasi_sidecar::Result<()> {
/// use wasi_sidecar::Framing;
///
/// let (mut events, mut child) = child.into_events(Framing::lines());
/// child.write(b"a question\n").await?;
/// let answer = events.recv().await;
/// child.kill().await
/// # }
/// ```
#[derive(Debug)]
pub struct CommandChild {
    id: ChildId,
    stdin: Option<ChildStdin>,
    guard: Guard,
}

impl CommandChild {
    pub(super) fn new(id: ChildId, stdin: Option<ChildStdin>, guard: Guard) -> Self {
        Self { id, stdin, guard }
    }

    /// The child's id, unique in this process.
    #[must_use]
    pub fn id(&self) -> ChildId {
        self.id
    }

    /// Which backend runs the child.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.guard.process.backend
    }

    /// What the child has used so far; `None` for a native child.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.guard.process.usage()
    }

    /// Writes all of `bytes` to the child's input. Waits while the child does not read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`] when the input was closed or is not piped, or the child has ended.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a part of the bytes may have been written.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        use tokio::io::AsyncWriteExt;

        let Some(stdin) = &mut self.stdin else {
            return Err(Error::new(ErrorKind::Closed, "the child's input is closed"));
        };
        let written = async {
            stdin.write_all(bytes).await?;
            stdin.flush().await
        };
        written.await.map_err(|error| match error.kind() {
            std::io::ErrorKind::BrokenPipe => Error::with(ErrorKind::Closed, "broken pipe", error),
            _ => Error::io("write to the child's input", error),
        })
    }

    /// Takes the child's input, to write to it elsewhere.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// Closes the child's input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Kills the child without waiting for its end. [`Terminated`](CommandEvent::Terminated) still comes.
    pub fn start_kill(&self) {
        self.guard.process.kill();
    }

    /// Kills the child and waits for its end.
    ///
    /// # Errors
    ///
    /// Those of [`Child::wait`](crate::Child::wait).
    pub async fn kill(self) -> Result<()> {
        self.start_kill();
        self.guard.process.wait().await.map(drop)
    }
}
