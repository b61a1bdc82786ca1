//! Why a configuration entry is not a valid grant.

use std::fmt;

use crate::text;

/// An entry that cannot be a grant, what is wrong with it, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantError {
    entry: String,
    reason: String,
}

impl GrantError {
    /// `reason` goes on after the entry's name: "has no port; write …".
    pub(super) fn new(entry: &str, reason: impl Into<String>) -> Self {
        Self { entry: shown(entry), reason: reason.into() }
    }
}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.entry, self.reason)
    }
}

impl std::error::Error for GrantError {}

/// A text that a guest or a configuration chose, fit to be shown. What stands before `@` in the place of a host is a password
/// more often than not, so it is left out.
pub(super) fn shown(entry: &str) -> String {
    let start = entry.find("://").map_or(0, |at| at + 3);
    let Some((scheme, rest)) = entry.split_at_checked(start) else { return text::name(entry) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.get(..end).and_then(|host| host.rfind('@')).and_then(|at| rest.get(at..)) {
        Some(rest) => text::name(&format!("{scheme}…{rest}")),
        None => text::name(entry),
    }
}
