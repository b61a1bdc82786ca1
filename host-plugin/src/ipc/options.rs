//! The `options` of a call, in the JSON of the shell plugin (its `commands.rs`).

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};

/// The options of a call. Unknown keys are ignored, as in the shell plugin: the JavaScript package can be newer than the app.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CallOptions {
    pub(crate) sidecar: bool,
    pub(crate) cwd: Option<String>,
    #[serde(deserialize_with = "env")]
    pub(crate) env: EnvOption,
    pub(crate) encoding: Option<String>,
    /// Has no effect: a component is not a process, and a native fallback always has its own process group.
    #[serde(rename = "processGroup")]
    pub(crate) _process_group: bool,
    /// Our addition: the page accepts batched messages and acknowledges them.
    pub(crate) batch: bool,
    /// Our addition: milliseconds after which an unfinished line is delivered.
    pub(crate) flush_partial_lines: Option<u32>,
}

/// The `env` option.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum EnvOption {
    /// Omitted: the granted entries.
    #[default]
    Granted,
    /// `null`: no entries.
    Clear,
    /// Entries in addition to the granted ones.
    Add(HashMap<String, String>),
}

fn env<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EnvOption, D::Error> {
    Ok(Option::deserialize(deserializer)?.map_or(EnvOption::Clear, EnvOption::Add))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parity_24_the_options_are_those_of_the_shell_plugin() {
        let read = |json: &str| serde_json::from_str::<CallOptions>(json).expect(json);
        let all = read(
            r#"{ "sidecar": true, "cwd": "/x", "env": { "A": "1" }, "encoding": "raw", "processGroup": true, "x": 1 }"#,
        );
        assert!(all.sidecar && !all.batch);
        assert_eq!((all.cwd.as_deref(), all.encoding.as_deref()), (Some("/x"), Some("raw")));
        assert_eq!(all.env, EnvOption::Add([("A".to_owned(), "1".to_owned())].into()));
        assert_eq!(read("{}").env, EnvOption::Granted);
        assert_eq!(read(r#"{ "env": null }"#).env, EnvOption::Clear);
    }
}
