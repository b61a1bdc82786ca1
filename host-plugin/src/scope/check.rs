//! Checks a call against the scope.
//!
//! The shell plugin (its `scope.rs`) silently replaces an argument that does not match a fixed one, and drops superfluous
//! ones. This module refuses such a call, and the error shows position, expected and given argument.

use super::{
    entry::{Arg, Args, ScopeEntry},
    error::ScopeError,
};

/// The entries that apply to one call.
pub(crate) struct Scope<'a> {
    pub(crate) allow: Vec<&'a ScopeEntry>,
    pub(crate) deny: Vec<&'a ScopeEntry>,
}

impl Scope<'_> {
    /// Checks that an entry allows the call and that none denies it. Returns the names of environment entries that the call
    /// may set.
    ///
    /// A sidecar has a long and a short name. `means` tells whether an entry's name resolves to the sidecar, and `could_mean`
    /// whether it would if no other sidecar had the same short name: a denial must survive the registration of another
    /// sidecar.
    pub(crate) fn check(
        &self,
        name: &str,
        args: &[String],
        means: impl Fn(&str) -> bool,
        could_mean: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, ScopeError> {
        let named = |entry: &&&ScopeEntry| entry.sidecar && means(&entry.name);
        let denied = |entry: &&&ScopeEntry| entry.sidecar && could_mean(&entry.name);
        if self.deny.iter().filter(denied).any(|entry| entry.denies(args)) {
            return Err(ScopeError::Denied(name.to_owned()));
        }
        let mut refusal = None;
        for entry in self.allow.iter().filter(named) {
            match entry.allows(args) {
                Ok(()) => return Ok(entry.env.clone()),
                // If several entries mismatch, the error describes the first.
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or_else(|| ScopeError::NotFound(name.to_owned())))
    }
}

impl ScopeEntry {
    fn denies(&self, args: &[String]) -> bool {
        matches!(self.args, Args::Omitted) || self.allows(args).is_ok()
    }

    fn allows(&self, given: &[String]) -> Result<(), ScopeError> {
        let expected: &[Arg] = match &self.args {
            Args::Any => return Ok(()),
            Args::Omitted => &[],
            Args::List(list) => list,
        };
        for (index, arg) in expected.iter().enumerate() {
            match given.get(index) {
                None => return Err(ScopeError::MissingVar(index, arg.to_string())),
                Some(value) if !arg.matches(value) => {
                    let (expected, given) = (arg.to_string(), excerpt(value));
                    return Err(ScopeError::Validation { index, expected, given });
                }
                Some(_) => {}
            }
        }
        match given.get(expected.len()) {
            None => Ok(()),
            Some(first) => Err(ScopeError::TooMany {
                name: self.name.clone(),
                expected: expected.len(),
                given: given.len(),
                first: excerpt(first),
            }),
        }
    }
}

/// Escapes a webview's argument and shortens it for an error text.
fn excerpt(text: &str) -> String {
    const MAX_CHARS: usize = 200;
    let mut excerpt: String = text.chars().take(MAX_CHARS).flat_map(char::escape_debug).collect();
    if text.chars().nth(MAX_CHARS).is_some() {
        excerpt.push('…');
    }
    excerpt
}
