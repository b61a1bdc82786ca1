//! Why a guest was refused a name or an address, and which rule would have allowed it.
//!
//! This library does not know what a configuration calls its grants. It says how the rule reads, and front ends say where to
//! write it.

use std::fmt;

use super::class::AddressClass;

/// The reasons of a [`Refusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RefusalReason {
    /// No rule covers it.
    NotGranted,
    /// The address is of a class that only a grant of the address itself or of a range within its class allows.
    SpecialAddress(AddressClass),
    /// The name is granted, and resolves to such an address.
    ResolvesTo(AddressClass),
    /// It is no name, address, or request that can be granted at all.
    Malformed,
    /// Names under `.sidecar` belong to other sidecars.
    Reserved,
}

/// What a guest asked for and does not get.
///
/// The text is one line and names what was asked for. What a guest chooses of it is bounded and escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    reason: RefusalReason,
    text: String,
    suggestion: Option<String>,
}

impl Refusal {
    pub(super) fn new(reason: RefusalReason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into(), suggestion: None }
    }

    pub(super) fn suggest(mut self, rule: impl fmt::Display) -> Self {
        self.suggestion = Some(rule.to_string());
        self
    }

    /// Why, for code that decides or counts.
    pub(crate) fn reason(&self) -> RefusalReason {
        self.reason
    }

    /// The smallest rule that would have allowed it, as it would be written. Nothing does when what was asked for is malformed or reserved.
    pub(crate) fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refusal {}
