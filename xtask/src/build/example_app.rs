//! The example app and the guests it bundles, which its `tauri.conf.json` lists. The artifact `sidecars/upper.wasm` is the
//! guest `upper`, and `sidecars/go-echo.wasm` is `go/echo`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use wasi_sidecar_guests::Kind;

use super::cargo;
use crate::guests::{Guest, find};
use crate::system::paths;

pub(crate) const APP: &str = "sidecar-playground";

/// The folder of the artifacts, both in the app's sources and beside its executable.
const FOLDER: &str = "sidecars";

struct Artifact {
    file: String,
    guest: Guest,
}

/// The guests that the app needs, native fallbacks included; Rust guests come first.
pub(crate) fn guests() -> Result<Vec<Guest>> {
    let config = configuration()?;
    let mut guests: Vec<Guest> = artifacts(&config)?.into_iter().map(|one| one.guest).collect();
    guests.extend(fallbacks(&config)?);
    guests.sort_by_key(|(kind, _)| matches!(kind, Kind::Language(_)));
    Ok(guests)
}

/// Copies the artifacts into the app's sources, from where its build bundles them. The guests must be built.
pub(crate) fn stage() -> Result<()> {
    for artifact in artifacts(&configuration()?)? {
        let (kind, name) = artifact.guest;
        let built = wasi_sidecar_guests::path(kind, name);
        copy(&built, &sources().join(FOLDER).join(&artifact.file))?;
    }
    Ok(())
}

/// Builds the app with all guests beside it. The page and the guests must be built.
pub(crate) fn build() -> Result<PathBuf> {
    let app = cargo::executable(&["build"], "--bin", APP)?;
    provide(&app, &guests()?)?;
    Ok(app)
}

