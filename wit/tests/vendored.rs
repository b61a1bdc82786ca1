//! The WASI packages in `deps/` are unchanged since they were copied.
//!
//! `deps.sha256` has their digests in the format of `sha256sum`. A difference is either an editing
//! mistake or an update, which README.md describes.

#![expect(clippy::disallowed_methods, reason = "a test that compares files of its own crate")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

const HOW_TO_UPDATE: &str = "if this is meant, follow \"Updating\" in wit/README.md, the last step \
    of which is\n    (cd wit && sha256sum deps/* > deps.sha256)";

/// The listed digests, by path.
fn listed(root: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(root.join("deps.sha256")).expect("deps.sha256 can be read");
    text.lines()
        .map(|line| {
            let (digest, path) =
                line.split_once("  ").unwrap_or_else(|| panic!("not a line of sha256sum: {line}"));
            (path.to_owned(), digest.to_owned())
        })
        .collect()
}

/// The actual digests, by path.
fn found(root: &Path) -> BTreeMap<String, String> {
    fs::read_dir(root.join("deps"))
        .expect("deps can be listed")
        .map(|entry| {
            let entry = entry.expect("an entry of deps can be read");
            let bytes = fs::read(entry.path()).expect("deps holds only files that can be read");
            let name = entry.file_name().into_string().expect("names under deps are ASCII");
            let digest = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            (format!("deps/{name}"), digest)
        })
        .collect()
}

#[test]
fn vendored_files_are_unchanged() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (listed, found) = (listed(root), found(root));
    let mut differences = Vec::new();
    for (path, digest) in &listed {
        match found.get(path) {
            None => differences.push(format!("{path} is missing")),
            Some(other) if other != digest => differences.push(format!("{path} was changed")),
            Some(_) => {}
        }
    }
    for path in found.keys().filter(|path| !listed.contains_key(*path)) {
        differences.push(format!("{path} is not in deps.sha256"));
    }
    assert!(differences.is_empty(), "{}\n{HOW_TO_UPDATE}", differences.join("\n"));
    assert!(!listed.is_empty(), "deps.sha256 lists nothing");
}
