//! Flow control of one child's output: a page acknowledges what it consumes, and unacknowledged output is bounded.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Unacknowledged bytes after which the next message waits. A page that reads hardly ever waits for its acknowledgements to
/// arrive. Together with the last admitted message, the batch, the channel and the pipes, a child whose page does not read
/// costs the app less than 2 MiB, unless it writes one long line.
const WINDOW: usize = 640 << 10;

/// Counts the bytes that a page has not acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Credits {
    state: Mutex<CreditState>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct CreditState {
    unacknowledged: usize,
    is_closed: bool,
}

impl Credits {
    fn state(&self) -> MutexGuard<'_, CreditState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a message of that many bytes may be sent. Returns `false` once the page is gone.
    ///
    /// While the window is not full, it admits a message of any size. A page acknowledges in steps of 128 KiB and may never
    /// acknowledge a smaller rest, so a large message must not wait for an empty window.
    pub(crate) async fn acquire(&self, bytes: usize) -> bool {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if state.is_closed {
                    return false;
                }
                if state.unacknowledged < WINDOW {
                    state.unacknowledged += bytes;
                    return true;
                }
            }
            changed.await;
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.state().is_closed
    }

    /// Returns credit for consumed bytes. More than was sent counts as all of it.
    pub(crate) fn acknowledge(&self, bytes: usize) {
        let mut state = self.state();
        state.unacknowledged = state.unacknowledged.saturating_sub(bytes);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Ends all waits, since the page is gone.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Context, task::Waker};

    use super::*;

    fn poll(future: std::pin::Pin<&mut impl Future<Output = bool>>) -> Option<bool> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            std::task::Poll::Ready(result) => Some(result),
            std::task::Poll::Pending => None,
        }
    }

    #[test]
    fn parity_32_what_is_not_acknowledged_is_bounded() {
        let credits = Credits::default();
        for _ in 0..WINDOW / (64 << 10) {
            assert_eq!(poll(pin!(credits.acquire(64 << 10))), Some(true));
        }
        let mut waiting = pin!(credits.acquire(1));
        assert_eq!(poll(waiting.as_mut()), None);
        credits.acknowledge(64 << 10);
        assert_eq!(poll(waiting.as_mut()), Some(true));
    }

    #[test]
    fn a_message_larger_than_the_window_waits_for_no_rest() {
        let credits = Credits::default();
        assert_eq!(poll(pin!(credits.acquire(1000))), Some(true));
        assert_eq!(poll(pin!(credits.acquire(3 * WINDOW))), Some(true));
        let mut waiting = pin!(credits.acquire(3 * WINDOW));
        assert_eq!(poll(waiting.as_mut()), None);
        credits.acknowledge(usize::MAX);
        assert_eq!(poll(waiting.as_mut()), Some(true));
    }

    #[test]
    fn a_page_that_left_is_not_waited_for() {
        let credits = Credits::default();
        assert_eq!(poll(pin!(credits.acquire(WINDOW))), Some(true));
        let mut waiting = pin!(credits.acquire(1));
        assert_eq!(poll(waiting.as_mut()), None);
        credits.close();
        assert_eq!(poll(waiting.as_mut()), Some(false));
        assert_eq!(poll(pin!(credits.acquire(1))), Some(false));
    }
}
