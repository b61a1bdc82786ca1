//! Why a guest was refused a name, an address or a request, and which grant would have allowed it.
//!
//! This library does not know what a configuration calls its grants. It says which kind of grant is missing and how the
//! entry reads, and front ends say where to write it.

use std::fmt;

use super::class::AddressClass;

/// Kinds of grants that a refusal can suggest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum GrantKind {
    /// A [`NetworkRule`](super::NetworkRule).
    Network,
    /// Requests to a URL.
    #[expect(dead_code, reason = "HTTP grants need it, which are not wired in")]
    Http,
}

/// The smallest grant that would have allowed what was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suggestion {
    kind: GrantKind,
    rule: String,
}

impl Suggestion {
    /// Which kind of grant it is.
    #[expect(dead_code, reason = "HTTP grants need it, which are not wired in")]
    pub(crate) fn kind(&self) -> GrantKind {
        self.kind
    }

    /// The entry as it would be written.
    pub(crate) fn rule(&self) -> &str {
        &self.rule
    }
}

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
    suggestion: Option<Suggestion>,
}

impl Refusal {
    pub(in super::super) fn new(reason: RefusalReason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into(), suggestion: None }
    }

    pub(in super::super) fn suggest(mut self, kind: GrantKind, rule: impl fmt::Display) -> Self {
        self.suggestion = Some(Suggestion { kind, rule: rule.to_string() });
        self
    }

    /// Why, for code that decides or counts.
    pub(crate) fn reason(&self) -> RefusalReason {
        self.reason
    }

    /// What would have allowed it. Nothing does when what was asked for is malformed or reserved.
    pub(crate) fn suggestion(&self) -> Option<&Suggestion> {
        self.suggestion.as_ref()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refusal {}
