//! Logs a guest's network decisions with their rule or reason, and never the data sent.
//!
//! A guest chooses how often it asks, so both kinds of events end after a number for each guest.

use std::{
    fmt,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{grants::network::Refusal, text};

/// Refusals of one guest that the log is told. They say what to grant, and a few say it.
const MAX_REFUSALS: u32 = 20;

/// Look-ups and connections of one guest that the log is told: those of a program that works for days, and not those of one that
/// would fill the disk with them.
const MAX_ALLOWED: u32 = 1000;

#[derive(Debug)]
pub(super) struct Audit {
    guest: String,
    refused: AtomicU32,
    allowed: AtomicU32,
}

impl Audit {
    pub(super) fn new(guest: &str) -> Self {
        Self { guest: text::name(guest), refused: AtomicU32::new(0), allowed: AtomicU32::new(0) }
    }

    /// `name` may be looked up, and led to so many addresses that the guest was told.
    pub(super) fn looked_up(&self, name: &impl fmt::Display, rule: &str, addresses: usize) {
        if self.tell_allowed() {
            let guest = &self.guest;
            tracing::info!(%guest, %name, rule, addresses, "looked up a name");
        }
    }

    /// No resolver knows `name`. Its error is the system's.
    pub(super) fn not_found(&self, name: &impl fmt::Display, error: &std::io::Error) {
        if self.tell_allowed() {
            let (guest, error) = (&self.guest, text::bounded(error));
            tracing::info!(%guest, %name, %error, "a name could not be looked up");
        }
    }

    /// A connection or the first datagram to an address.
    pub(super) fn reached(&self, what: &str, address: &str, name: Option<&str>, rule: &str) {
        if self.tell_allowed() {
            let guest = &self.guest;
            tracing::info!(%guest, what, address, name, rule, "may use the network");
        }
    }

    pub(super) fn refused(&self, what: &str, refusal: &Refusal) {
        if self.tell_refused() {
            let guest = &self.guest;
            let grant = refusal.suggestion();
            let reason = refusal.reason();
            tracing::warn!(%guest, what, ?reason, %refusal, grant, "refused the network");
        }
    }

    /// Something that no grant of this kind gives.
    pub(super) fn never(&self, what: &str, address: &impl fmt::Display) {
        if self.tell_refused() {
            let guest = &self.guest;
            tracing::warn!(%guest, what, %address, "refused the network; no grant allows this");
        }
    }

    /// Sockets of a protocol that no rule is of.
    pub(super) fn no_rule(&self, protocol: &impl fmt::Display) {
        if self.tell_refused() {
            let guest = &self.guest;
            tracing::warn!(%guest, %protocol, "refused a socket; no network rule is of this protocol");
        }
    }

    fn tell_refused(&self) -> bool {
        self.tell(&self.refused, MAX_REFUSALS, "further network refusals are not logged")
    }

    fn tell_allowed(&self) -> bool {
        self.tell(&self.allowed, MAX_ALLOWED, "further network use is not logged")
    }

    /// Whether there is one more to tell. The first that is not is told to be missing.
    fn tell(&self, count: &AtomicU32, most: u32, last: &str) -> bool {
        let next = |told: u32| (told <= most).then_some(told + 1);
        match count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(told) if told < most => true,
            Ok(_) => {
                let guest = &self.guest;
                tracing::warn!(%guest, most, "{last}");
                false
            }
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_end_and_the_two_kinds_do_not_count_together() {
        let audit = Audit::new("guest");
        let refused = (0..100).filter(|_| audit.tell_refused()).count();
        let allowed = (0..3000).filter(|_| audit.tell_allowed()).count();
        assert_eq!((refused, allowed), (20, 1000));
    }
}
