//! Invariants of the source tree. ARCHITECTURE.md states them; this holds them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// All that has Rust in it.
const FOLDERS: [&str; 8] =
    [".", "../cli", "../host-plugin", "../xtask", "../fuzz", "../guests", "../wit", "../examples"];

fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let installed = ["node_modules", "target"].iter().any(|name| path.ends_with(name));
            if path.is_dir() && !installed {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    walk(&root, &mut found);
    assert!(!found.is_empty(), "no sources in {folder}");
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// The code alone: no comments, no tests.
fn code(text: &str) -> String {
    // Whatever its attribute says beside `test`.
    let text = text.split("\nmod tests {").next().unwrap_or(text);
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn only_in(word: &str, allowed: &[&str]) {
    for (name, text) in sources("src") {
        let here = allowed.iter().any(|place| name.starts_with(place));
        assert!(here || !code(&text).contains(word), "`{word}` in {name}, allowed in {allowed:?}");
    }
}

#[test]
fn only_these_files_name_the_engine() {
    let places = [
        "vm.rs",
        "engine.rs",
        "compile.rs",
        "compile/compiler.rs",
        "compile/left_out.rs",
        "component/code.rs",
        "store/",
        "imp/component.rs",
        "imp/end.rs",
    ];
    only_in("wasmtime::", &places);
    only_in("wasmtime_wasi", &places);
}

#[test]
fn only_two_files_start_processes() {
    let places = ["imp/native.rs", "imp/compiler.rs"];
    only_in("process::Command", &places);
    // `use std::process::{…, Command, …}`, and the same of tokio: others take other things from there.
    let anything_else = ["compile/isolated.rs", "compile/child.rs"];
    only_in("process::{", &[places, anything_else].concat());
    only_in("Stdio::piped", &["imp/native.rs", "imp/compiler.rs", "command.rs", "stdio.rs"]);
}

#[test]
fn the_library_knows_nothing_of_tauri_or_configuration_files() {
    only_in("tauri::", &[]);
    only_in("serde", &[]);
}

#[test]
fn machine_code_is_loaded_in_one_place() {
    only_in("deserialize", &["component/code.rs"]);
}

#[test]
fn only_these_files_are_unsafe() {
    let places = [
        "component/code.rs",
        "hardened.rs",
        // Tests, and guests that do what std has no way to.
        "it/attacks/alive.rs",
        "it/attacks/reporter.rs",
        "rust/src/bin/flood.rs",
        "rust/src/bin/stdio-close.rs",
        // This one names it.
        "it/tree.rs",
    ];
    for (name, text) in FOLDERS.into_iter().flat_map(sources) {
        let here = places.iter().any(|place| name.ends_with(place));
        let code = code(&text);
        let found = ["unsafe ", "unsafe{", "unsafe("].iter().any(|word| code.contains(word));
        assert!(here || !found, "`unsafe` in {name}, allowed in {places:?}");
    }
}

#[test]
fn only_dates_rest_on_a_clock_that_can_be_set() {
    // How old files of the cache are, and what guests are told. Limits on time rest on clocks that only go forward.
    only_in("SystemTime", &["cache/entry.rs", "cache/tests.rs", "store/clock.rs"]);
}

#[test]
fn a_guest_cannot_make_the_library_panic() {
    only_in(".unwrap()", &[]);
    let tests = [
        "cache/tests.rs",
        "capabilities/tests.rs",
        "artifact/tests.rs",
        "store/tests.rs",
        "artifact/footprint/tests.rs",
    ];
    only_in(".expect(\"", &tests);
    only_in("panic!(", &tests[..3]);
}

#[test]
fn files_say_what_they_are_for_and_can_be_read_in_one_sitting() {
    let mut lengths = Vec::new();
    for (name, text) in FOLDERS.into_iter().flat_map(sources) {
        assert!(text.starts_with("//! "), "{name} does not begin with what it is for");
        let lines = code(&text).lines().count();
        assert!(lines <= 600, "{name} has {lines} lines");
        lengths.push(lines);
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= 120, "the median file has {median} lines of code");
}
