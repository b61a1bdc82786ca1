//! Invariants of the source tree. ARCHITECTURE.md states them; this holds them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// All that has Rust in it.
const FOLDERS: [&str; 8] =
    [".", "../cli", "../host-plugin", "../xtask", "../fuzz", "../guests", "../wit", "../examples"];

pub(crate) fn sources(folder: &str) -> Vec<(String, String)> {
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
pub(crate) fn code(text: &str) -> String {
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
fn only_two_rooms_name_wasmtime() {
    for path in ["wasmtime::", "wasmtime_wasi", "use wasmtime"] {
        only_in(path, &["guest/", "compile/"]);
    }
    only_in("wiggle", &["guest/"]);
}

#[test]
fn only_two_files_start_processes() {
    let places = ["backend/native.rs", "compile/process.rs"];
    only_in("process::Command", &places);
    // `use std::process::{…, Command, …}`, and the same of tokio: others take other things from there.
    let anything_else = ["compile/isolated.rs", "compile/child.rs"];
    only_in("process::{", &[&places[..], &anything_else[..]].concat());
    only_in("Stdio::piped", &[&places[..], &["api/command.rs", "stdio.rs"]].concat());
}

#[test]
fn the_library_names_no_front_end() {
    let words = [
        // Crates and the words of their users.
        "tauri",
        "serde",
        "webview",
        "clap",
        "tauri.conf.json",
        // Keys of a configuration.
        "limits.",
        "engine.max",
        "engine.pool",
        "engine.guest",
        "engine.compile",
        "grants.dirs",
        "grants.env",
        "sha256`",
        // Options of a command line.
        "`--",
    ];
    for (name, text) in sources("src") {
        for line in code(&text).lines() {
            // Our own modules, fields and variables have some of these names; what a person reads is in quotes.
            let said = line.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" ");
            let quoted = words.iter().find(|word| said.contains(**word));
            assert_eq!(quoted, None, "{name}: {line}");
            let named = words[..4].iter().find(|word| line.contains(**word));
            assert_eq!(named, None, "{name}: {line}");
        }
    }
}

#[test]
fn machine_code_is_loaded_in_one_place() {
    only_in("deserialize", &["guest/code.rs"]);
}

#[test]
fn only_these_files_are_unsafe() {
    let places = [
        "guest/code.rs",
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
    only_in("SystemTime", &["cache/entry.rs", "cache/tests.rs", "guest/store/clock.rs"]);
}

#[test]
fn a_guest_cannot_make_the_library_panic() {
    let folder = "grants/network/tests/";
    only_in(".unwrap()", &[folder]);
    let tests = [
        "cache/tests.rs",
        folder,
        "grants/tests.rs",
        "artifact/tests.rs",
        "guest/store/tests.rs",
        "artifact/footprint/tests.rs",
    ];
    only_in(".expect(\"", &tests);
    only_in("panic!(", &tests[..4]);
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

#[test]
fn the_parity_table_and_its_tests_name_each_other() {
    let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host-plugin");
    let table = fs::read_to_string(plugin.join("../docs/parity.md")).unwrap();
    let mut named = Vec::new();
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        // `test` in `file`, and so on.
        let words: Vec<&str> = row.split('`').collect();
        for three in words.windows(3).filter(|three| three[1] == " in ") {
            let [test, _, file] = three else { continue };
            if !test.starts_with("parity_") {
                continue;
            }
            let text = fs::read_to_string(plugin.join(file)).unwrap_or_default();
            assert!(text.contains(test), "`{test}` is not in {file}");
            named.push(test[..9].to_owned());
        }
    }
    let rows = |number: usize| table.contains(&format!("\n| {number} | "));
    let count = (1..).take_while(|number| rows(*number)).count();
    assert!(count >= 43, "{count} rows");
    for number in 1..=count {
        assert!(named.contains(&format!("parity_{number:02}")), "row {number} names no test");
    }
}

#[test]
fn the_book_lists_every_page() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    for folder in ["", "decisions/"] {
        for entry in fs::read_dir(docs.join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let listed = summary.contains(&format!("({folder}{name})"));
            assert!(!name.ends_with(".md") || name == "SUMMARY.md" || listed, "{folder}{name}");
        }
    }
}
