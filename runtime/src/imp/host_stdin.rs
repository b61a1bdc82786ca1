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
    ended: bool,
    chunk: Option<Bytes>,
    waiting: Vec<Waker>,
}

static INPUT: Input = Input {
    state: Mutex::new(State {
        started: false,
        wanted: false,
        ended: false,
        chunk: None,
        waiting: Vec::new(),
    }),
    wanted: Condvar::new(),
};

/// The next bytes; `None` at the end. Cancel safe.
pub(super) async fn chunk() -> Option<Bytes> {
    poll_fn(|cx| INPUT.poll(cx)).await
}

impl Input {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(&'static self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.lock();
        if let Some(chunk) = state.chunk.take() {
            return Poll::Ready(Some(chunk));
        }
        if !state.started {
            let thread = thread::Builder::new().name("wasi-sidecar-stdin".into());
            state.started = true;
            state.ended = thread.spawn(|| self.run()).is_err();
        }
        if state.ended {
            return Poll::Ready(None);
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
            let read = std::io::stdin().read(&mut buffer);
            let mut state = self.lock();
            match read {
                Ok(length @ 1..) => state.chunk = Some(Bytes::copy_from_slice(&buffer[..length])),
                Ok(0) | Err(_) => state.ended = true,
            }
            let ended = state.ended;
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_iter().for_each(Waker::wake);
            if ended {
                return;
            }
        }
    }
}