/// Copies guests beside the app's executable. A running app finds them, too.
pub(crate) fn provide(app: &Path, guests: &[Guest]) -> Result<()> {
    let config = configuration()?;
    let folder = app.parent().context("the app's path has no folder")?;
    for artifact in artifacts(&config)?.iter().filter(|one| guests.contains(&one.guest)) {
        let (kind, name) = artifact.guest;
        copy(&wasi_sidecar_guests::path(kind, name), &folder.join(FOLDER).join(&artifact.file))?;
    }
    for fallback in fallbacks(&config)?.iter().filter(|fallback| guests.contains(fallback)) {
        let built = wasi_sidecar_guests::path(fallback.0, fallback.1);
        copy(&built, &folder.join(built.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

fn sources() -> PathBuf {
    paths::workspace().join("examples/app/src-tauri")
}

fn configuration() -> Result<Value> {
    let file = sources().join("tauri.conf.json");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()));
    Ok(serde_json::from_str(&text?)?)
}

/// The artifacts of a configuration, each once.
fn artifacts(config: &Value) -> Result<Vec<Artifact>> {
    let mut artifacts: Vec<Artifact> = Vec::new();
    for path in sidecars(config).filter_map(|sidecar| sidecar["component"].as_str()) {
        let file = path.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/'));
        let guest = file.and_then(|file| guest(file.strip_suffix(".wasm")?));
        let (Some(file), Some(guest)) = (file, guest) else {
            bail!("no guest makes `{path}`, which the app's configuration names");
        };
        if artifacts.iter().all(|known| known.file != file) {
            artifacts.push(Artifact { file: file.to_owned(), guest });
        }
    }
    Ok(artifacts)
}

/// The native programs of a configuration, each once.
fn fallbacks(config: &Value) -> Result<Vec<Guest>> {
    let mut fallbacks: Vec<Guest> = Vec::new();
    for program in sidecars(config).filter_map(|sidecar| sidecar["native"]["program"].as_str()) {
        let Some((Kind::Component, name)) = find(program) else {
            bail!("no guest makes the program `{program}`, which the app's configuration names");
        };
        if !fallbacks.contains(&(Kind::Native, name)) {
            fallbacks.push((Kind::Native, name));
        }
    }
    Ok(fallbacks)
}

fn sidecars(config: &Value) -> impl Iterator<Item = &Value> {
    config["plugins"]["wasi-sidecar"]["sidecars"]
        .as_object()
        .into_iter()
        .flat_map(|all| all.values())
}

/// The guest of an artifact: `upper`, or `go-echo` for `go/echo`.
fn guest(name: &str) -> Option<Guest> {
    find(name).or_else(|| find(&name.replacen('-', "/", 1)))
}

/// Copies a file if it has changed: a newer file makes cargo rebuild the app. Readers find the old file or the new one, never
/// a part.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| {
        format!("cannot read {}; `cargo xtask guests` builds it", from.display())
    })?;
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let put = || -> std::io::Result<()> {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        // Not beside the target, because the app bundles the whole folder.
        let temporary =
            paths::workspace().join("target").join(format!("staged-{}", std::process::id()));
        // `fs::copy` keeps the permission to execute.
        fs::copy(from, &temporary)?;
        let moved = fs::rename(&temporary, to);
        if moved.is_err() {
            // `target` may be on another file system.
            let _ = fs::remove_file(&temporary);
            fs::copy(from, to)?;
        }
        Ok(())
    };
    put().with_context(|| format!("cannot write {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_configuration_names_the_guests_of_the_app() {
        let guests = guests().expect("there is a guest for each artifact");
        for wanted in [
            (Kind::Component, "upper"),
            (Kind::Native, "upper"),
            (Kind::Native, "markdown"),
            (Kind::Language("go"), "echo"),
        ] {
            assert!(guests.contains(&wanted), "{wanted:?} is not in {guests:?}");
        }
        assert!(!guests.contains(&(Kind::Native, "trap")), "{guests:?}");
        let first = guests.iter().position(|(kind, _)| matches!(kind, Kind::Language(_)));
        assert!(
            guests.iter().skip(first.expect("one")).all(|it| matches!(it.0, Kind::Language(_)))
        );
    }

    #[test]
    fn an_artifact_without_a_guest_is_an_error() {
        let config = |sidecar: Value| json!({ "plugins": { "wasi-sidecar": { "sidecars": { "a": sidecar } } } });
        for unknown in
            ["sidecars/zebra.wasm", "upper.wasm", "sidecars/upper", "sidecars/../upper.wasm"]
        {
            let error =
                artifacts(&config(json!({ "component": unknown }))).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(unknown), "{error}");
        }
        for unknown in ["zebra", "go/echo", "bin/upper"] {
            let config = config(json!({ "native": { "program": unknown } }));
            let error = fallbacks(&config).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(unknown), "{error}");
        }
        // A component that the app registers at run time has no artifact.
        assert!(artifacts(&config(json!({ "component": null }))).is_ok_and(|none| none.is_empty()));
    }

    #[test]
    fn the_driver_of_the_app_names_no_guest_that_the_demo_does_not_build() {
        let config = configuration().expect("it can be read");
        let configured: Vec<&str> = config["plugins"]["wasi-sidecar"]["sidecars"]
            .as_object()
            .expect("sidecars")
            .keys()
            .map(|name| name.trim_start_matches("sidecars/"))
            .collect();
        let files: Vec<String> =
            artifacts(&config).expect("guests").into_iter().map(|one| one.file).collect();
        let driver = paths::workspace().join("host-plugin/harness/e2e");
        let (mut started, mut dropped) = (0, 0);
        for script in crate::webview::driver::DEMO {
            let text = fs::read_to_string(driver.join(script)).expect("a script of the demo");
            for name in named(&text, "start('").chain(named(&text, "sidecar-sidecars-")) {
                assert!(configured.contains(&name), "{script} starts `{name}`: {configured:?}");
                started += 1;
            }
            for name in named(&text, "bundled('") {
                let file = format!("{name}.wasm");
                assert!(files.contains(&file), "{script} reads `{file}`, and there are {files:?}");
                dropped += 1;
            }
            assert!(!text.contains("guests/"), "{script} names a guest by its path");
        }
        assert!(
            started > 5 && dropped > 0,
            "{started} {dropped}: the scripts are written otherwise"
        );
        let needs = fs::read_to_string(driver.join("environment.ts")).expect("the driver's needs");
        let app = needs.split("app: [").nth(1).and_then(|rest| rest.split(']').next());
        assert_eq!(app.map(str::trim), Some(""), "guests that are needed to drive the app");
    }

    /// The texts between `before` and the next quotation mark.
    fn named<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
        let rests = text.split(before).skip(1);
        rests
            .filter_map(|rest| rest.split(['\'', '`', '"']).next())
            .filter(|name| !name.contains('$'))
    }
}
