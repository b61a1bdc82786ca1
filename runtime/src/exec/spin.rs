//! Spins for a moment before a thread sleeps, where an answer may come sooner than a wake-up.
//!
//! Waking a thread takes ten microseconds, and more on a virtual machine. The other side of an exchange often answers
//! sooner. So a host that waits for a guest checks a few more times first, as a mutex does. After a spin in vain, the
//! next waits do not spin. The more spins in a row were in vain, the more waits skip them, so a stream that is rarely
//! read costs nothing.

use std::{
    hint,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// Longest spin of a stream. A task that polls several streams on one thread delays the others as long.
const STREAM_SPIN: Duration = Duration::from_micros(50);

/// Checks between two readings of the clock.
const CHECKS: u32 = 16;

/// Most waits without a spin after spins in vain.
const MAX_SKIPPED: u32 = 63;

/// Decides for one stream whether a wait spins.
#[derive(Debug)]
pub(crate) struct AdaptiveSpin {
    /// Number of upcoming waits that do not spin.
    skip: u32,
    /// Number of waits that do not spin after the next spin in vain.
    penalty: u32,
}

impl Default for AdaptiveSpin {
    /// The first wait does not spin, because the guest still has to start.
    fn default() -> Self {
        Self { skip: 1, penalty: 0 }
    }
}

impl AdaptiveSpin {
    /// Spins until the condition holds, if a spin seems worth it. Returns whether it holds.
    pub(crate) fn wait_for(&mut self, condition: impl Fn() -> bool) -> bool {
        if condition() {
            return true;
        }
        if self.skip > 0 || !pays_off() {
            self.skip = self.skip.saturating_sub(1);
            return false;
        }
        let won = spin_until(STREAM_SPIN, condition);
        // One lost bet among many that were won costs nothing: a busy machine loses some.
        self.skip = if won { 0 } else { self.penalty };
        self.penalty = if won { 0 } else { (self.penalty * 2 + 1).min(MAX_SKIPPED) };
        won
    }
}

/// Checks the condition until it holds or the time is over. Returns whether it holds.
pub(super) fn spin_until(at_most: Duration, condition: impl Fn() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        for _ in 0..CHECKS {
            if condition() {
                return true;
            }
            hint::spin_loop();
        }
        if begin.elapsed() >= at_most {
            return false;
        }
    }
}

/// Whether the other side can run meanwhile. On a single processor, spinning only prevents others from running.
pub(super) fn pays_off() -> bool {
    static SEVERAL_PROCESSORS: OnceLock<bool> = OnceLock::new();
    *SEVERAL_PROCESSORS
        .get_or_init(|| thread::available_parallelism().is_ok_and(|cores| cores.get() > 1))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How many of these waits spin if the condition never holds.
    fn spins(spin: &mut AdaptiveSpin, waits: u32) -> u32 {
        let looked = Cell::new(0);
        for _ in 0..waits {
            let looks = Cell::new(0);
            let there = || {
                looks.set(looks.get() + 1);
                false
            };
            assert!(!spin.wait_for(there));
            looked.set(looked.get() + u32::from(looks.get() > 1));
        }
        looked.get()
    }

    #[test]
    fn lost_bets_make_spins_rarer() {
        let mut spin = AdaptiveSpin::default();
        assert!(spin.wait_for(|| true), "no spin is needed");
        let most = if pays_off() { 7 } else { 0 };
        assert!(spins(&mut spin, 64) <= most);
        assert!(spins(&mut spin, 160) <= 10);
    }

    #[test]
    fn a_won_bet_is_repeated() {
        let mut spin = AdaptiveSpin { skip: 0, penalty: 100 };
        let looks = Cell::new(0);
        let comes_late = || {
            looks.set(looks.get() + 1);
            looks.get() > 3
        };
        assert_eq!(spin.wait_for(comes_late), pays_off());
        if pays_off() {
            assert_eq!(spins(&mut spin, 1), 1);
        }
    }
}
