//! The smallest app: what the other one is compared with to tell what the plugin adds.

fn main() -> tauri::Result<()> {
    tauri::Builder::default().run(tauri::generate_context!("tauri.conf.json"))
}
