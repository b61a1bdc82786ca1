//! The regular expression of an entry, which an argument has to match.
//!
//! An expression is parsed alone, so that what it means never depends on text around it: `\d+)|(\w+` is an error, and not two
//! expressions, one of which has lost an anchor. That it has to match a whole argument is said in the parsed form.

use std::fmt;

use regex_automata::{Input, meta};
use regex_syntax::hir::{Hir, Look};

/// Bytes that one compiled expression may take. An expression is a line of a capability, and counted repetitions of counted
/// repetitions make it as large as its author likes.
const COMPILED: usize = 10 << 20;

/// Bytes of the cache that a search may fill. Without room it goes on more slowly, and takes time in proportion to the length of the
/// argument all the same.
const SEARCH_CACHE: usize = 2 << 20;

/// A compiled expression.
#[derive(Clone, Debug)]
pub(super) struct Validator {
    compiled: meta::Regex,
    /// As the shell plugin shows it.
    shown: String,
}

impl Validator {
    /// Compiles an expression. A `raw` one matches anywhere in an argument, as in the shell plugin; any other one has to match all
    /// of it.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for its author.
    pub(super) fn new(expression: &str, raw: bool) -> Result<Self, String> {
        let parsed = regex_syntax::parse(expression).map_err(|error| error.to_string())?;
        let (parsed, shown) = match raw {
            true => (parsed, expression.to_owned()),
            // `\A` and `\z`, which no flag of the expression changes. Joined to what was parsed and not to its text, so that an
            // alternation, a comment or a group of it ends where it ends.
            false => {
                let whole = vec![Hir::look(Look::Start), parsed, Hir::look(Look::End)];
                (Hir::concat(whole), format!("^{expression}$"))
            }
        };
        let config =
            meta::Config::new().nfa_size_limit(Some(COMPILED)).hybrid_cache_capacity(SEARCH_CACHE);
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
