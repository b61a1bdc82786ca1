//! A folder with something to read in it, which two of the sidecars are granted.

#![expect(clippy::disallowed_methods, reason = "the app's own folder")]

use std::fs;

use anyhow::{Context, Result};
use tauri::{App, Manager};

const NOTES: [(&str, &str); 3] = [
    ("monday.md", "# Monday\n\nOne artifact for Linux, macOS and Windows.\n"),
    (
        "tuesday.md",
        "# Tuesday\n\nA sidecar reads this folder, because it was granted it.\nIt cannot write here.\n",
    ),
    (
        "today.md",
        "# Today\n\n- drop a component onto the window\n- look at what it asks for\n- run it\n",
    ),
];

/// Makes the folder when the app starts for the first time.
pub(crate) fn provide(app: &App) -> Result<()> {
    let folder = app.path().app_data_dir()?.join("notes");
    if folder.exists() {
        return Ok(());
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, text) in NOTES {
        fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}
