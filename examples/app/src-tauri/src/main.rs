//! The example app: pick a sidecar, see what it is granted, start it, talk to it, kill it.
//!
//! Everything a page does with a running sidecar goes through the plugin. The app's own commands only tell: `catalog` what
//! there is, `race` how long a start takes, `inspect` what a dropped file asks for.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod catalog;
mod inspect;
mod notes;
mod race;

fn main() -> anyhow::Result<()> {
    tauri::Builder::default()
        .plugin(tauri_plugin_wasi_sidecar::init())
        .invoke_handler(tauri::generate_handler![catalog::catalog, inspect::inspect, race::race])
        .setup(|app| Ok(notes::provide(app)?))
        .run(tauri::generate_context!())?;
    Ok(())
}
