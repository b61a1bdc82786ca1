//! The regular expression of an entry.
//!
//! The expression is parsed alone and anchored in its parsed form. Anchoring the text instead would turn `\d+)|(\w+` into two
//! expressions with one anchor each; here it is an error.

use std::fmt;

use regex_automata::{Input, meta};
use regex_syntax::hir::{Hir, Look};

/// Largest compiled expression, in bytes. Nested counted repetitions grow without bound.
const MAX_COMPILED: usize = 10 << 20;

/// Bytes of cache for a search. With a full cache a search is slower, but its time stays linear in the argument.
const SEARCH_CACHE: usize = 2 << 20;

#[derive(Clone, Debug)]
pub(super) struct Validator {
    compiled: meta::Regex,
    /// The expression as the shell plugin shows it in errors.
    shown: String,
}

impl Validator {
    /// Compiles an expression. A `raw` expression matches anywhere in an argument, as in the shell plugin; any other must match
    /// the whole argument.
    ///
    /// # Errors
    ///
    /// The text says what is wrong with the expression.
    pub(super) fn new(expression: &str, raw: bool) -> Result<Self, String> {
        let parsed = regex_syntax::parse(expression).map_err(|error| error.to_string())?;
        let (parsed, shown) = match raw {
            true => (parsed, expression.to_owned()),
            // These are `\A` and `\z`, which no flag in the expression changes.
            false => {
                let whole = vec![Hir::look(Look::Start), parsed, Hir::look(Look::End)];
                (Hir::concat(whole), format!("^{expression}$"))
            }
        };
        let config = meta::Config::new()
            .nfa_size_limit(Some(MAX_COMPILED))
            .hybrid_cache_capacity(SEARCH_CACHE);
        let compiled =
            meta::Builder::new().configure(config).build_from_hir(&parsed).map_err(|error| {
                match error.size_limit() {
                    Some(limit) => format!(
                        "it takes more than {limit} bytes when compiled; use smaller counts of repetition"
                    ),
                    None => error.to_string(),
                }
            })?;
        Ok(Self { compiled, shown })
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        self.compiled.is_match(Input::new(value))
    }
}

impl fmt::Display for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
