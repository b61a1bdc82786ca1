//! An in-memory pipe that carries bytes between a guest and its host.
//!
//! A pipe holds at most [`CAPACITY`] bytes, like an operating system's pipe: a full one makes the writer wait, so an
//! unread stream cannot grow the host. Large chunks pass without a copy. Small writes are merged, because a thousand
//! one-byte chunks would cost fifty times their size. An empty write neither queues nor wakes.
//!
//! Each end has one owner, and so at most one waiting task. Several handles may hold the guest's end, but all belong to
//! the task that runs the guest.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};

/// Bytes that a pipe holds, as on Linux. Existing sidecars expect this size.
pub(crate) const CAPACITY: usize = 64 << 10;

/// Writes up to this size are merged into one chunk, so that a reader gets many at once. It is twice what C libraries
/// and the preview1 functions write at a time. Above it, copying costs more than a queue entry.
const GATHER: usize = 8 << 10;

pub(crate) fn pipe() -> (PipeWriter, PipeReader) {
    let shared = Arc::new(Shared::default());
    (PipeWriter(Arc::clone(&shared)), PipeReader(shared))
}

/// The writing end. Dropping it ends the stream.
#[derive(Debug)]
pub(crate) struct PipeWriter(Arc<Shared>);

/// The reading end. Dropping it makes further writes fail.
#[derive(Debug)]
pub(crate) struct PipeReader(Arc<Shared>);

/// The reader was dropped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReaderGone;

/// Closes a pipe from outside, when the owner of an end hangs in a call.
#[derive(Debug)]
pub(crate) struct StreamCloser(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Whether a read would return bytes or the end, and whether a write would have to wait. Hints for checks without
    /// the lock. The state under the lock decides.
    readable: AtomicBool,
    full: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    chunks: VecDeque<Bytes>,
    /// Small writes since the last large one, after all of `chunks`.
    tail: BytesMut,
    /// Bytes in `chunks` and `tail`.
    held: usize,
    writer_gone: bool,
    reader_gone: bool,
    /// The error that ended the stream, until a reader takes it.
    failure: Option<io::Error>,
    /// Woken when there are bytes, or there never will be.
    reader: Option<Waker>,
    /// Woken when there is room, or the reader is gone.
    writer: Option<Waker>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code in this file panics while it holds the lock. If it did, the bytes would still be valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Updates the hints for checks without the lock. Called at every change.
    fn tell(&self, state: &State) {
        self.readable.store(state.held > 0 || state.writer_gone, Ordering::Release);
        self.full.store(state.room() == 0 && !state.reader_gone, Ordering::Release);
    }
}

impl State {
    fn room(&self) -> usize {
        CAPACITY.saturating_sub(self.held)
    }

    fn put(&mut self, bytes: Bytes) {
        self.held += bytes.len();
        if bytes.len() <= GATHER {
            self.tail.extend_from_slice(&bytes);
        } else {
            self.seal_tail();
            self.chunks.push_back(bytes);
        }
    }

    fn seal_tail(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push_back(self.tail.split().freeze());
        }
    }

    /// The next chunk, at most `max` bytes of it. Empty if the pipe is empty.
    fn take(&mut self, max: usize) -> Bytes {
        if self.chunks.is_empty() {
            self.seal_tail();
        }
        let Some(first) = self.chunks.front_mut() else { return Bytes::new() };
        let taken = if first.len() <= max {
            self.chunks.pop_front().unwrap_or_default()
        } else {
            first.split_to(max)
        };
        self.held -= taken.len();
        taken
    }
}

