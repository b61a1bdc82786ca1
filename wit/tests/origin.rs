//! The WASI packages in `deps/` are those that this workspace's `wasmtime-wasi` implements.
//!
//! If an update of wasmtime brings other packages, this test fails until they are copied. So nobody
//! builds guests against a WASI that the runtime does not have.

#![expect(
    clippy::disallowed_methods,
    reason = "a test that asks cargo for, and reads, the source of a dependency"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The folder of the `wasmtime-wasi` that this workspace is built with.
///
/// Only dependencies of this machine are queried: those of other platforms may be missing, and the
/// query would download them.
fn wasmtime_wasi() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--offline", "--filter-platform", &host()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be started");
    assert!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let manifests: Vec<_> = metadata["packages"]
        .as_array()
        .expect("cargo metadata lists packages")
        .iter()
        .filter(|package| package["name"] == "wasmtime-wasi")
        .filter_map(|package| package["manifest_path"].as_str())
        .collect();
    let [manifest] = manifests[..] else {
        panic!("not exactly one wasmtime-wasi in the workspace: {manifests:?}")
    };
    Path::new(manifest).parent().expect("a manifest lies in a folder").to_owned()
}

/// The target triple of this machine's compiler.
fn host() -> String {
    let output = Command::new(env!("CARGO")).arg("-vV").output().expect("cargo can be started");
    let text = String::from_utf8(output.stdout).expect("cargo prints text");
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.expect("cargo -vV names the host").to_owned()
}

/// The WIT files of a folder: bytes by file name.
fn wit_files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{} cannot be listed: {error}", folder.display()))
        .map(|entry| entry.expect("an entry can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wit"))
        .map(|path| {
            let name =
                path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a WIT file can be read"))
        })
        .collect()
}

#[test]
fn vendored_files_are_those_of_the_host() {
    let theirs = wit_files(&wasmtime_wasi().join("src/p2/wit/deps"));
    let ours = wit_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("deps"));
    assert_eq!(
        ours.keys().collect::<Vec<_>>(),
        theirs.keys().collect::<Vec<_>>(),
        "other files: follow \"Updating\" in wit/README.md"
    );
    for (name, bytes) in &ours {
        assert!(
            bytes == &theirs[name],
            "wit/deps/{name} differs: follow \"Updating\" in wit/README.md"
        );
    }
}
