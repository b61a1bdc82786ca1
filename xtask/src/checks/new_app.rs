//! Tests the plugin as a user gets it: in a newly created app, with packaged crates, a packed npm package and the files from
//! the plugin's README.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use wasi_sidecar_guests::Kind;

use crate::build::npm;
use crate::system::{console, paths, process};
use crate::webview::{driver, packages};

const CREATE_TAURI_APP: &str = "create-tauri-app@4.7.4";
const NAME: &str = "new-app";
/// The version of all crates of the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The crates that a user depends on, each after its dependencies.
const CRATES: [&str; 3] = ["wasi-sidecar-wit", "wasi-sidecar", "tauri-plugin-wasi-sidecar"];

/// Creates, builds and drives the app.
pub(crate) fn test() -> Result<()> {
    if !packages::can_be_driven() {
        console::step(
            "skipped",
            "the plugin in a new app: only WebKitGTK on Linux has a WebDriver",
        );
        return Ok(());
    }
    console::step("creating", "a new Tauri app with the packaged plugin, as its README says");
    let folder = paths::workspace().join("target/new-app");
    let _ = fs::remove_dir_all(folder.join(NAME));
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let crates = package(&folder)?;
    let npm_package = npm::pack(&folder)?;

    let mut create = process::command("npx");
    create.args(["--yes", CREATE_TAURI_APP, NAME, "--template", "vanilla-ts", "--manager", "npm"]);
    create.args(["--identifier", "dev.wasi-sidecar.new-app", "--yes"]).current_dir(&folder);
    process::run(&mut create)?;
    let app = folder.join(NAME);
    follow_the_readme(&app)?;
    add_crate(&app, &crates)?;
    let sidecars = app.join("src-tauri/sidecars");
    fs::create_dir_all(&sidecars)?;
    fs::copy(wasi_sidecar_guests::path(Kind::Component, "upper"), sidecars.join("upper.wasm"))?;

    let mut install = npm::npm(&app);
    install.args(["install", "--no-audit", "--no-fund", "--loglevel", "error"]).arg(&npm_package);
    process::run(&mut install)?;
    console::step("building", "the new app, with the Tauri command line (takes minutes)");
    let mut build = npm::npm(&app);
    build.args(["run", "tauri", "--", "build", "--debug", "--no-bundle"]);
    process::run(build.env("CARGO_TARGET_DIR", folder.join("target")))?;

    let mut tests = driver::vitest("harness/e2e/new-app.config.ts");
    process::show(tests.env("APP", folder.join("target/debug").join(NAME)))
}

/// Packages the crates and unpacks them, so that a file that a package lacks is missing here, too.
fn package(folder: &Path) -> Result<PathBuf> {
    let mut package = process::cargo();
    package
        .args(["package", "--allow-dirty", "--no-verify", "--quiet", "--target-dir"])
        .arg(folder.join("packages"));
    for name in CRATES {
        package.args(["--package", name]);
    }
    process::run(&mut package)?;
    let crates = folder.join("crates");
    let _ = fs::remove_dir_all(&crates);
    fs::create_dir_all(&crates)?;
    for name in CRATES {
        let archive = folder.join("packages/package").join(format!("{name}-{}.crate", VERSION));
        process::run(process::command("tar").arg("-xzf").arg(archive).arg("-C").arg(&crates))?;
    }
    Ok(crates)
}

/// Does what `cargo tauri add` does, with the crates from a folder, since the registry does not have them yet.
fn add_crate(app: &Path, crates: &Path) -> Result<()> {
    let manifest = app.join("src-tauri/Cargo.toml");
    let mut text = fs::read_to_string(&manifest)?;
    let plugin = format!("tauri-plugin-wasi-sidecar = \"{}\"\n", VERSION);
    text = text.replacen("[dependencies]\n", &format!("[dependencies]\n{plugin}"), 1);
    text.push_str("\n[patch.crates-io]\n");
    for name in CRATES {
        let path = crates.join(format!("{name}-{}", VERSION));
        text.push_str(&format!("{name} = {{ path = {path:?} }}\n"));
    }
    // Excludes the app from this workspace, which it lies inside.
    text.push_str("\n[workspace]\n");
    fs::write(&manifest, text)?;
    Ok(())
}

/// Writes the README's files. JSON is merged into existing files.
fn follow_the_readme(app: &Path) -> Result<()> {
    let readme = fs::read_to_string(paths::plugin().join("README.md"))?;
    let blocks = blocks(&readme);
    if blocks.len() != 4 {
        bail!("the plugin's README has {} files for a new app instead of 4", blocks.len());
    }
    for (name, text) in blocks {
        let path = app.join(name);
        let text = match (name.ends_with(".json"), fs::read_to_string(&path)) {
            (true, Ok(existing)) => {
                let mut merged: Value = serde_json::from_str(&existing)?;
                merge(&mut merged, &serde_json::from_str(text)?);
                serde_json::to_string_pretty(&merged)?
            }
            _ => text.to_owned(),
        };
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The name and code of each block after `<!-- new app: NAME -->`.
fn blocks(readme: &str) -> Vec<(&str, &str)> {
    let parts = readme.split("<!-- new app: ").skip(1);
    parts
        .filter_map(|part| {
            let (name, rest) = part.split_once(" -->\n```")?;
            let (_, code) = rest.split_once('\n')?;
            Some((name, code.split_once("\n```")?.0))
        })
        .collect()
}

/// Merges objects key by key; replaces everything else.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_readme_has_all_files() {
        let readme = fs::read_to_string(paths::plugin().join("README.md")).unwrap();
        let names: Vec<_> = blocks(&readme).into_iter().map(|(name, _)| name).collect();
        let expected = [
            "src-tauri/tauri.conf.json",
            "src-tauri/capabilities/sidecars.json",
            "src-tauri/src/lib.rs",
            "src/main.ts",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn json_is_merged_key_by_key() {
        let mut config = json!({ "bundle": { "active": true, "icon": ["a"] } });
        merge(&mut config, &json!({ "bundle": { "icon": ["b"] }, "plugins": {} }));
        assert_eq!(config, json!({ "bundle": { "active": true, "icon": ["b"] }, "plugins": {} }));
    }
}
