//! The smallest app with the plugin.

fn main() -> tauri::Result<()> {
    tauri::Builder::default()
        .plugin(tauri_plugin_wasi_sidecar::init())
        .run(tauri::generate_context!("tauri.conf.json"))
}