/// Stores the task to wake, without cloning a waker that is already stored.
fn remember(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

/// Wakes outside the lock: the woken task may run at once and take it.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl PipeWriter {
    /// How many bytes can be written now. `Err` when the reader is gone.
    pub(crate) fn room(&self) -> Result<usize, ReaderGone> {
        let state = self.0.lock();
        if state.reader_gone { Err(ReaderGone) } else { Ok(state.room()) }
    }

    /// Whether a write need not wait. Checked without the lock, and possibly outdated.
    pub(crate) fn seems_ready(&self) -> bool {
        !self.0.full.load(Ordering::Acquire)
    }

    /// Waits for room, or until the reader is gone.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.reader_gone || state.room() > 0 {
            return Poll::Ready(());
        }
        remember(&mut state.writer, cx);
        Poll::Pending
    }

    /// Waits until the reader waits for bytes. `false` if it is gone.
    pub(crate) fn poll_hungry(&self, cx: &Context<'_>) -> Poll<bool> {
        let mut state = self.0.lock();
        if state.reader_gone {
            return Poll::Ready(false);
        }
        if state.held == 0 && state.reader.is_some() {
            return Poll::Ready(true);
        }
        remember(&mut state.writer, cx);
        Poll::Pending
    }

    /// Queues all of `bytes`. The caller writes no more than [`room`](Self::room) returned.
    pub(crate) fn write(&self, bytes: Bytes) -> Result<(), ReaderGone> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut state = self.0.lock();
        // After the pipe was closed from outside, late writes fail.
        if state.reader_gone || state.writer_gone {
            return Err(ReaderGone);
        }
        debug_assert!(bytes.len() <= state.room(), "a write larger than the room it was given");
        state.put(bytes);
        self.0.tell(&state);
        let waker = state.reader.take();
        drop(state);
        wake(waker);
        Ok(())
    }

    /// Copies as much of `bytes` as fits and returns how much. Waits while the pipe is full.
    pub(crate) fn poll_write(
        &self,
        cx: &Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, ReaderGone>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let room = match self.room() {
            Err(gone) => return Poll::Ready(Err(gone)),
            Ok(0) => match self.poll_ready(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => match self.room() {
                    Err(gone) => return Poll::Ready(Err(gone)),
                    Ok(room) => room,
                },
            },
            Ok(room) => room,
        };
        let length = bytes.len().min(room);
        Poll::Ready(self.write(Bytes::copy_from_slice(&bytes[..length])).map(|()| length))
    }
}

impl PipeWriter {
    /// Ends the stream with an error, which the reader gets after the bytes written before.
    pub(crate) fn fail(self, error: io::Error) {
        self.0.lock().failure = Some(error);
    }
}

impl PipeReader {
    /// The error that ended the stream. Returned once.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        self.0.lock().failure.take()
    }

    /// At most `max` bytes, without waiting. Empty: none now. `None`: the end.
    pub(crate) fn try_read(&self, max: usize) -> Option<Bytes> {
        self.read(self.0.lock(), max)
    }

    fn read(&self, mut state: MutexGuard<'_, State>, max: usize) -> Option<Bytes> {
        if state.held == 0 {
            return (!state.writer_gone).then(Bytes::new);
        }
        let taken = state.take(max);
        self.0.tell(&state);
        let waker = state.writer.take();
        drop(state);
        wake(waker);
        Some(taken)
    }

    /// Whether a read need not wait. Checked without the lock, and possibly outdated.
    pub(crate) fn seems_ready(&self) -> bool {
        self.0.readable.load(Ordering::Acquire)
    }

    /// Waits for bytes, or for the end.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_state(cx).map(drop)
    }

    /// Waits for bytes or the end, and returns the locked state.
    fn poll_state(&self, cx: &Context<'_>) -> Poll<MutexGuard<'_, State>> {
        let mut state = self.0.lock();
        if state.held > 0 || state.writer_gone {
            return Poll::Ready(state);
        }
        remember(&mut state.reader, cx);
        // The writer may wait for the reader to wait: see `poll_hungry`.
        let waker = state.writer.take();
        drop(state);
        wake(waker);
        Poll::Pending
    }

    /// The next chunk of at most `max` bytes; `None` at the end.
    pub(crate) fn poll_read(&self, cx: &Context<'_>, max: usize) -> Poll<Option<Bytes>> {
        if max == 0 {
            return Poll::Ready(Some(Bytes::new()));
        }
        self.poll_state(cx).map(|state| self.read(state, max))
    }
}

impl Shared {
    /// Ends the writing side. Buffered bytes can still be read.
    fn end_writing(&self) {
        let mut state = self.lock();
        state.writer_gone = true;
        self.tell(&state);
        let waker = state.reader.take();
        drop(state);
        wake(waker);
    }

    /// Ends the reading side. Buffered bytes are discarded.
    fn end_reading(&self) {
        let mut state = self.lock();
        state.reader_gone = true;
        state.chunks = VecDeque::new();
        state.tail = BytesMut::new();
        state.held = 0;
        self.tell(&state);
        let waker = state.writer.take();
        drop(state);
        wake(waker);
    }
}

