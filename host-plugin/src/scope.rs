//! What a webview may start: the entries of its capabilities, in the shell plugin's grammar.
//!
//! Where the shell plugin (its `scope.rs`) quietly replaces an argument that does not match a fixed one, or drops those that
//! are too many, a call is refused here, and the text shows what was expected where.

mod entry;
pub(crate) mod start_check;
mod validator;

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

pub use entry::ScopeEntry;
use entry::{Arg, Args};

/// A call that the scope does not allow, or an entry of it that cannot be read.
///
/// ```
/// use tauri_plugin_wasi_sidecar::ScopeError;
///
/// assert_eq!(ScopeError::NotFound("x".into()).to_string(), "Scoped command x not found");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No entry has that name.
    #[error("Scoped command {0} not found")]
    NotFound(String),
    /// An entry denies it.
    #[error("Scoped command {0} is denied by a `deny` entry of the scope")]
    Denied(String),
    /// An argument is another than the entry has at that place.
    #[error(
        "Scoped command argument at position {index} was found, but failed regex validation {expected}: given `{given}`"
    )]
    Validation {
        /// Its place, counted from 0.
        index: usize,
        /// What the entry has there.
        expected: String,
        /// What the call has there.
        given: String,
    },
    /// An argument is missing.
    #[error(
        "Scoped command argument at position {0} must match regex validation {1} but it was not found"
    )]
    MissingVar(usize, String),
    /// There are more arguments than the entry has.
    #[error(
        "Scoped command {name} takes {expected} arguments and was given {given}: the first too many is `{first}`"
    )]
    TooMany {
        /// The sidecar.
        name: String,
        /// How many the entry has.
        expected: usize,
        /// How many the call has.
        given: usize,
        /// The first one that is too many.
        first: String,
    },
    /// An entry of a capability that cannot be used.
    #[error("the scope entry `{name}` of the wasi-sidecar permissions is not usable: {reason}")]
    Entry {
        /// The entry's name, or what it has instead.
        name: String,
        /// What is wrong, and where.
        reason: String,
    },
}

/// The arguments of a call: `null`, a text, or a list of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallArgs(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for CallArgs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = CallArgs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("null, a string or a list of strings")
            }
            fn visit_unit<E>(self) -> Result<CallArgs, E> {
                Ok(CallArgs(Vec::new()))
            }
            fn visit_str<E>(self, text: &str) -> Result<CallArgs, E> {
                Ok(CallArgs(vec![text.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<CallArgs, A::Error> {
                let mut args = Vec::new();
                while let Some(arg) = list.next_element()? {
                    args.push(arg);
                }
                Ok(CallArgs(args))
            }
        }
        deserializer.deserialize_any(Form)
    }
}

/// All entries that count for one call.
pub(crate) struct Scope<'a> {
    pub(crate) allow: Vec<&'a ScopeEntry>,
    pub(crate) deny: Vec<&'a ScopeEntry>,
}

impl Scope<'_> {
    /// Whether any entry allows the call and none denies it; then the names of environment entries it may set.
    /// `means` tells whether an entry's name means the sidecar, which has a long and a short one, and `could_mean` whether
    /// it would if no other had the same short one: what is denied stays denied when another sidecar comes along.
    pub(crate) fn check(
        &self,
        name: &str,
        args: &[String],
        means: impl Fn(&str) -> bool,
        could_mean: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, Error> {
        let named = |entry: &&&ScopeEntry| entry.sidecar && means(&entry.name);
        let denied = |entry: &&&ScopeEntry| entry.sidecar && could_mean(&entry.name);
        if self.deny.iter().filter(denied).any(|entry| entry.denies(args)) {
            return Err(Error::Denied(name.to_owned()));
        }
        let mut refusal = None;
        for entry in self.allow.iter().filter(named) {
            match entry.allows(args) {
                Ok(()) => return Ok(entry.env.clone()),
                // Of several entries the first is the one whose author is told what was expected.
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or_else(|| Error::NotFound(name.to_owned())))
    }
}

impl ScopeEntry {
    fn denies(&self, args: &[String]) -> bool {
        matches!(self.args, Args::Unsaid) || self.allows(args).is_ok()
    }

    fn allows(&self, given: &[String]) -> Result<(), Error> {
        let expected: &[Arg] = match &self.args {
            Args::Any => return Ok(()),
            Args::Unsaid => &[],
            Args::List(list) => list,
        };
        for (index, arg) in expected.iter().enumerate() {
            match given.get(index) {
                None => return Err(Error::MissingVar(index, arg.to_string())),
                Some(value) if !arg.matches(value) => {
                    let (expected, given) = (arg.to_string(), shown(value));
                    return Err(Error::Validation { index, expected, given });
                }
                Some(_) => {}
            }
        }
        match given.get(expected.len()) {
            None => Ok(()),
            Some(first) => Err(Error::TooMany {
                name: self.name.clone(),
                expected: expected.len(),
                given: given.len(),
                first: shown(first),
            }),
        }
    }
}

/// As much of a webview's argument as fits a message.
fn shown(text: &str) -> String {
    const SHOWN: usize = 200;
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
