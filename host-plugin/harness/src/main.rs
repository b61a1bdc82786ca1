//! The harness in a real webview. A driver opens it, and does the rest from the page, where both plugins' APIs are global.

use anyhow::{Context, Result};
use serde_json::json;
use tauri::{Manager, WebviewUrl, WebviewWindowBuilder};

/// Answers at once: what is measured with it is how long the way there and back takes.
#[tauri::command]
fn no_op() {}

/// Opens another window, whose page may use children of its own.
#[tauri::command]
async fn open_window(app: tauri::AppHandle, label: String) -> Result<(), String> {
    WebviewWindowBuilder::new(&app, label, WebviewUrl::default())
        .build()
        .map(drop)
        .map_err(|error| error.to_string())
}

#[tauri::command]
fn close_window(app: tauri::AppHandle, label: &str) -> Result<(), String> {
    let window = app.get_webview_window(label).ok_or("no such window")?;
    window.destroy().map_err(|error| error.to_string())
}

fn main() -> Result<()> {
    // A window of another name has other rights.
    let label = std::env::args().nth(1).unwrap_or_else(|| "main".to_owned());
    let builder = webview_harness::with_plugins(tauri::Builder::default());
    builder
        .invoke_handler(tauri::generate_handler![no_op, open_window, close_window])
        .setup(move |app| {
            app.add_capability(webview_harness::shell_capability())?;
            WebviewWindowBuilder::new(app, label, WebviewUrl::default())
                .title("harness")
                .build()?;
            Ok(())
        })
        .run(webview_harness::context(json!({ "sidecars": webview_harness::sidecars() })))
        .context("the harness ended")
}
