//! Compiles one component, unless its code exists and is current.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use wasi_sidecar::{CodeLabel, Component, Digest, Engine, EngineConfig, LoadOptions};

use crate::config::Bundled;

/// A row of the table in the app's executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The sidecar's name.
    pub(crate) sidecar: String,
    /// The name of the code file, beside the component.
    pub(crate) file: String,
    /// The label that the file must match.
    pub(crate) label: CodeLabel,
}

/// What was done for a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// It was compiled.
    Anew,
    /// An earlier build compiled it, and nothing has changed since.
    Before,
}

/// Makes sure that a component's code for `target` lies beside it. The folder `stamps` of the build remembers the
/// labels of compiled code: a file beside the sources is reused only if it is still what the build wrote.
pub(crate) fn code(one: &Bundled, target: &str, stamps: &Path) -> Result<(Row, Made)> {
    let wasm = fs::read(&one.component).context("failed to read it")?;
    let artifact = Digest::of(&wasm);
    let stem = one.component.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let file = format!("{stem}.{target}.code");
    let path = one.component.with_file_name(&file);
    let stamp = stamps.join(format!("{artifact}.{target}"));
    let row = |label| Row { sidecar: one.sidecar.clone(), file: file.clone(), label };
    if let Some(label) = made_before(&stamp, &path, &artifact, target) {
        return Ok((row(label), Made::Before));
    }
    let engine = Engine::new(&EngineConfig::new())?;
    let (code, label) =
        Component::load(&engine, wasm, LoadOptions::new())?.precompile_labelled(target)?;
    let failed = |path: &PathBuf| format!("failed to write {}", path.display());
    fs::write(&path, code).with_context(|| failed(&path))?;
    fs::create_dir_all(stamps).with_context(|| failed(&stamps.to_owned()))?;
    fs::write(&stamp, label.to_string()).with_context(|| failed(&stamp))?;
    Ok((row(label), Made::Anew))
}

/// The label of existing code, if compiling now would make the same.
fn made_before(stamp: &Path, path: &Path, artifact: &Digest, target: &str) -> Option<CodeLabel> {
    let label: CodeLabel = fs::read_to_string(stamp).ok()?.parse().ok()?;
    let code = fs::read(path).ok()?;
    (label.is_current(artifact, target).ok()? && Digest::of(&code) == label.code()).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    const HERE: &str = "x86_64-unknown-linux-gnu";
    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    const HERE: &str = "aarch64-apple-darwin";

    fn app() -> (tempfile::TempDir, Bundled) {
        let app = tempfile::tempdir().expect("a folder");
        let component = app.path().join("upper.wasm");
        fs::copy(wasi_sidecar_guests::component("upper").expect("built"), &component)
            .expect("there");
        (app, Bundled { sidecar: "s".into(), component, takes_neighbours: true })
    }

    #[test]
    fn code_is_made_once_and_again_when_anything_has_changed() {
        let (app, one) = app();
        let stamps = app.path().join("stamps");
        let make = |target: &str| code(&one, target, &stamps).expect("it is compiled");
        let (row, made) = make(HERE);
        assert_eq!(made, Made::Anew);
        assert_eq!(row.file, format!("upper.{HERE}.code"));
        assert_eq!(make(HERE), (row.clone(), Made::Before));

        let path = app.path().join(&row.file);
        let mut bytes = fs::read(&path).expect("it was written");
        bytes[100] ^= 1;
        fs::write(&path, &bytes).expect("written");
        assert_eq!(make(HERE).1, Made::Anew, "the file was altered");
        fs::remove_file(&path).expect("removed");
        assert_eq!(make(HERE).1, Made::Anew, "the file was removed");

        fs::copy(wasi_sidecar_guests::component("echo").expect("built"), &one.component)
            .expect("there");
        let (other, made) = make(HERE);
        assert_eq!(made, Made::Anew, "the component is another");
        assert_ne!(other.label, row.label);
    }

    #[test]
    fn what_was_made_is_what_a_component_loads() {
        let (app, one) = app();
        let (row, _) = code(&one, HERE, &app.path().join("stamps")).expect("it is compiled");
        // Reads the label from the row of the table.
        let table = crate::table(std::slice::from_ref(&row));
        let label = table.split('"').nth(5).expect("the third text of the row").parse();
        let engine = Engine::new(&EngineConfig::new()).expect("an engine");
        let wasm = fs::read(&one.component).expect("there");
        let bytes = fs::read(app.path().join(&row.file)).expect("there");
        let options = LoadOptions::new().code(bytes, label.expect("a label"));
        let component = Component::load(&engine, wasm, options).expect("a component");
        pollster::block_on(component.compile()).expect("it is loaded");
        if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
            assert_eq!(component.code_origin(), Some(wasi_sidecar::CodeOrigin::AheadOfTime));
        }
    }

    #[test]
    fn what_cannot_be_compiled_is_told() {
        let (app, one) = app();
        let error = code(&one, "no-such-machine", app.path()).expect_err("no target");
        assert!(error.to_string().contains("no target"), "{error}");
        fs::write(&one.component, "no wasm").expect("written");
        code(&one, HERE, app.path()).expect_err("no component");
        fs::remove_file(&one.component).expect("removed");
        code(&one, HERE, app.path()).expect_err("no file");
    }
}
