//! The plugin in a newly created app, as a user would add it: from packaged crates and a packed npm package, with the files
//! of the plugin's README as they stand there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use wasi_sidecar_guests::Kind;

use crate::{e2e, javascript, paths, step, webview};

const CREATE_TAURI_APP: &str = "create-tauri-app@4.7.4";
const NAME: &str = "new-app";

/// The crates a user would get, each after those it needs.
const CRATES: [&str; 3] = ["wasi-sidecar-wit", "wasi-sidecar", "tauri-plugin-wasi-sidecar"];

/// Makes the app, builds it, and looks at what it shows.
pub(crate) fn test() -> Result<()> {
    if !webview::can_be_driven() {
        step::line(
            "skipped",
            "the plugin in a new app: there is a driver for WebKitGTK only, on Linux",
        );
        return Ok(());
    }
    step::line("making", "a new Tauri app, and adding the packaged plugin as its README says");
    let place = paths::workspace().join("target/new-app");
    let _ = fs::remove_dir_all(place.join(NAME));
    fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    let crates = package(&place)?;
    let npm_package = javascript::pack(&place)?;

    let mut create = step::command("npx");
    create.args(["--yes", CREATE_TAURI_APP, NAME, "--template", "vanilla-ts", "--manager", "npm"]);
    create.args(["--identifier", "dev.wasi-sidecar.new-app", "--yes"]).current_dir(&place);
    step::run(&mut create)?;
    let app = place.join(NAME);
    follow_the_readme(&app)?;
    add_crate(&app, &crates)?;
    let sidecars = app.join("src-tauri/sidecars");
    fs::create_dir_all(&sidecars)?;
    fs::copy(wasi_sidecar_guests::path(Kind::Component, "upper"), sidecars.join("upper.wasm"))?;

    let mut npm = javascript::npm(&app);
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel", "error"]).arg(&npm_package);
    step::run(&mut npm)?;
    step::line("building", "the new app, with the Tauri command line (some minutes)");
    let mut build = javascript::npm(&app);
    build.args(["run", "tauri", "--", "build", "--debug", "--no-bundle"]);
    step::run(build.env("CARGO_TARGET_DIR", place.join("target")))?;

    let mut look = e2e::vitest("harness/e2e/new-app.config.ts");
    step::show(look.env("APP", place.join("target/debug").join(NAME)))
}

/// Packages the crates and unpacks them, so that what is left out of a package is missing here too.
fn package(place: &Path) -> Result<PathBuf> {
    let mut package = step::cargo();
    package
        .args(["package", "--allow-dirty", "--no-verify", "--quiet", "--target-dir"])
        .arg(place.join("packages"));
    for name in CRATES {
        package.args(["--package", name]);
    }
    step::run(package.current_dir(paths::workspace()))?;
    let crates = place.join("crates");
    let _ = fs::remove_dir_all(&crates);
    fs::create_dir_all(&crates)?;
    for name in CRATES {
        let archive = place.join("packages/package").join(format!("{name}-{}.crate", version()));
        step::run(step::command("tar").arg("-xzf").arg(archive).arg("-C").arg(&crates))?;
    }
    Ok(crates)
}

/// All crates of the workspace have the version of this one.
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// What `cargo tauri add` does, but for the registry, which does not have the crates yet.
fn add_crate(app: &Path, crates: &Path) -> Result<()> {
    let manifest = app.join("src-tauri/Cargo.toml");
    let mut text = fs::read_to_string(&manifest)?;
    let plugin = format!("tauri-plugin-wasi-sidecar = \"{}\"\n", version());
    text = text.replacen("[dependencies]\n", &format!("[dependencies]\n{plugin}"), 1);
    text.push_str("\n[patch.crates-io]\n");
    for name in CRATES {
        let path = crates.join(format!("{name}-{}", version()));
        text.push_str(&format!("{name} = {{ path = {path:?} }}\n"));
    }
    // An app of its own, although it lies inside of this workspace.
    text.push_str("\n[workspace]\n");
    fs::write(&manifest, text)?;
    Ok(())
}

/// Writes the README's files; those that are JSON are merged into what is there.
fn follow_the_readme(app: &Path) -> Result<()> {
    let readme = fs::read_to_string(javascript::plugin().join("README.md"))?;
    let blocks = blocks(&readme);
    if blocks.len() != 4 {
        bail!(
            "the README of the plugin has {} files for a new app, and there should be 4",
            blocks.len()
        );
    }
    for (name, text) in blocks {
        let path = app.join(name);
        let text = match (name.ends_with(".json"), fs::read_to_string(&path)) {
            (true, Ok(there)) => {
                let mut merged: Value = serde_json::from_str(&there)?;
                merge(&mut merged, &serde_json::from_str(text)?);
                serde_json::to_string_pretty(&merged)?
            }
            _ => text.to_owned(),
        };
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The blocks of code behind `<!-- new app: NAME -->`.
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

/// Adds what `from` has, key by key.
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
    fn the_readme_has_a_file_for_each_place() {
        let readme = fs::read_to_string(javascript::plugin().join("README.md")).unwrap();
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
