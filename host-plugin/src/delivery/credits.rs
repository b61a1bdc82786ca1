//! How much may be on its way to a page.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Bytes that may be on the way without having been acknowledged before the next message has to wait. Enough that a page
/// that reads hardly ever waits for the way back. With the message that is let through last, and what is gathered and held in
/// channel and pipes behind it, a child whose page does not read costs the app less than 2 MiB, unless it is one long line.
const WINDOW: usize = 640 << 10;

/// Counts what one child's page has not acknowledged yet.
#[derive(Debug, Default)]
pub(crate) struct Credits {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes sent and not acknowledged.
    outstanding: usize,
    page_left: bool,
}

impl Credits {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a message of so many bytes may be sent. `false`: nobody is there any more.
    ///
    /// A message of any size goes while the window is not full: a page acknowledges in steps of 128 KiB and may keep a
    /// smaller rest to itself for ever, so a large one must not wait for the window to be empty.
    pub(crate) async fn take(&self, bytes: usize) -> bool {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if state.page_left {
                    return false;
                }
                if state.outstanding < WINDOW {
                    state.outstanding += bytes;
                    return true;
                }
            }
            changed.await;
        }
    }

    /// Whether there is still somebody to send to.
    pub(crate) fn page_is_there(&self) -> bool {
        !self.state().page_left
    }

    /// The page has consumed so many bytes. More than it was sent is as good as all.
    pub(crate) fn give_back(&self, bytes: usize) {
        let mut state = self.state();
        state.outstanding = state.outstanding.saturating_sub(bytes);
        drop(state);
        self.changed.notify_waiters();
    }

    /// The page is gone; nothing more is sent.
    pub(crate) fn page_left(&self) {
        self.state().page_left = true;
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Context, task::Waker};

    use super::*;

    /// What waiting for credit comes to now.
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
            assert_eq!(poll(pin!(credits.take(64 << 10))), Some(true));
        }
        let mut waiting = pin!(credits.take(1));
        assert_eq!(poll(waiting.as_mut()), None);
        credits.give_back(64 << 10);
        assert_eq!(poll(waiting.as_mut()), Some(true));
    }

    #[test]
    fn a_message_larger_than_the_window_waits_for_no_rest() {
        let credits = Credits::default();
        assert_eq!(poll(pin!(credits.take(1000))), Some(true));
        assert_eq!(poll(pin!(credits.take(3 * WINDOW))), Some(true));
        let mut waiting = pin!(credits.take(3 * WINDOW));
        assert_eq!(poll(waiting.as_mut()), None);
        credits.give_back(usize::MAX);
        assert_eq!(poll(waiting.as_mut()), Some(true));
    }

    #[test]
    fn a_page_that_left_is_not_waited_for() {
        let credits = Credits::default();
        assert_eq!(poll(pin!(credits.take(WINDOW))), Some(true));
        let mut waiting = pin!(credits.take(1));
        assert_eq!(poll(waiting.as_mut()), None);
        credits.page_left();
        assert_eq!(poll(waiting.as_mut()), Some(false));
        assert_eq!(poll(pin!(credits.take(1))), Some(false));
    }
}
