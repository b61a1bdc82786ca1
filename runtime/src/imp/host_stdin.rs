//! The host's own standard input, for a guest that is connected to it.
//!
//! Reading it blocks and cannot be taken back, so one thread does it for the whole process, and only when
//! somebody waits for it. What it has read when its guest is gone is kept for the next one.

use std::{
    future::poll_fn,
    io::Read,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
};

use bytes::Bytes;

/// Bytes read at once.
const CHUNK: usize = 16 << 10;

struct Input {
    state: Mutex<State>,
    wanted: Condvar,
}

struct State {
    started: bool,
    wanted: bool,
    /// How often the end was read.
    ends: u64,
    chunk: Option<Bytes>,
    waiting: Vec<Waker>,
}

static INPUT: Input = Input {
    state: Mutex::new(State {
        started: false,
        wanted: false,
        ends: 0,
        chunk: None,
        waiting: Vec::new(),
    }),
    wanted: Condvar::new(),
};

/// The next bytes; `None` at the end. Cancel safe.
pub(super) async fn chunk() -> Option<Bytes> {
    let ends = INPUT.lock().ends;
    poll_fn(|cx| INPUT.poll(cx, ends)).await
}

impl Input {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(&'static self, cx: &Context<'_>, ends: u64) -> Poll<Option<Bytes>> {
        let mut state = self.lock();
        if let Some(chunk) = state.chunk.take() {
            return Poll::Ready(Some(chunk));
        }
        if state.ends > ends {
            return Poll::Ready(None);
        }
        if !state.started {
            let thread = thread::Builder::new().name("wasi-sidecar-stdin".into());
            if thread.spawn(|| self.run()).is_err() {
                return Poll::Ready(None);
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
                match std::io::stdin().read(&mut buffer) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    read => break read,
                }
            };
            let mut state = self.lock();
            match read {
                Ok(length @ 1..) => state.chunk = Some(Bytes::copy_from_slice(&buffer[..length])),
                // The end for who waits now. A terminal can have more for the next one, who starts another thread.
                Ok(0) | Err(_) => (state.started, state.ends) = (false, state.ends + 1),
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
