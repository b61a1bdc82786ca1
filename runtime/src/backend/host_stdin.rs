//! Reads the host's own standard input for guests that inherit it.
//!
//! A read blocks and cannot be undone, so one thread reads for the whole process, and only while a guest waits for
//! input. Bytes that it read for a guest that is gone are kept for the next one.

use std::{
    future::poll_fn,
    io::{self, Read},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
};

use bytes::Bytes;

/// Most bytes per read.
const CHUNK: usize = 16 << 10;

struct Input {
    state: Mutex<State>,
    wanted: Condvar,
}

struct State {
    started: bool,
    wanted: bool,
    /// How often a read returned the end of the input.
    ends: u64,
    /// The operating system's error at the latest end, if it was one.
    failure: Option<i32>,
    chunk: Option<Bytes>,
    waiting: Vec<Waker>,
}

impl State {
    fn end(&mut self, failure: Option<i32>) {
        self.started = false;
        self.ends += 1;
        self.failure = failure;
    }
}

static INPUT: Input = Input {
    state: Mutex::new(State {
        started: false,
        wanted: false,
        ends: 0,
        failure: None,
        chunk: None,
        waiting: Vec::new(),
    }),
    wanted: Condvar::new(),
};

/// The next bytes; `None` at the end. Cancel safe.
///
/// # Errors
///
/// The operating system's error, for example because standard input is a directory.
pub(super) async fn chunk() -> io::Result<Option<Bytes>> {
    let ends = INPUT.lock().ends;
    poll_fn(|cx| INPUT.poll(cx, ends)).await
}

impl Input {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(&'static self, cx: &Context<'_>, ends: u64) -> Poll<io::Result<Option<Bytes>>> {
        let mut state = self.lock();
        if let Some(chunk) = state.chunk.take() {
            return Poll::Ready(Ok(Some(chunk)));
        }
        if state.ends > ends {
            let failure = state.failure.map(io::Error::from_raw_os_error);
            return Poll::Ready(failure.map_or(Ok(None), Err));
        }
        if !state.started {
            let thread = thread::Builder::new().name("wasi-sidecar-stdin".into());
            if let Err(error) = thread.spawn(|| self.run()) {
                return Poll::Ready(Err(error));
            }
            state.started = true;
        }
        state.waiting.push(cx.waker().clone());
        state.wanted = true;
        self.wanted.notify_one();
        Poll::Pending
    }

    fn run(&self) {
        let mut buffer = vec![0; CHUNK];
        loop {
            let mut state = self.lock();
            while !state.wanted || state.chunk.is_some() {
                state = self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.wanted = false;
            drop(state);
            let read = loop {
                match io::stdin().read(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => break read,
                }
            };
            let mut state = self.lock();
            match read {
                Ok(length @ 1..) => state.chunk = Some(Bytes::copy_from_slice(&buffer[..length])),
                // Ends the input for the guests that wait now. A terminal can have more later, for which another thread
                // starts.
                Ok(0) => state.end(None),
                Err(error) => state.end(error.raw_os_error()),
            }
            let ended = !state.started;
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_iter().for_each(Waker::wake);
            if ended {
                return;
            }
        }
    }
}
