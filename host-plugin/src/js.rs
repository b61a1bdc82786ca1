//! What crosses the border to JavaScript, as it looks there: the twins of this crate's and the runtime's types.
//!
//! Options and events have the JSON of the shell plugin (its `commands.rs`); what is ours is said where it stands.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize};

/// The options of a call. Keys that are not known are ignored, as the shell plugin does: pages and their packages are
/// updated apart from the app.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CallOptions {
    pub(crate) sidecar: bool,
    pub(crate) cwd: Option<String>,
    #[serde(deserialize_with = "env")]
    pub(crate) env: Env,
    pub(crate) encoding: Option<String>,
    /// Taken, and without effect: a component is no process, and a native twin always has a group of its own.
    #[serde(rename = "processGroup")]
    pub(crate) _process_group: bool,
    /// Ours: messages carry many events, and are acknowledged.
    pub(crate) batch: bool,
    /// Ours: milliseconds after which an unfinished line is delivered.
    pub(crate) flush_partial_lines: Option<u32>,
}

/// The environment of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Env {
    /// Left out: what is granted.
    #[default]
    Granted,
    /// `null`: empty.
    Clear,
    /// Entries besides what is granted.
    Add(HashMap<String, String>),
}

fn env<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Env, D::Error> {
    Ok(Option::deserialize(deserializer)?.map_or(Env::Clear, Env::Add))
}

/// One event, as the shell plugin sends it.
#[derive(Debug, Serialize)]
#[serde(tag = "event", content = "payload")]
pub(crate) enum Event<'a> {
    Stdout(Text<'a>),
    Stderr(Text<'a>),
    Error(&'a str),
    Terminated(&'a crate::process::TerminatedPayload),
}

/// Output: text, or bytes as a list of numbers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Text<'a> {
    Text(&'a str),
    Raw(&'a [u8]),
}

/// What `spawn` answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Spawned {
    /// As the shell plugin does.
    Pid(u32),
    /// Ours, with `batch`.
    Told { pid: u32, backend: &'static str },
}

/// What `execute` answers, as the shell plugin does, and the reason.
#[derive(Debug, Serialize)]
pub(crate) struct Executed<'a> {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) reason: Option<String>,
    pub(crate) stdout: Text<'a>,
    pub(crate) stderr: Text<'a>,
}

/// What `execute` answers where a list of numbers would be wasteful: this as JSON behind its length, and then the bytes.
#[derive(Debug, Serialize)]
pub(crate) struct RawOutput {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) reason: Option<String>,
    /// Bytes of standard output; the rest is standard error.
    pub(crate) stdout: usize,
}

impl RawOutput {
    /// The whole message.
    pub(crate) fn with(&self, stdout: &[u8], stderr: &[u8]) -> serde_json::Result<Vec<u8>> {
        let json = serde_json::to_vec(self)?;
        let length = u32::try_from(json.len()).unwrap_or_default().to_le_bytes();
        Ok([&length, json.as_slice(), stdout, stderr].concat())
    }
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
        assert_eq!(all.env, Env::Add([("A".to_owned(), "1".to_owned())].into()));
        assert_eq!(read("{}").env, Env::Granted);
        assert_eq!(read(r#"{ "env": null }"#).env, Env::Clear);
    }
}