impl PipeWriter {
    pub(crate) fn closer(&self) -> StreamCloser {
        StreamCloser(Arc::clone(&self.0))
    }
}

impl PipeReader {
    pub(crate) fn closer(&self) -> StreamCloser {
        StreamCloser(Arc::clone(&self.0))
    }
}

impl StreamCloser {
    /// Acts as if the writer were dropped.
    pub(crate) fn end_writing(&self) {
        self.0.end_writing();
    }

    /// Acts as if the reader were dropped.
    pub(crate) fn end_reading(&self) {
        self.0.end_reading();
    }
}

impl Drop for PipeWriter {
    fn drop(&mut self) {
        self.0.end_writing();
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        self.0.end_reading();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cx() -> Context<'static> {
        Context::from_waker(Waker::noop())
    }

    #[test]
    fn bytes_come_out_as_they_went_in_whatever_the_sizes() {
        let (writer, reader) = pipe();
        let mut sent = Vec::new();
        let mut got = Vec::new();
        for size in [1, 3, 5000, 2048, 2049, 1, 1, 40_000, 7] {
            let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            sent.extend_from_slice(&bytes);
            writer.write(bytes.into()).expect("the reader is there");
            got.extend_from_slice(&reader.try_read(1000).expect("open"));
        }
        drop(writer);
        while let Some(bytes) = reader.try_read(usize::MAX) {
            assert!(!bytes.is_empty());
            got.extend_from_slice(&bytes);
        }
        assert_eq!(sent, got);
    }

    #[test]
    fn it_is_full_at_its_capacity_and_the_writer_waits() {
        let (writer, reader) = pipe();
        writer.write(vec![0; CAPACITY].into()).expect("room");
        assert_eq!(writer.room(), Ok(0));
        assert!(writer.poll_ready(&cx()).is_pending());
        assert_eq!(reader.try_read(10).map(|bytes| bytes.len()), Some(10));
        assert_eq!(writer.poll_write(&cx(), &[1; 100]), Poll::Ready(Ok(10)));
        assert!(writer.poll_write(&cx(), &[1]).is_pending());
    }

    #[test]
    fn small_writes_share_their_memory() {
        let (writer, reader) = pipe();
        for _ in 0..1000 {
            writer.write(Bytes::from_static(b"x")).expect("room");
            writer.write(Bytes::new()).expect("an empty write is nothing");
        }
        assert_eq!(reader.try_read(usize::MAX).map(|bytes| bytes.len()), Some(1000));
    }

    #[test]
    fn a_writer_can_wait_for_a_reader_that_waits() {
        let (writer, reader) = pipe();
        assert!(writer.poll_hungry(&cx()).is_pending());
        assert!(reader.poll_ready(&cx()).is_pending());
        assert_eq!(writer.poll_hungry(&cx()), Poll::Ready(true));
        writer.write(Bytes::from_static(b"x")).expect("room");
        assert!(writer.poll_hungry(&cx()).is_pending());
        drop(reader);
        assert_eq!(writer.poll_hungry(&cx()), Poll::Ready(false));
    }

    #[test]
    fn a_failure_comes_after_the_bytes_and_once() {
        let (writer, reader) = pipe();
        writer.write(Bytes::from_static(b"last")).expect("room");
        writer.fail(io::Error::other("broken"));
        assert_eq!(reader.try_read(100).as_deref(), Some("last".as_bytes()));
        assert_eq!(reader.try_read(100), None);
        assert_eq!(reader.failure().map(|error| error.to_string()).as_deref(), Some("broken"));
        assert!(reader.failure().is_none());
        assert_eq!(reader.try_read(100), None);
    }

    #[test]
    fn each_end_learns_that_the_other_is_gone() {
        let (writer, reader) = pipe();
        writer.write(Bytes::from_static(b"last")).expect("room");
        drop(writer);
        assert_eq!(reader.try_read(100).as_deref(), Some("last".as_bytes()));
        assert_eq!(reader.try_read(100), None);

        let (writer, reader) = pipe();
        drop(reader);
        assert_eq!(writer.write(Bytes::from_static(b"x")), Err(ReaderGone));
        assert_eq!(writer.poll_ready(&cx()), Poll::Ready(()));
    }
}
