//! Limits the rate of messages that are not full.

use std::time::{Duration, Instant};

/// Average time between two messages that are not full: single lines in a stream must not keep the page busy with messages.
const INTERVAL: Duration = Duration::from_millis(1);

/// Messages that are sent at once after a quiet time. A dialogue of short questions and answers stays below it.
const BURST: u32 = 16;

/// Admits [`BURST`] messages at once, and one every [`INTERVAL`] in the long run.
#[derive(Debug, Default)]
pub(super) struct RateLimiter {
    /// When the sent messages would have ended at one every [`INTERVAL`].
    paced_until: Option<Instant>,
}

impl RateLimiter {
    /// When the next message may be sent; `None` for now.
    pub(super) fn earliest(&self, now: Instant) -> Option<Instant> {
        // Near the clock's start, the earlier moment does not exist.
        let earliest = self.paced_until?.checked_sub(INTERVAL * BURST)?;
        (earliest > now).then_some(earliest)
    }

    pub(super) fn sent(&mut self, now: Instant) {
        let from = self.paced_until.map_or(now, |paced_until| paced_until.max(now));
        self.paced_until = Some(from + INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_messages_go_at_once_and_many_at_a_pace() {
        let (mut limiter, start) = (RateLimiter::default(), Instant::now());
        for _ in 0..BURST {
            assert_eq!(limiter.earliest(start), None);
            limiter.sent(start);
        }
        limiter.sent(start);
        assert_eq!(limiter.earliest(start), Some(start + INTERVAL));
        // One second admits as many messages as it has intervals.
        let (mut now, mut sent) = (start, 0);
        while now < start + Duration::from_secs(1) {
            match limiter.earliest(now) {
                Some(at) => now = at,
                None => {
                    limiter.sent(now);
                    sent += 1;
                }
            }
        }
        assert!((990..=1010).contains(&sent), "{sent}");
        // A message every two milliseconds never waits.
        for _ in 0..1000 {
            now += Duration::from_millis(2);
            assert_eq!(limiter.earliest(now), None);
            limiter.sent(now);
        }
    }
}
