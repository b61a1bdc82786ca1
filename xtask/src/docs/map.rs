//! `cargo xtask map`: the map of the sources in ARCHITECTURE.md and `docs/map.md`, made of the first line of each file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::section;
use crate::system::{console, paths};

const COMMAND: &str = "cargo xtask map";
const FOLDERS: &str = "ARCHITECTURE.md";
const FILES: &str = "docs/map.md";

const CRATES: [&str; 4] = ["runtime/src", "host-plugin/src", "cli/src", "xtask/src"];

/// Writes both maps.
pub(crate) fn write() -> Result<()> {
    for (page, text) in pages()? {
        section::replace(page, COMMAND, &text)?;
    }
    Ok(())
}

/// Fails if a map is not what the sources say.
pub(crate) fn check() -> Result<()> {
    for (page, text) in pages()? {
        if !section::is_current(page, COMMAND, &text)? {
            bail!("the map in {page} is out of date; run `{COMMAND}` and commit it");
        }
    }
    console::step("passed", "the maps say what the sources say");
    Ok(())
}

fn pages() -> Result<[(&'static str, String); 2]> {
    let mut files = Vec::new();
    for folder in CRATES {
        find(&paths::workspace().join(folder), &mut files)?;
    }
    let mut folders = table();
    let mut all = table();
    for file in files {
        let (path, about) = (file.strip_prefix(paths::workspace())?, about(&file)?);
        let shown = path.to_string_lossy().replace('\\', "/");
        let row = |shown: &str| format!("| `{shown}` | {about} |\n");
        all += &row(&shown);
        // A folder below a folder is a matter of the upper one.
        if let Some(folder) = shown.strip_suffix("mod.rs")
            && folder.matches('/').count() == 3
        {
            folders += &row(folder);
        }
    }
    Ok([(FOLDERS, folders), (FILES, all)])
}

fn table() -> String {
    "| path | what it is for |\n|---|---|\n".to_owned()
}

/// The Rust files below a folder, without tests: those of a folder before the folders in it.
fn find(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries
        .sort_by_key(|entry| (entry.path().is_dir(), entry.file_name() != "mod.rs", entry.path()));
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            find(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("tests.rs")
        {
            found.push(path);
        }
    }
    Ok(())
}

/// The first sentence of a file's first lines.
fn about(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file)?;
    let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let paragraph = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let sentence = paragraph.split_inclusive(". ").next().unwrap_or_default().trim();
    let sentence = sentence.replace('|', "\\|");
    Some(sentence)
        .filter(|text| !text.is_empty())
        .with_context(|| format!("{} does not say what it is for", file.display()))
}
