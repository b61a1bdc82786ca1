//! `plugins > wasi-sidecar` in `tauri.conf.json`: what is written there, read strictly.
//!
//! The structs of this file are the shape of the JSON and nothing else; [`crate::entry`] turns them into what is used,
//! and refuses what cannot be honoured. A key that is not known is an error which names the nearest one that is: a
//! misspelt grant must not be a grant that silently is not there.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error as _};

/// The plugin's configuration. See the README for all of its keys.
///
/// ```
/// use tauri_plugin_wasi_sidecar::Config;
///
/// let error = serde_json::from_str::<Config>(r#"{ "sidecar": {} }"#).unwrap_err();
/// assert!(error.to_string().contains("did you mean `sidecars`?"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub(crate) raw: RawConfig,
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let raw = serde_path_to_error::deserialize(value)
            .map_err(|error| D::Error::custom(explain(&error)))?;
        Ok(Self { raw })
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct RawConfig {
    pub(crate) sidecars: BTreeMap<String, RawSidecar>,
    /// What becomes of a webview's children when it loads another page.
    pub(crate) on_reload: OnReload,
    /// Whether compiled code is kept on disk.
    pub(crate) code_cache: Option<bool>,
    pub(crate) engine: RawEngine,
    pub(crate) webviews: RawWebviews,
}

/// What each webview may have the app hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct RawWebviews {
    pub(crate) max_children: Option<usize>,
    pub(crate) max_input: Option<String>,
    pub(crate) max_calls: Option<usize>,
    pub(crate) max_output: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct RawEngine {
    pub(crate) max_guests: Option<usize>,
    pub(crate) pooled_guests: Option<usize>,
    pub(crate) max_artifact_size: Option<String>,
    pub(crate) guest_stack: Option<String>,
    pub(crate) compile: RawCompile,
}

