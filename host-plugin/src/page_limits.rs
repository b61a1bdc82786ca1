//! How much a page may have the app hold: children at once, input that its children have not read, calls that wait, and output
//! that is collected for them.
//!
//! All but the output are counted where a call comes in, before anything is done for it. What is over is refused and not queued:
//! a call that waits keeps its message in the app's memory, and a page can make as many as it likes.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use wasi_sidecar::units;

use crate::{Error, Result, config::RawWebviews, shares::Most};

/// Children that one webview may have at once. More than a page shows, and few enough that a page that starts them in a loop
/// leaves room for the others.
const CHILDREN: usize = 64;

/// Bytes of input that may wait for one child. Our JavaScript has at most 1 MiB on its way to a child; the rest is for pages that
/// write a large text in one call.
const INPUT: usize = 16 << 20;

/// The least that can be set: what our JavaScript puts into one call, which would not go through otherwise, and as much again.
const LEAST_INPUT: u64 = 2 << 20;

/// What a call that waits takes besides its bytes. Without it empty writes would cost nothing, and there is no end to them.
const CALL: usize = 1 << 10;

/// Calls of one webview that may wait for an answer. More than the empty writes that may wait for one child, so that a page which
/// fills the input of one child can still use the others. Each takes a few KB of the app's memory.
const CALLS: usize = 20_000;

/// The least that can be set: a page that asks for a few things at once has them all answered.
const LEAST_CALLS: usize = 100;

/// Bytes of output that calls of `execute` may hold, of all webviews. A call that collects as much as it may of both streams holds
/// half of it.
const OUTPUT: usize = 256 << 20;

/// The least that can be set: a few hundred calls with little output.
const LEAST_OUTPUT: u64 = 2 << 20;

/// The limits of each webview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageLimits {
    pub(crate) children: usize,
    pub(crate) input: usize,
    pub(crate) calls: usize,
    /// Of all webviews together.
    pub(crate) output: usize,
}

impl Default for PageLimits {
    fn default() -> Self {
        Self { children: CHILDREN, input: INPUT, calls: CALLS, output: OUTPUT }
    }
}

impl PageLimits {
    /// What the configuration says. A page that may have no child, or write nothing, is a page without the permission.
    pub(crate) fn from_config(raw: &RawWebviews) -> Result<Self> {
        let refuse = |key, text: String| Error::Config(format!("webviews.{key}: {text}"));
        let mut limits = Self::default();
        if let Some(children) = raw.max_children {
            if children == 0 {
                return Err(refuse(
                    "maxChildren",
                    "at least 1; see the permissions for none".into(),
                ));
            }
            limits.children = children;
        }
        if let Some(text) = &raw.max_input {
            let bytes =
                units::parse_size(text).map_err(|error| refuse("maxInput", error.to_string()))?;
            if bytes < LEAST_INPUT {
                return Err(refuse("maxInput", "at least 2 MiB".into()));
            }
            limits.input = usize::try_from(bytes).unwrap_or(usize::MAX);
        }
        if let Some(calls) = raw.max_calls {
            if calls < LEAST_CALLS {
                return Err(refuse("maxCalls", format!("at least {LEAST_CALLS}")));
            }
            limits.calls = calls;
        }
        if let Some(text) = &raw.max_output {
            let bytes =
                units::parse_size(text).map_err(|error| refuse("maxOutput", error.to_string()))?;
            if bytes < LEAST_OUTPUT {
                return Err(refuse("maxOutput", "at least 2 MiB".into()));
            }
            limits.output = usize::try_from(bytes).unwrap_or(usize::MAX);
        }
        Ok(limits)
    }

    /// The output that `execute` may hold. One webview never has all of it, so that another can always run something.
    pub(crate) fn most_output(&self) -> Most {
        Most { each: self.output / 2, all: self.output }
    }

    /// The calls that may wait, which are counted for each webview.
    pub(crate) fn most_calls(&self) -> Most {
        Most { each: self.calls, all: usize::MAX }
    }
}

/// The input that waits for one child. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    held: Arc<AtomicUsize>,
    limit: usize,
}

impl Waiting {
    pub(crate) fn new(limits: PageLimits) -> Self {
        Self { held: Arc::default(), limit: limits.input }
    }

