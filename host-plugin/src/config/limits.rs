//! `limits` of a sidecar: a key for each row of the library's table, and `line`, which limits events.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use wasi_sidecar::{Framing, Limit, LimitUnit, Limits, units};

use crate::spelling::{self, explain};

/// Smallest value of `limits.line`. Each piece of a longer line is an event; this keeps a few bytes of output from becoming
/// as many events.
const MIN_LINE: u64 = 1 << 10;

const LINE: &str = "line";

/// What `limits` contains, with each value as text.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawLimits {
    guest: Vec<(Limit, String)>,
    /// The longest line that is delivered whole. It limits events, not the guest.
    line: Option<String>,
}

/// A key of `limits`.
enum Key {
    Guest(Limit),
    Line,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = String::deserialize(deserializer)?;
        if found == LINE {
            return Ok(Self::Line);
        }
        if let Some(limit) = Limit::ALL.into_iter().find(|limit| spelling::key(*limit) == found) {
            return Ok(Self::Guest(limit));
        }
        let mut known: Vec<_> =
            Limit::ALL.map(|limit| format!("`{}`", spelling::key(limit))).into();
        known.push(format!("`{LINE}`"));
        // In the words of serde's own error, in which the nearest key is looked for.
        Err(de::Error::custom(format_args!(
            "unknown field `{found}`, expected one of {}",
            known.join(", ")
        )))
    }
}

impl<'de> Deserialize<'de> for RawLimits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = RawLimits;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("limits of a sidecar")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawLimits, A::Error> {
                let mut limits = RawLimits::default();
                while let Some(key) = map.next_key()? {
                    match key {
                        Key::Line => limits.line = Some(map.next_value()?),
                        Key::Guest(limit) => {
                            let text = match limit.info().unit {
                                LimitUnit::Count => map.next_value::<u64>()?.to_string(),
                                _ => map.next_value::<String>()?,
                            };
                            limits.guest.push((limit, text));
                        }
                    }
                }
                Ok(limits)
            }
        }
        deserializer.deserialize_map(Map)
    }
}

impl RawLimits {
    /// The limits of the guest. The error begins with the key.
    pub(super) fn limits(&self) -> Result<Limits, String> {
        let mut limits = Limits::new();
        for (limit, text) in &self.guest {
            limits = limits.parse(*limit, text).map_err(|error| {
                format!("limits.{}: {}", spelling::key(*limit), explain(&error))
            })?;
        }
        limits.check().map_err(|error| format!("limits: {}", explain(&error)))?;
        Ok(limits)
    }

    /// The longest line, in bytes, that is delivered whole.
    pub(super) fn max_line(&self) -> Result<usize, String> {
        let Some(text) = &self.line else { return Ok(Framing::MAX_LINE) };
        let bytes =
            units::parse_size(text).map_err(|error| format!("limits.line: {}", explain(&error)))?;
        if bytes < MIN_LINE {
            return Err("limits.line: at least 1 KiB".into());
        }
        Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
    }
}

/// Sets a value that the configuration contains.
pub(super) fn apply<B, T>(builder: B, value: Option<T>, set: impl FnOnce(B, T) -> B) -> B {
    match value {
        Some(value) => set(builder, value),
        None => builder,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wasi_sidecar::Setting;

    use super::*;
    use crate::config::Config;

    const TABLE: &str = include_str!("../../../docs/limits.md");

    fn read(limits: &str) -> Result<RawLimits, serde_json::Error> {
        let json = format!(r#"{{ "sidecars": {{ "a": {{ "limits": {limits} }} }} }}"#);
        let config = serde_json::from_str::<Config>(&json)?;
        Ok(config.raw.sidecars["a"].limits.clone())
    }

    #[test]
    fn each_key_sets_its_limit() {
        let raw = read(
            r#"{ "memory": "1 MiB", "time": "2s", "cpuTime": "3s", "tableElements": 4, "instances": 5,
                 "memories": 6, "tables": 7, "handles": 20, "callBytes": "9 KiB", "randomBytes": "10" }"#,
        );
        let found = raw.expect("all of them are known").limits().expect("all are in range");
        let expected = Limits::new().memory(1 << 20).time(Duration::from_secs(2));
        let expected = expected.cpu_time(Duration::from_secs(3)).table_elements(4).instances(5);
        let expected = expected.memories(6).tables(7).handles(20).call_bytes(9 << 10);
        assert_eq!(found, expected.random_bytes(10));
    }

    #[test]
    fn the_table_of_limits_has_the_keys_there_are() {
        let keys: Vec<&str> = TABLE
            .split('`')
            .filter_map(|word| word.strip_prefix("limits."))
            .filter(|key| !key.ends_with(".rs") && *key != "rs")
            .collect();
        // The error for an unknown key lists all known keys.
        let refused = read(r#"{ "zebra": 1 }"#).expect_err("there is no such key").to_string();
        let known = refused.split('`').skip(3).step_by(2).filter(|word| !word.is_empty());
        let mut known: Vec<&str> = known.collect();
        let mut documented = keys;
        known.sort_unstable();
        documented.sort_unstable();
        assert_eq!(documented, known, "{refused}");
        for limit in Limit::ALL {
            let row =
                format!("| `{}` | `limits.{}` |", Setting::Limit(limit), spelling::key(limit));
            assert!(TABLE.contains(&row), "{row}");
        }
        for key in ["maxGuests", "maxArtifactSize", "guestStack"] {
            assert!(TABLE.contains(&format!("`engine.{key}`")), "{key}");
        }
    }
}
