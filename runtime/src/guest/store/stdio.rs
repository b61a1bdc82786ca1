//! The guest's side of its standard streams.
//!
//! These replace wasmtime's stock streams. They pass on the chunks that a guest writes without a copy, never queue an
//! empty write, and limit buffered data in bytes.

use std::{future::poll_fn, sync::Arc};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdinStream, StdoutStream},
    p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult},
};

use crate::exec::pipe::{CAPACITY, PipeReader, PipeWriter};

/// A guest's standard input: the reading end of a pipe, or nothing. All handles that the guest opens share it.
#[derive(Clone, Debug)]
pub(crate) struct GuestInput(Option<Arc<PipeReader>>);

/// A guest's standard output or error: the writing end of a pipe, or nothing.
#[derive(Clone, Debug)]
pub(crate) struct GuestOutput(Option<Arc<PipeWriter>>);

impl GuestInput {
    pub(crate) fn new(pipe: Option<PipeReader>) -> Self {
        Self(pipe.map(Arc::new))
    }
}

impl GuestOutput {
    pub(crate) fn new(pipe: Option<PipeWriter>) -> Self {
        Self(pipe.map(Arc::new))
    }
}

#[async_trait]
impl Pollable for GuestInput {
    async fn ready(&mut self) {
        if let Some(pipe) = &self.0 {
            poll_fn(|cx| pipe.poll_ready(cx)).await;
        }
    }
}

impl InputStream for GuestInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let Some(pipe) = &self.0 else { return Err(StreamError::Closed) };
        if size == 0 {
            return Ok(Bytes::new());
        }
        pipe.try_read(size).ok_or_else(|| match pipe.failure() {
            Some(error) => StreamError::LastOperationFailed(error.into()),
            None => StreamError::Closed,
        })
    }
}

#[async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {
        if let Some(pipe) = &self.0 {
            poll_fn(|cx| pipe.poll_ready(cx)).await;
        }
    }
}

#[async_trait]
impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let Some(pipe) = &self.0 else { return Ok(()) };
        if bytes.len() > pipe.room().map_err(|_| StreamError::Closed)? {
            return Err(StreamError::trap("a write larger than `check-write` allowed"));
        }
        pipe.write(bytes).map_err(|_| StreamError::Closed)
    }

    /// Nothing to do: written bytes are already visible to the reader.
    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        match &self.0 {
            Some(pipe) => pipe.room().map_err(|_| StreamError::Closed),
            None => Ok(CAPACITY),
        }
    }

    /// Waits until all bytes are accepted, and no longer. The stock version also waits for room for the next write, so
    /// a guest's last write would hang until somebody reads it.
    async fn blocking_write_and_flush(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        while !bytes.is_empty() {
            let room = self.write_ready().await?;
            let chunk = bytes.split_to(bytes.len().min(room));
            self.write(chunk)?;
        }
        Ok(())
    }
}

impl IsTerminal for GuestInput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

// The `async_stream` forms are for WASI 0.3. This engine does not offer it, so no guest calls them.
impl StdinStream for GuestInput {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(tokio::io::empty())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}
