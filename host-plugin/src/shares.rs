//! What webviews hold at once of something that is counted: calls that wait, bytes of output.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts what each webview holds, and what all of them hold together. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shares(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    all: usize,
    /// By the webview's label; those that hold nothing are not in it.
    each: HashMap<String, usize>,
}

/// How much may be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Most {
    /// By one webview.
    pub(crate) each: usize,
    /// By all of them together.
    pub(crate) all: usize,
}

/// What one holder has taken; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    of: Shares,
    webview: String,
    amount: usize,
}

impl Shares {
    /// Takes an amount for a webview, unless that would be more than may be held.
    pub(crate) fn take(&self, webview: &str, amount: usize, most: Most) -> Option<Share> {
        let mut share = Share { of: self.clone(), webview: webview.to_owned(), amount: 0 };
        share.grow(amount, most).then_some(share)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing below panics while it holds the lock; if it did, the counts are still good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Takes more. If that would be more than may be held, nothing is taken and the answer is `false`.
    #[must_use]
    pub(crate) fn grow(&mut self, more: usize, most: Most) -> bool {
        let mut held = self.of.held();
        let each = held.each.get(&self.webview).copied().unwrap_or(0).checked_add(more);
        let all = held.all.checked_add(more);
        let (Some(each), Some(all)) = (each, all) else { return false };
        if each > most.each || all > most.all {
            return false;
        }
        held.all = all;
        if each > 0 {
            held.each.insert(self.webview.clone(), each);
        }
        self.amount += more;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.of.held();
        held.all = held.all.saturating_sub(self.amount);
        if let Some(each) = held.each.get_mut(&self.webview) {
            *each = each.saturating_sub(self.amount);
            if *each == 0 {
                held.each.remove(&self.webview);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_and_all_have_theirs_together() {
        let (shares, most) = (Shares::default(), Most { each: 3, all: 5 });
        let mut one = shares.take("one", 2, most).expect("there is room");
        assert!(!one.grow(2, most), "more than one webview may hold");
        assert!(one.grow(1, most), "a refusal has taken nothing");
        assert!(shares.take("one", 1, most).is_none());
        let other = shares.take("other", 2, most).expect("the other has its own");
        assert!(shares.take("third", 1, most).is_none(), "five are all");
        assert!(shares.take("third", 0, most).is_some(), "nothing is never too much");
        drop(one);
        let again = shares.take("one", 3, most).expect("all was given back");
        assert!(shares.take("other", usize::MAX, most).is_none(), "it is not wrapped around");
        drop((other, again));
        let held = shares.held();
        assert!(held.all == 0 && held.each.is_empty(), "{held:?}");
    }
}
