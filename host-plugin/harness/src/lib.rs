//! The plugin beside the shell plugin, for tests with Tauri's mock runtime and for a real webview.
//!
//! Every Rust guest is there three times: as `guests/NAME`, a component; as `fallbacks/NAME`, the native program behind our API;
//! and natively for the shell plugin, by its path. What may be done is decided by the real capability files in
//! `capabilities/`, and by [`shell_capability`], which needs paths that only this machine knows.

use serde_json::{Value, json};
use tauri::{Builder, Context, Runtime};
use wasi_sidecar_guests::{Kind, LANGUAGE_GUESTS, RUST_GUESTS, path};

/// Sidecars for all guests, with nothing granted.
pub fn sidecars() -> Value {
    let mut sidecars = serde_json::Map::new();
    for name in RUST_GUESTS {
        let component = path(Kind::Component, name);
        sidecars.insert(format!("guests/{name}"), json!({ "component": component }));
        let fallback = json!({ "program": path(Kind::Native, name), "when": "always" });
        sidecars.insert(format!("fallbacks/{name}"), json!({ "native": fallback }));
    }
    for (language, name) in LANGUAGE_GUESTS {
        let component = path(Kind::Language(language), name);
        sidecars.insert(format!("{language}/{name}"), json!({ "component": component }));
    }
    Value::Object(sidecars)
}

/// The context of the harness with this configuration of the plugin.
pub fn context<R: Runtime>(plugin: Value) -> Context<R> {
    let mut context = tauri::generate_context!("tauri.conf.json", test = true);
    let config = context.config_mut();
    config.plugins.0.insert("wasi-sidecar".into(), plugin);
    context
}

/// Lets windows use the shell plugin for all guests, each by its own name.
pub fn shell_capability() -> String {
    let scope: Vec<_> = RUST_GUESTS
        .iter()
        .map(|name| json!({ "name": name, "cmd": path(Kind::Native, name), "args": true }))
        .collect();
    let allow =
        |command: &str| json!({ "identifier": format!("shell:allow-{command}"), "allow": scope });
    let permissions = ["spawn", "execute", "kill", "stdin-write"].map(allow);
    json!({ "identifier": "shell-for-tests", "windows": ["main"], "permissions": permissions })
        .to_string()
}

/// Both plugins.
pub fn with_plugins<R: Runtime>(builder: Builder<R>) -> Builder<R> {
    builder.plugin(tauri_plugin_wasi_sidecar::init()).plugin(tauri_plugin_shell::init())
}
