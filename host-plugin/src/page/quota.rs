//! Counts a resource that webviews hold, such as waiting calls or bytes of output.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts what each webview holds, and the total. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quota(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    /// By label; only webviews that hold something have an entry.
    per_webview: HashMap<String, usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QuotaLimits {
    pub(crate) per_webview: usize,
    /// For all webviews together.
    pub(crate) total: usize,
}

/// An amount that a webview holds. Dropping it returns the amount.
#[derive(Debug)]
pub(crate) struct Reservation {
    quota: Quota,
    webview: String,
    amount: usize,
}

impl Quota {
    /// Reserves an amount for a webview, or returns `None` if that exceeds a limit.
    pub(crate) fn reserve(
        &self,
        webview: &str,
        amount: usize,
        limits: QuotaLimits,
    ) -> Option<Reservation> {
        let mut reservation =
            Reservation { quota: self.clone(), webview: webview.to_owned(), amount: 0 };
        reservation.grow(amount, limits).then_some(reservation)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // A panic under the lock would leave the counts consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Reserves more. Returns `false` and reserves nothing if that exceeds a limit.
    #[must_use]
    pub(crate) fn grow(&mut self, more: usize, limits: QuotaLimits) -> bool {
        let mut counts = self.quota.counts();
        let own = counts.per_webview.get(&self.webview).copied().unwrap_or(0).checked_add(more);
        let total = counts.total.checked_add(more);
        let (Some(own), Some(total)) = (own, total) else { return false };
        if own > limits.per_webview || total > limits.total {
            return false;
        }
        counts.total = total;
        if own > 0 {
            counts.per_webview.insert(self.webview.clone(), own);
        }
        self.amount += more;
        true
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut counts = self.quota.counts();
        counts.total = counts.total.saturating_sub(self.amount);
        if let Some(own) = counts.per_webview.get_mut(&self.webview) {
            *own = own.saturating_sub(self.amount);
            if *own == 0 {
                counts.per_webview.remove(&self.webview);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_and_all_have_theirs_together() {
        let (quota, limits) = (Quota::default(), QuotaLimits { per_webview: 3, total: 5 });
        let mut one = quota.reserve("one", 2, limits).expect("there is room");
        assert!(!one.grow(2, limits), "more than one webview may hold");
        assert!(one.grow(1, limits), "a refusal has taken nothing");
        assert!(quota.reserve("one", 1, limits).is_none());
        let other = quota.reserve("other", 2, limits).expect("the other has its own");
        assert!(quota.reserve("third", 1, limits).is_none(), "five are all");
        assert!(quota.reserve("third", 0, limits).is_some(), "nothing is never too much");
        drop(one);
        let again = quota.reserve("one", 3, limits).expect("all was given back");
        assert!(quota.reserve("other", usize::MAX, limits).is_none(), "it is not wrapped around");
        drop((other, again));
        let counts = quota.counts();
        assert!(counts.total == 0 && counts.per_webview.is_empty(), "{counts:?}");
    }
}
