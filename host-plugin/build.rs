//! Generates what Tauri wants of a plugin: permissions, their schemas, and the schema of a scope entry, by which editors
//! complete capability files.

use schemars::JsonSchema;

/// One argument of a call.
#[derive(JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
enum WasiSidecarScopeArg {
    /// This very text.
    Fixed(String),
    /// A text that matches.
    Var {
        /// A regular expression, in the syntax of the crate `regex`. It has to match the whole argument, as if it stood
        /// between `^` and `$`.
        validator: String,
        /// Takes the expression as it is, without `^` and `$`. It then matches anything that contains a match: take care.
        #[serde(default)]
        raw: bool,
    },
}

/// The arguments of a call: `true` for any, `false` for none, or a list with one entry for each argument.
#[derive(JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
enum WasiSidecarScopeArgs {
    /// Any arguments, or none at all.
    Flag(bool),
    /// As many arguments as there are entries, each as its entry says.
    List(Vec<WasiSidecarScopeArg>),
}

/// A sidecar that a webview may start. The grammar is that of the shell plugin, so that entries can be copied over.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct WasiSidecarScopeEntry {
    /// The name under `plugins > wasi-sidecar > sidecars` in the configuration, or the last part of it.
    name: String,
    /// `true`. An entry without it is one for a program of the system, which this plugin does not start.
    #[serde(default)]
    sidecar: bool,
    /// Which arguments it may be called with; none if this is left out. In a `deny` entry, leaving it out denies every call.
    args: Option<WasiSidecarScopeArgs>,
    /// Names of environment entries that a call may set, besides those of the sidecar's grants.
    #[serde(default)]
    env: Vec<String>,
    /// A program of the system, in entries copied from the shell plugin. It is never started.
    cmd: Option<String>,
}

const COMMANDS: &[&str] =
    &["spawn", "execute", "stdin_write", "kill", "close_stdin", "list", "ack", "status"];

fn main() {
    tauri_plugin::Builder::new(COMMANDS)
        .global_api_script_path("./api-iife.js")
        .global_scope_schema(schemars::schema_for!(WasiSidecarScopeEntry))
        .build();
}
