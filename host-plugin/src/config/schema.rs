//! The shape of `plugins > wasi-sidecar` in `tauri.conf.json`, and nothing else.
//!
//! An unknown key is an error: a misspelt grant must not be silently absent. The other modules of this folder check the
//! values.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use wasi_sidecar::When;

use super::{grants::RawGrants, limits::RawLimits};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct RawConfig {
    pub(crate) sidecars: BTreeMap<String, RawSidecar>,
    pub(crate) on_reload: OnReload,
    /// Whether the engine keeps compiled code on disk; true by default.
    pub(crate) code_cache: Option<bool>,
    pub(crate) engine: RawEngine,
    pub(crate) webviews: RawWebviews,
}

/// The limits of each webview.
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

/// The limits of compiling an artifact that has no pinned digest.
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
    /// `null` means that the app registers the artifact while it runs. A missing key is an error.
    #[serde(deserialize_with = "present")]
    pub(crate) component: Option<Option<String>>,
    pub(crate) sha256: Option<String>,
    pub(crate) preload: bool,
    pub(crate) grants: RawGrants,
    pub(crate) limits: RawLimits,
    pub(crate) native: Option<RawNative>,
    /// Whether webviews may use each other's children of this sidecar.
    pub(crate) shared: bool,
    pub(crate) on_reload: Option<OnReload>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RawNative {
    pub(crate) program: String,
    #[serde(with = "RawWhen")]
    pub(crate) when: When,
}

#[derive(Deserialize)]
#[serde(remote = "When", rename_all = "kebab-case")]
enum RawWhen {
    Never,
    Unavailable,
    Always,
}

/// What happens to a webview's children when the webview loads a page or reloads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnReload {
    /// The plugin kills them.
    #[default]
    Kill,
    /// They continue to run, and the plugin discards their output.
    Keep,
}

/// Deserializes `null` as `Some(None)`; a missing key stays `None`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