/// What compiling an artifact may take that nobody vouches for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct RawCompile {
    pub(crate) memory: Option<String>,
    pub(crate) cpu_time: Option<String>,
    pub(crate) time: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct RawSidecar {
    /// `null` is said for one that the app registers while it runs; leaving it out is a mistake.
    #[serde(deserialize_with = "said")]
    pub(crate) component: Option<Option<String>>,
    pub(crate) sha256: Option<String>,
    pub(crate) preload: bool,
    pub(crate) grants: RawGrants,
    pub(crate) limits: RawLimits,
    pub(crate) native: Option<RawNative>,
    /// Whether every webview that may use children may use those of this sidecar.
    pub(crate) shared: bool,
    pub(crate) on_reload: Option<OnReload>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct RawGrants {
    pub(crate) dirs: Vec<RawDir>,
    pub(crate) env: Vec<String>,
    pub(crate) network: Vec<String>,
    pub(crate) http: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RawDir {
    pub(crate) host: String,
    pub(crate) guest: String,
    #[serde(default)]
    pub(crate) access: RawAccess,
    /// Whether it is meant that this may be all of a file system, or the whole home directory.
    #[serde(default)]
    pub(crate) dangerous: bool,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawAccess {
    #[default]
    ReadOnly,
    ReadWrite,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct RawLimits {
    pub(crate) memory: Option<String>,
    pub(crate) time: Option<String>,
    pub(crate) cpu_time: Option<String>,
    pub(crate) table_elements: Option<u64>,
    pub(crate) instances: Option<usize>,
    pub(crate) memories: Option<usize>,
    pub(crate) tables: Option<usize>,
    pub(crate) handles: Option<usize>,
    pub(crate) call_bytes: Option<String>,
    pub(crate) random_bytes: Option<String>,
    /// Of the output, for whoever takes it in lines; not of the guest itself.
    pub(crate) line: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RawNative {
    pub(crate) program: String,
    pub(crate) when: RawWhen,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawWhen {
    Never,
    Unavailable,
    Always,
}

/// What becomes of a webview's children when it loads another page, or the same one again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnReload {
    /// They are killed.
    #[default]
    Kill,
    /// They run on, and what they write is thrown away.
    Keep,
}

/// Tells `null` from a key that is not there.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Says where in the configuration the error is, and what was probably meant.
fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let path = error.path().to_string();
    let text = error.inner().to_string();
    // An unknown key is itself the last part of the path to it; any other error is at the value the path leads to.
    let place = if path == "." { "plugins > wasi-sidecar".to_owned() } else { path };
    let mut names = text.split('`').skip(1).step_by(2);
    let nearest =
        (text.starts_with("unknown ")).then(|| names.next()).flatten().and_then(|found| {
            let likeness = |known: &&str| (strsim::jaro_winkler(found, known) * 1000.0) as u32;
            names.max_by_key(likeness).filter(|known| likeness(known) > 700)
        });
    match nearest {
        Some(known) => format!("{place}: {text}; did you mean `{known}`?"),
        None => format!("{place}: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> String {
        serde_json::from_str::<Config>(json).expect_err(json).to_string()
    }

    #[test]
    fn the_documented_configuration_is_read() {
        let config: Config = serde_json::from_str(
            r#"{ "sidecars": { "binaries/word-count": {
                "component": "sidecars/word-count.wasm", "sha256": "00", "preload": false,
                "grants": { "dirs": [{ "host": "$APPDATA/notes", "guest": "/notes", "access": "read-only" }],
                            "env": ["LANG"], "network": [], "http": [] },
                "limits": { "memory": "256 MiB", "time": "30 s" },
                "native": { "program": "binaries/word-count", "when": "unavailable" } } } }"#,
        )
        .expect("it is the one of the documentation");
        let sidecar = &config.raw.sidecars["binaries/word-count"];
        assert_eq!(sidecar.limits.memory.as_deref(), Some("256 MiB"));
        assert!(matches!(sidecar.native.as_ref().map(|n| n.when), Some(RawWhen::Unavailable)));
        assert_eq!(config.raw.on_reload, OnReload::Kill);
    }

    #[test]
    fn parity_03_an_unknown_key_is_named_with_the_nearest_valid_one() {
        let rows = [
            (r#"{ "sidecar": {} }"#, "sidecar: unknown field `sidecar`", Some("sidecars")),
            (
                r#"{ "sidecars": { "a": { "grants": { "dir": [] } } } }"#,
                "sidecars.a.grants.dir: unknown field `dir`",
                Some("dirs"),
            ),
            (
                r#"{ "sidecars": { "a": { "limits": { "cpu_time": "1s" } } } }"#,
                "sidecars.a.limits.cpu_time: unknown field `cpu_time`",
                Some("cpuTime"),
            ),
            (
                r#"{ "sidecars": { "a": { "native": { "program": "x", "when": "unavailble" } } } }"#,
                "sidecars.a.native.when: unknown variant `unavailble`",
                Some("unavailable"),
            ),
            (r#"{ "zebra": 1 }"#, "zebra: unknown field `zebra`", None),
        ];
        for (json, begin, nearest) in rows {
            let text = refused(json);
            assert!(text.starts_with(begin), "{text}");
            match nearest {
                Some(known) => {
                    assert!(text.contains(&format!("did you mean `{known}`?")), "{text}")
                }
                None => assert!(!text.contains("did you mean"), "{text}"),
            }
        }
    }

    #[test]
    fn a_value_of_another_type_is_told_with_its_place() {
        let text = refused(r#"{ "sidecars": { "a": { "preload": "yes" } } }"#);
        assert!(text.starts_with("sidecars.a.preload: invalid type"), "{text}");
        let text =
            refused(r#"{ "sidecars": { "a": { "grants": { "dirs": [{ "host": "/x" }] } } } }"#);
        assert!(text.starts_with("sidecars.a.grants.dirs[0]: missing field `guest`"), "{text}");
    }
}
