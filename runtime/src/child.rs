//! A running child.

use tokio::sync::mpsc;

use crate::{
    Backend, ChildId, ChildRef, ChildStderr, ChildStdin, ChildStdout, CommandChild, CommandEvent,
    Error, ErrorKind, ExitStatus, Framing, Result, Usage, event,
    imp::{Guard, Spawned},
    streams::Stream,
};

/// What a child has written, and how it ended.
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
/// # let component = wasi_sidecar::Component::new(&engine, wasm)?;
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
    /// How it ended.
    pub status: ExitStatus,
    /// All of its standard output, byte for byte.
    pub stdout: Vec<u8>,
    /// All of its standard error.
    pub stderr: Vec<u8>,
}

/// A running child; the shape of [`tokio::process::Child`].
///
/// Dropping it closes its streams and lets the child run on, unless
/// [`kill_on_drop`](crate::Command::kill_on_drop) was asked for.
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
    /// Its standard input, if piped and not taken yet.
    pub stdin: Option<ChildStdin>,
    /// Its standard output, likewise.
    pub stdout: Option<ChildStdout>,
    /// Its standard error, likewise.
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

    /// Its name among the children of this process.
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

    /// The process id, of a native child. A component has none.
    #[must_use]
    pub fn os_id(&self) -> Option<u32> {
        self.guard.process.os_id
    }

    /// What runs it.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.guard.process.backend
    }

    /// What it has used so far; `None` for a native child, which the system accounts for.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.guard.process.usage()
    }

    /// A second handle, which owns nothing of the child.
    #[must_use]
    pub fn watch(&self) -> ChildRef {
        ChildRef::new(self.id, self.guard.process.clone())
    }

    /// Asks for its end and returns at once. Works in any state: computing, blocked on a stream, sleeping,
    /// waiting for its code. What it wrote before can still be read. `Ok` if it has ended already.
    ///
    /// # Errors
    ///
    /// None today; the type is that of [`tokio::process::Child::start_kill`].
    pub fn start_kill(&mut self) -> Result<()> {
        self.guard.process.kill();
        Ok(())
    }

    /// Asks for its end and waits for it.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait).
    pub async fn kill(&mut self) -> Result<()> {
        self.start_kill()?;
        self.wait().await.map(drop)
    }

    /// Waits until it has ended, and says how. Can be called again and gives the same answer.
    ///
    /// Standard input is closed first, as [`tokio::process::Child::wait`] does: a child that reads until the
    /// end of its input would otherwise never end. Output that nobody reads still stops the child when
    /// 64 KiB are waiting; take the streams, or use [`wait_with_output`](Self::wait_with_output).
    ///
    /// # Errors
    ///
    /// When the child could not be run to an end: its artifact did not compile, or the host failed. A guest's
    /// own faults are in the [`ExitStatus`].
    ///
    /// # Cancel safety
    ///
    /// Cancelling loses nothing.
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        self.stdin = None;
        self.guard.process.wait().await
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait).
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        self.guard.process.outcome().transpose()
    }

    /// Closes its input, collects what it writes, and waits.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait), and [`ErrorKind::Limit`] when it writes more than
    /// [`max_output`](crate::Command::max_output), or [`ErrorKind::Io`] when there is no memory for it; it is killed then.
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

    /// Turns the child into a stream of events, as `tauri-plugin-shell` gives them, and a handle.
    ///
    /// The fast way to take many is [`recv_many`](mpsc::Receiver::recv_many), which wakes its caller once for all events that have
    /// come, and [`Framing::line_blocks`], which puts all lines that have come into one.
    ///
    /// Streams that were taken before, or are not piped, give no events.
    /// [`Terminated`](CommandEvent::Terminated) comes once and last. Events that nobody receives are held
    /// back up to 256 KiB; then the child waits. When the receiver is dropped the output is thrown away and
    /// the child goes on.
    #[must_use]
    pub fn into_events(self, framing: Framing) -> (mpsc::Receiver<CommandEvent>, CommandChild) {
        self.into_events_as(framing, std::convert::identity)
    }

    /// The same with events of another type, for who has one of its own: without a second channel, whose contents nobody
    /// would count.
    #[must_use]
    pub fn into_events_as<T: Send + 'static>(
        self,
        framing: Framing,
        map: fn(CommandEvent) -> T,
    ) -> (mpsc::Receiver<T>, CommandChild) {
        let Self { stdin, stdout, stderr, id, guard, .. } = self;
        let events = event::pump(
            stdout.map(|stream| stream.0),
            stderr.map(|stream| stream.0),
            guard.process.clone(),
            framing,
            map,
        );
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
                    "the child wrote more than {max} bytes; read its output as a stream, or raise \
                     `Command::max_output`"
                ),
            ));
        }
        // As much as the guest likes, up to the limit: a lack of memory is an error.
        bytes
            .try_reserve(chunk.len())
            .map_err(|error| Error::io("collect the child's output", error.into()))?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
