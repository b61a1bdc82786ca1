//! A running child and its streams.

use std::{
    fmt, io,
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    process,
    sync::mpsc,
};

use crate::{
    Backend, CommandChild, CommandEvent, Error, ErrorKind, ExitStatus, Framing, Result, Usage,
    event,
    imp::{Process, Spawned},
    pipe::{CAPACITY, PipeReader, PipeWriter},
};

/// Names a child, whichever backend runs it. Unique as long as the process lives.
///
/// It is never an operating system's process id: those are below `0x8000_0000`, these above, so that nobody
/// sends a signal to a stranger by mistake. For the system's own see [`Child::os_id`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildId(u32);

impl ChildId {
    fn next() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed) | 0x8000_0000)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChildId({:#x})", self.0)
    }
}

/// What a child has written, and how it ended.
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

/// Ends the child when dropped, if that was asked for.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) process: Process,
    kill_on_drop: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.kill_on_drop {
            self.process.kill();
        }
    }
}

impl Child {
    pub(crate) fn new(spawned: Spawned, kill_on_drop: bool, max_output: usize) -> Self {
        let Spawned { stdin, stdout, stderr, process } = spawned;
        let guard = Guard { process, kill_on_drop };
        Self { stdin, stdout, stderr, id: ChildId::next(), max_output, guard }
    }

    /// Its name among the children of this process.
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
        (self.backend() == Backend::Component).then(|| self.guard.process.control().usage())
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
    /// [`max_output`](crate::Command::max_output); it is killed then.
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
    /// Streams that were taken before, or are not piped, give no events.
    /// [`Terminated`](CommandEvent::Terminated) comes once and last. Events that nobody receives are held
    /// back up to 256 KiB; then the child waits. When the receiver is dropped the output is thrown away and
    /// the child goes on.
    #[must_use]
    pub fn into_events(self, framing: Framing) -> (mpsc::Receiver<CommandEvent>, CommandChild) {
        let Self { stdin, stdout, stderr, id, guard, .. } = self;
        let events = event::pump(
            stdout.map(|stream| stream.0),
            stderr.map(|stream| stream.0),
            guard.process.clone(),
            framing,
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
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A child's standard input. Dropping it is the end of the child's input.
///
/// Writing waits while 64 KiB are waiting to be read, and fails with
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe) once the child has ended.
#[derive(Debug)]
pub struct ChildStdin(Input);

#[derive(Debug)]
enum Input {
    Piped(PipeWriter),
    Native(process::ChildStdin),
    Closed,
}

impl ChildStdin {
    pub(crate) fn piped(pipe: PipeWriter) -> Self {
        Self(Input::Piped(pipe))
    }

    pub(crate) fn native(stream: process::ChildStdin) -> Self {
        Self(Input::Native(stream))
    }

    /// Ends the child's input; the same as dropping it.
    pub fn close(self) {}
}

fn broken_pipe() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the child no longer reads its input")
}

impl AsyncWrite for ChildStdin {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Input::Piped(pipe) => pipe.poll_write(cx, bytes).map_err(|_| broken_pipe()),
            Input::Native(stream) => Pin::new(stream).poll_write(cx, bytes),
            Input::Closed => Poll::Ready(Err(broken_pipe())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Input::Native(stream) => Pin::new(stream).poll_flush(cx),
            Input::Piped(_) | Input::Closed => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Input::Native(stream) = &mut self.0 {
            ready!(Pin::new(stream).poll_shutdown(cx))?;
        }
        self.0 = Input::Closed;
        Poll::Ready(Ok(()))
    }
}

/// A child's standard output.
#[derive(Debug)]
pub struct ChildStdout(pub(crate) Stream);

/// A child's standard error.
#[derive(Debug)]
pub struct ChildStderr(pub(crate) Stream);

/// A stream out of a child.
#[derive(Debug)]
pub(crate) enum Stream {
    Piped(PipedOutput),
    NativeOut(process::ChildStdout),
    NativeErr(process::ChildStderr),
}

/// The reading end of a component's stream, and the part of a chunk that did not fit the last read.
#[derive(Debug)]
pub(crate) struct PipedOutput {
    pipe: PipeReader,
    rest: Bytes,
}

impl PipedOutput {
    pub(crate) fn new(pipe: PipeReader) -> Self {
        Self { pipe, rest: Bytes::new() }
    }

    /// The next bytes as the guest wrote them, without a copy; `None` at the end. Cancel safe.
    pub(crate) async fn chunk(&mut self) -> Option<Bytes> {
        if !self.rest.is_empty() {
            return Some(std::mem::take(&mut self.rest));
        }
        std::future::poll_fn(|cx| self.pipe.poll_read(cx, CAPACITY)).await
    }

    fn poll_read(&mut self, cx: &Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<()> {
        if buf.remaining() == 0 {
            return Poll::Ready(());
        }
        if self.rest.is_empty() {
            match ready!(self.pipe.poll_read(cx, CAPACITY)) {
                Some(chunk) => self.rest = chunk,
                None => return Poll::Ready(()),
            }
        }
        let length = self.rest.len().min(buf.remaining());
        buf.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        Poll::Ready(())
    }
}

impl Stream {
    pub(crate) async fn chunk(&mut self) -> io::Result<Option<Bytes>> {
        let mut buffer = BytesMut::new();
        let length = match self {
            Self::Piped(output) => return Ok(output.chunk().await),
            Self::NativeOut(stream) => {
                buffer.reserve(CAPACITY);
                stream.read_buf(&mut buffer).await?
            }
            Self::NativeErr(stream) => {
                buffer.reserve(CAPACITY);
                stream.read_buf(&mut buffer).await?
            }
        };
        Ok((length > 0).then(|| buffer.freeze()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Piped(output) => output.poll_read(cx, buf).map(Ok),
            Self::NativeOut(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::NativeErr(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

macro_rules! output_stream {
    ($name:ident, $native:ident, $variant:ident) => {
        impl $name {
            pub(crate) fn piped(output: PipedOutput) -> Self {
                Self(Stream::Piped(output))
            }

            pub(crate) fn native(stream: process::$native) -> Self {
                Self(Stream::$variant(stream))
            }

            /// The next bytes, as the child wrote them where that is known; `None` at the end. From a
            /// component they come without a copy.
            ///
            /// # Errors
            ///
            /// Reading a native child's pipe can fail; a component's cannot.
            ///
            /// # Cancel safety
            ///
            /// Cancelling loses nothing.
            pub async fn chunk(&mut self) -> io::Result<Option<Bytes>> {
                self.0.chunk().await
            }
        }

        impl AsyncRead for $name {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                self.0.poll_read(cx, buf)
            }
        }
    };
}

output_stream!(ChildStdout, ChildStdout, NativeOut);
output_stream!(ChildStderr, ChildStderr, NativeErr);
