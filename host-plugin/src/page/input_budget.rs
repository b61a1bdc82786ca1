//! Bounds the input that waits for one child, since a page can write faster than the child reads.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use wasi_sidecar::units;

use super::limits::PageLimits;
use crate::{Error, Result};

/// Cost of a waiting call besides its bytes. Without it, a page could queue any number of empty writes.
const CALL_COST: usize = 1 << 10;

/// Bounds the input that waits for one child. Clones share the count.
#[derive(Clone, Debug)]
pub(crate) struct InputBudget {
    used: Arc<AtomicUsize>,
    limit: usize,
}

impl InputBudget {
    pub(crate) fn new(limits: PageLimits) -> Self {
        Self { used: Arc::default(), limit: limits.input }
    }

    /// Reserves room for a call with that many bytes. Dropping the permit frees it.
    ///
    /// # Errors
    ///
    /// If that exceeds the limit.
    pub(crate) fn reserve(&self, sidecar: &str, bytes: usize) -> Result<InputPermit> {
        let cost = bytes.saturating_add(CALL_COST);
        let add = |used: usize| used.checked_add(cost).filter(|sum| *sum <= self.limit);
        // Relaxed: the count orders no other memory access.
        match self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add) {
            Ok(_) => Ok(InputPermit { used: Arc::clone(&self.used), cost }),
            Err(_) => Err(Error::InputFull {
                sidecar: sidecar.to_owned(),
                bytes,
                limit: units::size(self.limit as u64),
            }),
        }
    }
}

#[derive(Debug)]
pub(crate) struct InputPermit {
    used: Arc<AtomicUsize>,
    cost: usize,
}

impl Drop for InputPermit {
    fn drop(&mut self) {
        self.used.fetch_sub(self.cost, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_counted_and_given_back() {
        let budget = InputBudget::new(PageLimits { input: 3 * CALL_COST, ..PageLimits::default() });
        let first = budget.reserve("echo", CALL_COST).expect("there is room");
        let refused = budget.reserve("echo", 1).expect_err("there is none for a byte and a call");
        for part in ["`echo`", "3.0 KiB", "`webviews.maxInput`"] {
            assert!(refused.to_string().contains(part), "{refused}");
        }
        // An empty write is a call all the same.
        let empty = budget.reserve("echo", 0).expect("there is room for a call");
        budget.reserve("echo", 0).expect_err("and for no other");
        drop((first, empty));
        budget.reserve("echo", 2 * CALL_COST).expect("all was given back");
        budget.reserve("echo", usize::MAX).expect_err("it is not wrapped around");
    }
}
