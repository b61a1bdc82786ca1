//! What a webview may start: the entries of its capabilities, in the shell plugin's grammar.

mod args;
mod check;
mod entry;
mod error;
pub(crate) mod start_check;
mod validator;

pub(crate) use args::CallArgs;
pub(crate) use check::Scope;
pub use entry::ScopeEntry;
pub use error::ScopeError;

#[cfg(test)]
mod tests;
