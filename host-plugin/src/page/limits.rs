//! The limits of a page: children, input that children have not read, calls that wait, and collected output.
//!
//! All but the output are checked when a call arrives, before it causes any work. A call over a limit is refused rather than
//! queued: a queued call keeps its message in the app's memory, and a page can make any number of calls.

use wasi_sidecar::units;

use super::quota::QuotaLimits;
use crate::{Error, Result, config::RawWebviews};

/// Children of one webview at once. More than a page shows, and few enough that a page that starts them in a loop leaves room
/// for others.
const CHILDREN: usize = 64;

/// Bytes of input that may wait for one child. Our JavaScript sends at most 1 MiB at once; the rest is for pages that write a
/// large text in one call.
const INPUT: usize = 16 << 20;

/// Smallest `maxInput`: twice what our JavaScript puts into one call.
const MIN_INPUT: u64 = 2 << 20;

/// Calls of one webview that may wait for an answer. Exceeds the empty writes that may wait for one child, so that a page that
/// fills the input of one child can still use others. Each call takes a few KB of the app's memory.
const CALLS: usize = 20_000;

/// Smallest `maxCalls`: a page can make a few calls concurrently.
const MIN_CALLS: usize = 100;

/// Bytes of output that calls of `execute` may hold, for all webviews. One call with the maximum of both streams holds half.
const OUTPUT: usize = 256 << 20;

/// Smallest `maxOutput`: a few hundred calls with little output.
const MIN_OUTPUT: u64 = 2 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageLimits {
    pub(crate) children: usize,
    pub(crate) input: usize,
    pub(crate) calls: usize,
    /// For all webviews together.
    pub(crate) output: usize,
}

impl Default for PageLimits {
    fn default() -> Self {
        Self { children: CHILDREN, input: INPUT, calls: CALLS, output: OUTPUT }
    }
}

impl PageLimits {
    /// Checks the configuration. No limit can be 0; permissions deny a page children and input.
    pub(crate) fn from_config(raw: &RawWebviews) -> Result<Self> {
        let refuse = |key, text: String| Error::Config(format!("webviews.{key}: {text}"));
        let size = |key, text: &Option<String>, min, default| {
            let Some(text) = text else { return Ok(default) };
            match units::parse_size(text) {
                Ok(bytes) if bytes < min => Err(refuse(key, "at least 2 MiB".into())),
                Ok(bytes) => Ok(usize::try_from(bytes).unwrap_or(usize::MAX)),
                Err(error) => Err(refuse(key, error.to_string())),
            }
        };
        let children = raw.max_children.unwrap_or(CHILDREN);
        if children == 0 {
            return Err(refuse("maxChildren", "at least 1; see the permissions for none".into()));
        }
        let input = size("maxInput", &raw.max_input, MIN_INPUT, INPUT)?;
        let calls = raw.max_calls.unwrap_or(CALLS);
        if calls < MIN_CALLS {
            return Err(refuse("maxCalls", format!("at least {MIN_CALLS}")));
        }
        let output = size("maxOutput", &raw.max_output, MIN_OUTPUT, OUTPUT)?;
        Ok(Self { children, input, calls, output })
    }

    /// Output that calls of `execute` may hold. One webview holds at most half, so that another can always run something.
    pub(super) fn output_limits(&self) -> QuotaLimits {
        QuotaLimits { per_webview: self.output / 2, total: self.output }
    }

    pub(super) fn call_limits(&self) -> QuotaLimits {
        QuotaLimits { per_webview: self.calls, total: usize::MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const TABLE: &str = include_str!("../../../docs/limits.md");

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
        assert_eq!(expected.output_limits(), QuotaLimits { per_webview: 2 << 20, total: 4 << 20 });
        let max = format!(
            r#"{{ "maxChildren": {0}, "maxInput": "{0}", "maxCalls": {0}, "maxOutput": "{0}" }}"#,
            u64::MAX
        );
        read(&max).expect("a number is a number");
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
}
