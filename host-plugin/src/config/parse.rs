//! Reads the configuration. An error names the path of the key, and the nearest valid key for an unknown one.

use serde::{Deserialize, Deserializer, de::Error as _};

use super::schema::RawConfig;

/// The plugin's configuration. `docs/configuration.md` has all of its keys.
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

/// Formats an error with its path in the configuration and the nearest valid key.
fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let path = error.path().to_string();
    let text = error.inner().to_string();
    // For an unknown key, the path already ends in that key.
    let location = if path == "." { "plugins > wasi-sidecar".to_owned() } else { path };
    let mut names = text.split('`').skip(1).step_by(2);
    let nearest =
        (text.starts_with("unknown ")).then(|| names.next()).flatten().and_then(|found| {
            let likeness = |known: &&str| (strsim::jaro_winkler(found, known) * 1000.0) as u32;
            names.max_by_key(likeness).filter(|known| likeness(known) > 700)
        });
    match nearest {
        Some(known) => format!("{location}: {text}; did you mean `{known}`?"),
        None => format!("{location}: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema::OnReload;

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
        let limits = sidecar.limits.limits().expect("all are in range");
        assert_eq!(limits.get(wasi_sidecar::Limit::Memory), Some(256 << 20));
        assert!(matches!(
            sidecar.native.as_ref().map(|n| n.when),
            Some(wasi_sidecar::When::Unavailable)
        ));
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
