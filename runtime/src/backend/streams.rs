//! A child's standard streams as the host holds them, for both backends.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    process,
    task::coop,
};

use crate::{
    exec::pipe::{CAPACITY, PipeReader, PipeWriter},
    exec::spin::AdaptiveSpin,
};

/// A child's standard input. Dropping it closes the child's input.
///
/// Writes wait while 64 KiB are unread, and fail with [`BrokenPipe`](io::ErrorKind::BrokenPipe) once the child has
/// ended.
///
/// ```
/// # async fn feed(mut child: wasi_sidecar::Child) -> std::io::Result<()> {
/// use tokio::io::AsyncWriteExt;
///
/// let mut stdin = child.stdin.take().expect("piped by default");
/// stdin.write_all(b"all there is\n").await?;
/// stdin.close();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ChildStdin(Input);

#[derive(Debug)]
enum Input {
    Piped(PipedInput),
    Native(process::ChildStdin),
    Closed,
}

/// The writing end of a component's input.
#[derive(Debug)]
struct PipedInput {
    pipe: PipeWriter,
    /// Decides whether to spin while the pipe is full.
    room: AdaptiveSpin,
    answers: Option<Answers>,
}

/// Tracks the child's answers to writes.
#[derive(Debug)]
struct Answers {
    delivered: Delivered,
    /// How many events were delivered before the latest write.
    seen: u64,
    spin: AdaptiveSpin,
}

/// Counts event deliveries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delivered(Arc<AtomicU64>);

impl Delivered {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

impl ChildStdin {
    pub(crate) fn piped(pipe: PipeWriter) -> Self {
        Self(Input::Piped(PipedInput { pipe, room: AdaptiveSpin::default(), answers: None }))
    }

    pub(crate) fn native(stream: process::ChildStdin) -> Self {
        Self(Input::Native(stream))
    }

    /// Waits until a component waits for input. `false` if it never will again.
    pub(crate) async fn hungry(&self) -> bool {
        match &self.0 {
            Input::Piped(input) => std::future::poll_fn(|cx| input.pipe.poll_hungry(cx)).await,
            Input::Native(_) | Input::Closed => false,
        }
    }

    /// Ends a component's input with an error, which its next read returns.
    pub(crate) fn fail(self, error: io::Error) {
        if let Input::Piped(input) = self.0 {
            input.pipe.fail(error);
        }
    }

    /// Makes a flush spin until an event is delivered, as long as events arrive faster than a sleeping thread could be
    /// woken.
    pub(crate) fn expect_answers(&mut self, delivered: Delivered) {
        if let Input::Piped(input) = &mut self.0 {
            input.answers = Some(Answers { delivered, seen: 0, spin: AdaptiveSpin::default() });
        }
    }

    /// Closes the child's input. The same as dropping it.
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
            Input::Piped(PipedInput { pipe, room, answers }) => {
                let budget = ready!(coop::poll_proceed(cx));
                room.wait_for(|| pipe.seems_ready());
                if let Some(answers) = answers {
                    answers.seen = answers.delivered.count();
                }
                let written = pipe.poll_write(cx, bytes);
                if written.is_ready() {
                    budget.made_progress();
                }
                written.map_err(|_| broken_pipe())
            }
            Input::Native(stream) => Pin::new(stream).poll_write(cx, bytes),
            Input::Closed => Poll::Ready(Err(broken_pipe())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Input::Native(stream) => Pin::new(stream).poll_flush(cx),
            Input::Piped(input) => {
                if let Some(Answers { delivered, seen, spin }) = &mut input.answers {
                    spin.wait_for(|| delivered.count() != *seen);
                }
                Poll::Ready(Ok(()))
            }
            Input::Closed => Poll::Ready(Ok(())),
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
///
/// ```
/// # async fn measure(mut child: wasi_sidecar::Child) -> std::io::Result<()> {
/// let mut stdout = child.stdout.take().expect("piped by default");
/// let mut length = 0;
/// while let Some(chunk) = stdout.chunk().await? {
///     length += chunk.len();
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ChildStdout(pub(crate) Stream);

/// A child's standard error.
#[derive(Debug)]
pub struct ChildStderr(pub(crate) Stream);

/// An output stream of a child.
#[derive(Debug)]
pub(crate) enum Stream {
    Piped(PipedOutput),
    NativeOut(process::ChildStdout, BytesMut),
    NativeErr(process::ChildStderr, BytesMut),
}

/// Least free space of a native stream's buffer. Below it the stream gets a new one: programs write little at a time,
/// and allocating a buffer per read would be most of the work.
const LEAST_READ: usize = 8 << 10;

/// The reading end of a component's stream, and the rest of a chunk that did not fit the last read.
#[derive(Debug)]
pub(crate) struct PipedOutput {
    pipe: PipeReader,
    rest: Bytes,
    spin: AdaptiveSpin,
}

impl PipedOutput {
    pub(crate) fn new(pipe: PipeReader) -> Self {
        Self { pipe, rest: Bytes::new(), spin: AdaptiveSpin::default() }
    }

    /// The next bytes as the guest wrote them, without a copy; `None` at the end. Cancel safe.
    pub(crate) async fn chunk(&mut self) -> Option<Bytes> {
        if !self.rest.is_empty() {
            return Some(std::mem::take(&mut self.rest));
        }
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }

    fn poll_chunk(&mut self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        let Self { pipe, spin, .. } = self;
        spin.wait_for(|| pipe.seems_ready());
        pipe.poll_read(cx, CAPACITY)
    }

    fn poll_read(&mut self, cx: &Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<()> {
        if buf.remaining() == 0 {
            return Poll::Ready(());
        }
        if self.rest.is_empty() {
            match ready!(self.poll_chunk(cx)) {
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
        match self {
            Self::Piped(output) => Ok(output.chunk().await),
            Self::NativeOut(stream, buffer) => read(stream, buffer).await,
            Self::NativeErr(stream, buffer) => read(stream, buffer).await,
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Piped(output) => output.poll_read(cx, buf).map(Ok),
            Self::NativeOut(stream, _) => Pin::new(stream).poll_read(cx, buf),
            Self::NativeErr(stream, _) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

/// The next bytes of a native stream; `None` at its end. Cancel safe: a cancelled read takes no bytes.
async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> io::Result<Option<Bytes>> {
    if buffer.capacity() < LEAST_READ {
        *buffer = BytesMut::with_capacity(CAPACITY);
    }
    let length = stream.read_buf(buffer).await?;
    Ok((length > 0).then(|| buffer.split().freeze()))
}

macro_rules! output_stream {
    ($name:ident, $native:ident, $variant:ident) => {
        impl $name {
            pub(crate) fn piped(output: PipedOutput) -> Self {
                Self(Stream::Piped(output))
            }

            pub(crate) fn native(stream: process::$native) -> Self {
                Self(Stream::$variant(stream, BytesMut::new()))
            }

            /// The next bytes; `None` at the end. From a component they arrive in the chunks it wrote, without a copy.
            ///
            /// # Errors
            ///
            /// Reading a native child's pipe can fail. Reading a component's cannot.
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
