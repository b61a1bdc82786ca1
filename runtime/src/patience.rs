//! Waiting a moment before waiting properly.
//!
//! To be woken costs a thread ten microseconds, on a virtual machine more, and the other side of an exchange often answers
//! sooner. So a host that has to wait for a guest looks a few more times first, as a mutex does. It is a bet: one that was
//! lost is not made again for a while, and the longer the more are lost in a row, so a stream that is read now and then
//! costs nothing.

use std::{
    hint,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// How long at most. Whoever polls several streams on one thread keeps the others waiting for as long.
const MOMENT: Duration = Duration::from_micros(30);

/// Looks between two looks at the clock.
const LOOKS: u32 = 16;

/// Waits that are left out after bets that were lost, at most.
const MAX_LEFT_OUT: u32 = 63;

/// What is known of one stream.
#[derive(Debug)]
pub(crate) struct Patience {
    /// Waits to come in which no bet is made.
    left_out: u32,
    /// How many will be left out if the next bet is lost.
    penalty: u32,
}

impl Default for Patience {
    /// Nothing has come yet, and what comes first comes late: the guest is still to be started.
    fn default() -> Self {
        Self { left_out: 1, penalty: 1 }
    }
}

impl Patience {
    /// Waits a moment for something to be there, if that seems worth it; whether it is.
    pub(crate) fn wait_for(&mut self, is_there: impl Fn() -> bool) -> bool {
        if is_there() {
            return true;
        }
        if self.left_out > 0 || !has_another_processor() {
            self.left_out = self.left_out.saturating_sub(1);
            return false;
        }
        let won = look(is_there);
        self.penalty = if won { 1 } else { (self.penalty * 2).min(MAX_LEFT_OUT) };
        self.left_out = if won { 0 } else { self.penalty };
        won
    }
}

fn look(is_there: impl Fn() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        for _ in 0..LOOKS {
            if is_there() {
                return true;
            }
            hint::spin_loop();
        }
        if begin.elapsed() >= MOMENT {
            return false;
        }
    }
}

/// Whether the other side can run meanwhile.
fn has_another_processor() -> bool {
    static MORE_THAN_ONE: OnceLock<bool> = OnceLock::new();
    *MORE_THAN_ONE
        .get_or_init(|| thread::available_parallelism().is_ok_and(|cores| cores.get() > 1))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How often it looked in so many waits, of which none is for something that is there.
    fn looked(patience: &mut Patience, waits: u32) -> u32 {
        let looked = Cell::new(0);
        for _ in 0..waits {
            let looks = Cell::new(0);
            let there = || {
                looks.set(looks.get() + 1);
                false
            };
            assert!(!patience.wait_for(there));
            looked.set(looked.get() + u32::from(looks.get() > 1));
        }
        looked.get()
    }

    #[test]
    fn bets_that_are_lost_are_made_ever_less() {
        let mut patience = Patience::default();
        assert!(patience.wait_for(|| true), "what is there needs no bet");
        let most = if has_another_processor() { 7 } else { 0 };
        assert!(looked(&mut patience, 64) <= most);
        assert!(looked(&mut patience, 160) <= 10);
    }

    #[test]
    fn one_that_is_won_is_made_again() {
        let mut patience = Patience { left_out: 0, penalty: 100 };
        let looks = Cell::new(0);
        let comes_late = || {
            looks.set(looks.get() + 1);
            looks.get() > 3
        };
        assert_eq!(patience.wait_for(comes_late), has_another_processor());
        if has_another_processor() {
            assert_eq!(looked(&mut patience, 1), 1);
        }
    }
}
