//! A running child: its streams, its kill and its end.

use tokio::sync::mpsc;

use super::pump;
use crate::{
    Backend, ChildId, ChildRef, ChildStderr, ChildStdin, ChildStdout, CommandChild, CommandEvent,
    Error, ErrorKind, ExitStatus, Framing, Result, Setting, Usage,
    backend::{Guard, Spawned, Stream},
};

/// What a child wrote, and how it ended.
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
/// use wasi_sidecar::Command;
///
/// let output = Command::new(component).output().await?;
/// assert!(output.status.success());
/// assert_eq!(output.stdout, b"hello\n");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How the child ended.
    pub status: ExitStatus,
    /// All of its standard output, byte for byte.
    pub stdout: Vec<u8>,
    /// All of its standard error, byte for byte.
    pub stderr: Vec<u8>,
}

/// A running child, modelled on [`tokio::process::Child`].
///
/// Dropping it closes its streams. The child continues to run unless [`kill_on_drop`](crate::Command::kill_on_drop) is
/// set.
///
/// ```
/// # use wasi_sidecar::*;
/// # async fn talk(mut child: Child) -> anyhow::Result<()> {
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
/// stdin.write_all(b"hello\n").await?;
/// drop(stdin); // the child reads the end of its input
/// let mut answer = String::new();
/// stdout.read_to_string(&mut answer).await?;
/// let status = child.wait().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Child {
    /// Standard input; `None` if it is not piped or was taken.
    pub stdin: Option<ChildStdin>,
    /// Standard output; `None` if it is not piped or was taken.
    pub stdout: Option<ChildStdout>,
    /// Standard error; `None` if it is not piped or was taken.
    pub stderr: Option<ChildStderr>,
    id: ChildId,
    max_output: usize,
    guard: Guard,
}

impl Child {
    pub(crate) fn new(spawned: Spawned, kill_on_drop: bool, max_output: usize) -> Self {
        let Spawned { stdin, stdout, stderr, process } = spawned;
        let guard = Guard { process, kill_on_drop };
        Self { stdin, stdout, stderr, id: ChildId::next(), max_output, guard }
    }

    /// The child's id, unique in this process.
    ///
    /// ```
    /// # fn keep(child: wasi_sidecar::Child) {
    /// use std::collections::HashMap;
    /// use wasi_sidecar::{Child, ChildId};
    ///
    /// let mut running: HashMap<ChildId, Child> = HashMap::new();
    /// running.insert(child.id(), child);
    /// # }
    /// ```
    #[must_use]
    pub fn id(&self) -> ChildId {
        self.id
    }

    /// The operating system's process id of a native child. A component has none.
    #[must_use]
    pub fn os_id(&self) -> Option<u32> {
        self.guard.process.os_id
    }

    /// Which backend runs the child.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.guard.process.backend
    }

    /// What the child has used so far; `None` for a native child, which the operating system accounts for.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.guard.process.usage()
    }

    /// A second handle. It owns nothing of the child.
    #[must_use]
    pub fn watch(&self) -> ChildRef {
        ChildRef::new(self.id, self.guard.process.clone())
    }

    /// Kills the child without waiting for its end. Works in any state: computing, blocked on a stream, sleeping,
    /// waiting for machine code. Output written before the kill can still be read. Returns `Ok` if the child has
    /// already ended.
    ///
    /// # Errors
    ///
    /// None today. The signature is that of [`tokio::process::Child::start_kill`].
    pub fn start_kill(&mut self) -> Result<()> {
        self.guard.process.kill();
        Ok(())
    }

    /// Kills the child and waits for its end.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait).
    pub async fn kill(&mut self) -> Result<()> {
        self.start_kill()?;
        // Its input stays open until it has ended: the end of its input could end a native program before the signal does.
        let ended = self.guard.process.wait().await;
        self.stdin = None;
        ended.map(drop)
    }

    /// Waits until the child ends and returns how it ended. Further calls return the same result.
    ///
    /// Closes standard input first, as [`tokio::process::Child::wait`] does: a child that reads until the end of its
    /// input would otherwise never end. A child whose output nobody reads still stops once 64 KiB are waiting. Take the
    /// streams, or use [`wait_with_output`](Self::wait_with_output).
    ///
    /// # Errors
    ///
    /// Fails when the artifact did not compile or the host failed. A guest's own faults are in the [`ExitStatus`].
    ///
    /// # Cancel safety
    ///
    /// Cancelling loses nothing.
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        self.stdin = None;
        self.guard.process.wait().await
    }

    /// How the child ended; `None` while it runs.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait).
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        self.guard.process.outcome().transpose()
    }

    /// Closes the child's input, collects its output, and waits for its end.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait), [`ErrorKind::Limit`] when the child writes more than
    /// [`max_output`](crate::Command::max_output), and [`ErrorKind::Io`] when there is no memory for its output. The
    /// last two kill the child.
    pub async fn wait_with_output(mut self) -> Result<Output> {
        self.stdin = None;
        let max = self.max_output;
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        let collected = tokio::try_join!(
            collect(stdout.map(|stream| stream.0), max),
            collect(stderr.map(|stream| stream.0), max)
        );
        match collected {
            Ok((stdout, stderr)) => Ok(Output { status: self.wait().await?, stdout, stderr }),
            Err(error) => {
                self.start_kill()?;
                Err(error)
            }
        }
    }

    /// Turns the child into a stream of events, like those of `tauri-plugin-shell`, and a handle.
    ///
    /// To receive many events fast, use [`recv_many`](mpsc::Receiver::recv_many), which wakes its caller once for all
    /// pending events, and [`Framing::line_blocks`], which puts all pending lines into one event.
    ///
    /// Streams that are not piped or were taken before give no events. [`Terminated`](CommandEvent::Terminated) comes
    /// once and last. Up to 256 KiB of unreceived events are buffered; then the child waits. If the receiver is
    /// dropped, output is discarded and the child goes on.
    #[must_use]
    pub fn into_events(self, framing: Framing) -> (mpsc::Receiver<CommandEvent>, CommandChild) {
        self.into_events_as(framing, std::convert::identity)
    }

    /// Like [`into_events`](Self::into_events), with each event converted to the caller's type. Converting in a second
    /// channel would lose the bound on buffered bytes.
    #[must_use]
    pub fn into_events_as<T: Send + 'static>(
        self,
        framing: Framing,
        map: fn(CommandEvent) -> T,
    ) -> (mpsc::Receiver<T>, CommandChild) {
        let Self { mut stdin, stdout, stderr, id, guard, .. } = self;
        let (events, delivered) = pump::pump(
            stdout.map(|stream| stream.0),
            stderr.map(|stream| stream.0),
            guard.process.clone(),
            framing,
            map,
        );
        if let Some(stdin) = &mut stdin {
            stdin.expect_answers(delivered);
        }
        (events, CommandChild::new(id, stdin, guard))
    }
}

async fn collect(stream: Option<Stream>, max: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(mut stream) = stream else { return Ok(bytes) };
    while let Some(chunk) =
        stream.chunk().await.map_err(|error| Error::io("read the child's output", error))?
    {
        if bytes.len() + chunk.len() > max {
            return Err(Error::new(
                ErrorKind::Limit,
                format!(
                    "the child wrote more than {max} bytes; read its output as a stream, or raise `{}`",
                    Setting::MaxOutput
                ),
            )
            .about(Setting::MaxOutput));
        }
        // A guest chooses how much it writes, up to the limit, so running out of memory must be an error and not an
        // abort.
        bytes
            .try_reserve(chunk.len())
            .map_err(|error| Error::io("collect the child's output", error.into()))?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
