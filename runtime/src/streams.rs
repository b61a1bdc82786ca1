//! A child's streams, as the host holds them, whichever backend is at the other end.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    process,
    task::coop,
};

use crate::{
    patience::Patience,
    pipe::{CAPACITY, PipeReader, PipeWriter},
};

/// A child's standard input. Dropping it is the end of the child's input.
///
/// Writing waits while 64 KiB are waiting to be read, and fails with
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe) once the child has ended.
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
    Piped(PipeWriter, Patience),
    Native(process::ChildStdin),
    Closed,
}

impl ChildStdin {
    pub(crate) fn piped(pipe: PipeWriter) -> Self {
        Self(Input::Piped(pipe, Patience::default()))
    }

    pub(crate) fn native(stream: process::ChildStdin) -> Self {
        Self(Input::Native(stream))
    }

    /// Waits until a component waits for input; `false` if it never will again.
    pub(crate) async fn hungry(&self) -> bool {
        match &self.0 {
            Input::Piped(pipe, _) => std::future::poll_fn(|cx| pipe.poll_hungry(cx)).await,
            Input::Native(_) | Input::Closed => false,
        }
    }

    /// Ends a component's input with an error that its next read meets.
    pub(crate) fn fail(self, error: io::Error) {
        if let Input::Piped(pipe, _) = self.0 {
            pipe.fail(error);
        }
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
            Input::Piped(pipe, patience) => {
                let budget = ready!(coop::poll_proceed(cx));
                patience.wait_for(|| pipe.seems_ready());
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
            Input::Piped(..) | Input::Closed => Poll::Ready(Ok(())),
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

/// A stream out of a child.
#[derive(Debug)]
pub(crate) enum Stream {
    Piped(PipedOutput),
    NativeOut(process::ChildStdout, BytesMut),
    NativeErr(process::ChildStderr, BytesMut),
}

/// What is left of a native stream's buffer before it gets another one. Programs write little at a time, and a buffer for
/// each read would be most of the work.
const LEAST_READ: usize = 8 << 10;

/// The reading end of a component's stream, and the part of a chunk that did not fit the last read.
#[derive(Debug)]
pub(crate) struct PipedOutput {
    pipe: PipeReader,
    rest: Bytes,
    patience: Patience,
}

impl PipedOutput {
    pub(crate) fn new(pipe: PipeReader) -> Self {
        Self { pipe, rest: Bytes::new(), patience: Patience::default() }
    }

    /// The next bytes as the guest wrote them, without a copy; `None` at the end. Cancel safe.
    pub(crate) async fn chunk(&mut self) -> Option<Bytes> {
        if !self.rest.is_empty() {
            return Some(std::mem::take(&mut self.rest));
        }
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }

    fn poll_chunk(&mut self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        let Self { pipe, patience, .. } = self;
        patience.wait_for(|| pipe.seems_ready());
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

/// The next bytes of a native stream; `None` at its end. Cancel safe: what was not read is not taken.
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