    /// Counts a call with so many bytes until it is dropped.
    ///
    /// # Errors
    ///
    /// When that would be more than may wait.
    pub(crate) fn take(&self, sidecar: &str, bytes: usize) -> Result<Held> {
        let cost = bytes.saturating_add(CALL);
        let room = |held: usize| held.checked_add(cost).filter(|sum| *sum <= self.limit);
        // Only a count: it orders nothing else.
        match self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room) {
            Ok(_) => Ok(Held { of: Arc::clone(&self.held), cost }),
            Err(_) => Err(Error::InputFull {
                sidecar: sidecar.to_owned(),
                bytes,
                limit: units::size(self.limit as u64),
            }),
        }
    }
}

/// A call that is counted.
#[derive(Debug)]
pub(crate) struct Held {
    of: Arc<AtomicUsize>,
    cost: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.of.fetch_sub(self.cost, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const TABLE: &str = include_str!("../../docs/limits.md");

    fn read(json: &str) -> Result<PageLimits, String> {
        let json = format!(r#"{{ "webviews": {json} }}"#);
        let config = serde_json::from_str::<Config>(&json).map_err(|error| error.to_string())?;
        PageLimits::from_config(&config.raw.webviews).map_err(|error| error.to_string())
    }

    #[test]
    fn each_key_sets_its_limit() {
        assert_eq!(read("{}"), Ok(PageLimits::default()));
        let all = read(
            r#"{ "maxChildren": 3, "maxInput": "3 MiB", "maxCalls": 200, "maxOutput": "4 MiB" }"#,
        );
        let expected = PageLimits { children: 3, input: 3 << 20, calls: 200, output: 4 << 20 };
        assert_eq!(all, Ok(expected));
        assert_eq!(expected.most_output(), Most { each: 2 << 20, all: 4 << 20 });
        let most = format!(
            r#"{{ "maxChildren": {0}, "maxInput": "{0}", "maxCalls": {0}, "maxOutput": "{0}" }}"#,
            u64::MAX
        );
        read(&most).expect("a number is a number");
        for (json, key) in [
            (r#"{ "maxChildren": 0 }"#, "webviews.maxChildren: "),
            (r#"{ "maxInput": "2047 KiB" }"#, "webviews.maxInput: "),
            (r#"{ "maxInput": "much" }"#, "webviews.maxInput: "),
            (r#"{ "maxCalls": 99 }"#, "webviews.maxCalls: "),
            (r#"{ "maxOutput": "2047 KiB" }"#, "webviews.maxOutput: "),
            (r#"{ "maxChild": 1 }"#, "webviews.maxChild: unknown field"),
        ] {
            let text = read(json).expect_err(json);
            assert!(text.starts_with(key), "{text}");
        }
    }

    #[test]
    fn the_table_of_limits_has_them() {
        let row = |key: &str, default: String| {
            let line = TABLE.lines().find(|line| line.contains(&format!("`webviews.{key}`")));
            let line = line.unwrap_or_else(|| panic!("`{key}` is missing"));
            assert!(line.contains(&format!("| {default} |")), "{line}");
        };
        row("maxChildren", CHILDREN.to_string());
        row("maxInput", format!("{} MiB", INPUT >> 20));
        row("maxCalls", "20,000".to_owned());
        assert_eq!(CALLS, 20_000);
        row("maxOutput", format!("{} MiB", OUTPUT >> 20));
    }

    #[test]
    fn what_waits_is_counted_and_given_back() {
        let waiting = Waiting::new(PageLimits { input: 3 * CALL, ..PageLimits::default() });
        let first = waiting.take("echo", CALL).expect("there is room");
        let refused = waiting.take("echo", 1).expect_err("there is none for a byte and a call");
        for part in ["`echo`", "3.0 KiB", "`webviews.maxInput`"] {
            assert!(refused.to_string().contains(part), "{refused}");
        }
        // An empty write is a call all the same.
        let empty = waiting.take("echo", 0).expect("there is room for a call");
        waiting.take("echo", 0).expect_err("and for no other");
        drop((first, empty));
        waiting.take("echo", 2 * CALL).expect("all was given back");
        waiting.take("echo", usize::MAX).expect_err("it is not wrapped around");
    }
}
