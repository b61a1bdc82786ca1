//! A pipe in memory: the bytes between a guest and its host.
//!
//! Bounded at [`CAPACITY`] bytes each way, like an operating system's pipe: a full one makes the writer wait,
//! so an unread stream never grows the host. Chunks that are large travel as they are, without a copy; small
//! writes are gathered, because a thousand one-byte chunks would cost fifty times what they carry. An empty
//! write is nothing: it neither queues nor wakes.
//!
//! Each end has one owner and so at most one waiting task; the guest's end may be held by several handles,
//! which all belong to the one task that runs the guest.

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

/// Bytes a pipe holds: what Linux gives a pipe, and what sidecars were written against.
pub(crate) const CAPACITY: usize = 64 << 10;

/// Writes up to this size are gathered into one chunk, so that a reader is given many at once. Twice what the C
/// libraries and the preview1 functions write at a time; above it, copying costs more than a queue entry.
const GATHER: usize = 8 << 10;

/// Makes a pipe.
pub(crate) fn pipe() -> (PipeWriter, PipeReader) {
    let shared = Arc::new(Shared::default());
    (PipeWriter(Arc::clone(&shared)), PipeReader(shared))
}

/// The end that is written to. Dropping it is the end of the stream.
#[derive(Debug)]
pub(crate) struct PipeWriter(Arc<Shared>);

/// The end that is read from. Dropping it makes every further write fail.
#[derive(Debug)]
pub(crate) struct PipeReader(Arc<Shared>);

/// The reader is gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReaderGone;

/// Ends a pipe from outside, for when the owner of an end cannot: its thread hangs in a call.
#[derive(Debug)]
pub(crate) struct Closer(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Whether a read would have something, or the end, and whether a write would have room, or nobody to write to. Hints for
    /// who looks without the lock; what counts is under it.
    readable: AtomicBool,
    full: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    chunks: VecDeque<Bytes>,
    /// Small writes since the last large one; comes after all of `chunks`.
    tail: BytesMut,
    /// Bytes in `chunks` and `tail`.
    held: usize,
    writer_gone: bool,
    reader_gone: bool,
    /// Why the writer is gone, if it is for something that went wrong and nobody has been told.
    failure: Option<io::Error>,
    /// Woken when there is something to read, or never will be.
    reader: Option<Waker>,
    /// Woken when there is room, or the reader is gone.
    writer: Option<Waker>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in this file panics while it holds the lock; if it did, the bytes are still good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those who look without the lock; called at every change.
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

    /// The next chunk, at most `max` bytes of it. Empty if nothing is held.
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

/// Remembers who waits, without cloning a waker that is already the right one.
fn remember(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

/// Wakes outside the lock: the woken task may run at once and want it.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl PipeWriter {
    /// How many bytes can be written now; `Err` when nobody will read them.
    pub(crate) fn room(&self) -> Result<usize, ReaderGone> {
        let state = self.0.lock();
        if state.reader_gone { Err(ReaderGone) } else { Ok(state.room()) }
    }

    /// Whether there is room, or nobody to write to; known without the lock, and true a moment ago.
    pub(crate) fn seems_ready(&self) -> bool {
        !self.0.full.load(Ordering::Acquire)
    }

    /// Waits for room, or for the reader to go.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.reader_gone || state.room() > 0 {
            return Poll::Ready(());
        }
        remember(&mut state.writer, cx);
        Poll::Pending
    }

    /// Waits until the reader waits for bytes, or is gone; `false` if it is gone.
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

    /// Queues all of `bytes`. The caller has asked for [`room`](Self::room) and gives no more than that.
    pub(crate) fn write(&self, bytes: Bytes) -> Result<(), ReaderGone> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut state = self.0.lock();
        // After the pipe was ended from outside, a writer that turns up late is too late.
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

    /// Copies as much of `bytes` as there is room for, and says how much; waits while there is none.
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
    /// Ends the stream with an error, which comes after the bytes that were written.
    pub(crate) fn fail(self, error: io::Error) {
        self.0.lock().failure = Some(error);
    }
}

impl PipeReader {
    /// Why there is nothing more to read, told once.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        self.0.lock().failure.take()
    }

    /// At most `max` bytes, without waiting. Empty: nothing now. `None`: nothing ever again.
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

    /// Whether there are bytes, or the end; known without the lock, and true a moment ago.
    pub(crate) fn seems_ready(&self) -> bool {
        self.0.readable.load(Ordering::Acquire)
    }

    /// Waits for bytes, or for the end.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_state(cx).map(drop)
    }

    /// What there is, with the lock that was taken to look.
    fn poll_state(&self, cx: &Context<'_>) -> Poll<MutexGuard<'_, State>> {
        let mut state = self.0.lock();
        if state.held > 0 || state.writer_gone {
            return Poll::Ready(state);
        }
        remember(&mut state.reader, cx);
        // Somebody may wait for just this: see `poll_hungry`.
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
    /// No more will be written; what is held can still be read.
    fn end_writing(&self) {
        let mut state = self.lock();
        state.writer_gone = true;
        self.tell(&state);
        let waker = state.reader.take();
        drop(state);
        wake(waker);
    }

    /// Nobody will read what is held.
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
    pub(crate) fn closer(&self) -> Closer {
        Closer(Arc::clone(&self.0))
    }
}

impl PipeReader {
    pub(crate) fn closer(&self) -> Closer {
        Closer(Arc::clone(&self.0))
    }
}

impl Closer {
    /// As if the writer had been dropped.
    pub(crate) fn end_writing(&self) {
        self.0.end_writing();
    }

    /// As if the reader had been dropped.
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
