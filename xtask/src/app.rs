//! The example app: the artifacts it bundles, and building it.
//!
//! What is bundled is what the app's configuration names, `tauri.conf.json`: there is no second list of it. An artifact
//! `sidecars/upper.wasm` is the guest `upper`, and `sidecars/go-echo.wasm` is `go/echo`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use wasi_sidecar_guests::Kind;

use crate::guests::{self, Guest};
use crate::{build, paths};

pub(crate) const APP: &str = "sidecar-playground";

/// Where the artifacts lie, below the app's sources and beside its executable.
const FOLDER: &str = "sidecars";

/// An artifact of the app.
struct Artifact {
    /// The name of its file.
    file: String,
    guest: Guest,
}

/// The guests that the app needs, twins among them: those in Rust come first.
pub(crate) fn guests() -> Result<Vec<Guest>> {
    let config = configuration()?;
    let mut guests: Vec<Guest> = artifacts(&config)?.into_iter().map(|one| one.guest).collect();
    guests.extend(twins(&config)?);
    guests.sort_by_key(|(kind, _)| matches!(kind, Kind::Language(_)));
    Ok(guests)
}

/// Puts the built guests where the app's build expects them. All of them are there.
pub(crate) fn stage() -> Result<()> {
    for artifact in artifacts(&configuration()?)? {
        let (kind, name) = artifact.guest;
        let built = wasi_sidecar_guests::path(kind, name);
        copy(&built, &sources().join(FOLDER).join(&artifact.file))?;
    }
    Ok(())
}

/// Builds the app, with its twins and artifacts beside it. Its page has been built, and all guests are there.
pub(crate) fn build() -> Result<PathBuf> {
    let app = build::executable(&["build"], "--bin", APP)?;
    provide(&app, &guests()?)?;
    Ok(app)
}

/// Puts guests beside the app's executable, where it finds them the next time it looks, also while it runs.
pub(crate) fn provide(app: &Path, guests: &[Guest]) -> Result<()> {
    let config = configuration()?;
    let folder = app.parent().context("an executable lies in a folder")?;
    for artifact in artifacts(&config)?.iter().filter(|one| guests.contains(&one.guest)) {
        let (kind, name) = artifact.guest;
        copy(&wasi_sidecar_guests::path(kind, name), &folder.join(FOLDER).join(&artifact.file))?;
    }
    for twin in twins(&config)?.iter().filter(|twin| guests.contains(twin)) {
        let built = wasi_sidecar_guests::path(twin.0, twin.1);
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

/// The artifacts that a configuration names, each once.
fn artifacts(config: &Value) -> Result<Vec<Artifact>> {
    let mut artifacts: Vec<Artifact> = Vec::new();
    for path in sidecars(config).filter_map(|sidecar| sidecar["component"].as_str()) {
        let file = path.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/'));
        let guest = file.and_then(|file| guest(file.strip_suffix(".wasm")?));
        let (Some(file), Some(guest)) = (file, guest) else {
            bail!("the app's configuration names `{path}`, and there is no guest for it");
        };
        if artifacts.iter().all(|known| known.file != file) {
            artifacts.push(Artifact { file: file.to_owned(), guest });
        }
    }
    Ok(artifacts)
}

/// The native programs that a configuration names, each once.
fn twins(config: &Value) -> Result<Vec<Guest>> {
    let mut twins: Vec<Guest> = Vec::new();
    for program in sidecars(config).filter_map(|sidecar| sidecar["native"]["program"].as_str()) {
        let Some((Kind::Component, name)) = guests::find(program) else {
            bail!(
                "the app's configuration names the program `{program}`, and there is no guest for it"
            );
        };
        if !twins.contains(&(Kind::Native, name)) {
            twins.push((Kind::Native, name));
        }
    }
    Ok(twins)
}

fn sidecars(config: &Value) -> impl Iterator<Item = &Value> {
    config["plugins"]["wasi-sidecar"]["sidecars"]
        .as_object()
        .into_iter()
        .flat_map(|all| all.values())
}

/// The guest whose artifact has this name: `upper`, or `go-echo` for `go/echo`.
fn guest(name: &str) -> Option<Guest> {
    guests::find(name).or_else(|| guests::find(&name.replacen('-', "/", 1)))
}

/// Copies a file unless the same one is there: a newer file would make cargo build the app again. Who opens the file finds
/// the old one or the new one, never a part.
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
        // Not beside it: cargo bundles what lies in the app's folder.
        let aside =
            paths::workspace().join("target").join(format!("staged-{}", std::process::id()));
        // With its permissions, which a program needs.
        fs::copy(from, &aside)?;
        let moved = fs::rename(&aside, to);
        if moved.is_err() {
            // `target` may be on another disk.
            let _ = fs::remove_file(&aside);
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
    fn the_app_is_built_with_what_its_configuration_names() {
        let guests = guests().expect("there is a guest for each artifact");
        for wanted in [
            (Kind::Component, "upper"),
            (Kind::Native, "upper"),
            (Kind::Native, "markdown"),
            (Kind::Language("go"), "echo"),
        ] {
            assert!(guests.contains(&wanted), "{wanted:?} is not in {guests:?}");
        }
        // Nothing is built that the app does not use.
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
            let error = twins(&config).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(unknown), "{error}");
        }
        // One whose bytes are registered while the app runs has no artifact.
        assert!(artifacts(&config(json!({ "component": null }))).is_ok_and(|none| none.is_empty()));
    }

    /// The driver opens the app that the demo has built, and starts what is in its list.
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
        for script in crate::e2e::DEMO {
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
            // Guests that are not the app's are for the tests of the harness.
            assert!(!text.contains("guests/"), "{script} names a guest by its path");
        }
        assert!(
            started > 5 && dropped > 0,
            "{started} {dropped}: the scripts are written otherwise"
        );
        // What is looked for before the app is opened is the app's own as well.
        let needs = fs::read_to_string(driver.join("environment.ts")).expect("the driver's needs");
        let app = needs.split("app: [").nth(1).and_then(|rest| rest.split(']').next());
        assert_eq!(app.map(str::trim), Some(""), "guests that are needed to drive the app");
    }

    /// What stands between a text and the next quotation mark.
    fn named<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
        let rests = text.split(before).skip(1);
        rests
            .filter_map(|rest| rest.split(['\'', '`', '"']).next())
            .filter(|name| !name.contains('$'))
    }
}
