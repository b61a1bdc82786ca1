//! Why the scope refuses a call. The texts begin as the shell plugin's do (its `scope.rs`).

/// A call that the scope does not allow, or a scope entry that cannot be read.
///
/// ```
/// use tauri_plugin_wasi_sidecar::ScopeError;
///
/// assert_eq!(ScopeError::NotFound("x".into()).to_string(), "Scoped command x not found");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// No entry allows that sidecar.
    #[error("Scoped command {0} not found")]
    NotFound(String),
    /// A `deny` entry matches the call.
    #[error("Scoped command {0} is denied by a `deny` entry of the scope")]
    Denied(String),
    /// An argument does not match the entry.
    #[error(
        "Scoped command argument at position {index} was found, but failed regex validation {expected}: given `{given}`"
    )]
    Validation {
        /// The position, counted from 0.
        index: usize,
        /// What the entry expects.
        expected: String,
        /// What the call gives, shortened.
        given: String,
    },
    /// An argument is missing.
    #[error(
        "Scoped command argument at position {0} must match regex validation {1} but it was not found"
    )]
    MissingVar(usize, String),
    /// The call gives more arguments than the entry expects.
    #[error(
        "Scoped command {name} takes {expected} arguments and was given {given}: the first too many is `{first}`"
    )]
    TooMany {
        /// The sidecar's name in the entry.
        name: String,
        /// How many arguments the entry expects.
        expected: usize,
        /// How many arguments the call gives.
        given: usize,
        /// The first superfluous argument, shortened.
        first: String,
    },
    /// A scope entry of a capability is invalid.
    #[error("the scope entry `{name}` of the wasi-sidecar permissions is not usable: {reason}")]
    Entry {
        /// The entry's name, or the whole entry if it has none.
        name: String,
        /// What is wrong, and at which key.
        reason: String,
    },
}
