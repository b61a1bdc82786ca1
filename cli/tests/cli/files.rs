//! `run --dir`: what opens, what is refused, and that nothing opens without it.

use std::{collections::BTreeMap, path::Path};

use crate::support::{args, cli, component, finish, program};

/// Operations of `fs-probe` that change something, with their operands. In a fresh folder each of them works.
const CHANGES: &[&[&str]] = &[
    &["create", "/data/new"],
    &["write", "/data/a", "text"],
    &["append", "/data/a", "text"],
    &["overwrite", "/data/a", "T"],
    &["open-write", "/data/a"],
    &["truncate", "/data/b"],
    &["set-size", "/data/c", "2"],
    &["set-times", "/data/c", "1000"],
    &["rename", "/data/d", "/data/d2"],
    &["link", "/data/a", "/data/a2"],
    &["copy", "/data/a", "/data/a3"],
    &["symlink", "/data/s", "a"],
    &["mkdir", "/data/m"],
    &["create-dir-all", "/data/n/o"],
    &["rmdir", "/data/empty"],
    &["unlink", "/data/e"],
    &["remove-dir-all", "/data/full"],
];

const READS: &[&[&str]] =
    &[&["open", "/data/a"], &["read", "/data/a"], &["stat", "/data/a"], &["list", "/data"]];

fn fill(folder: &Path) {
    for name in ["a", "b", "c", "d", "e", "full/f"] {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, name).unwrap();
    }
    std::fs::create_dir(folder.join("empty")).unwrap();
}

/// Every path below a folder, with content and time of change.
fn state(folder: &Path) -> BTreeMap<std::path::PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        let content = if metadata.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        if metadata.is_dir() {
            found.extend(state(&path));
        }
        found.insert(path, (content, metadata.modified().unwrap()));
    }
    found
}

/// Has `fs-probe` do all of it, and gives what it says went well.
fn probe(grant: &[String], operations: &[&[&str]]) -> Vec<bool> {
    let mut arguments = vec!["run".to_owned()];
    arguments.extend_from_slice(grant);
    arguments.push(component("fs-probe").display().to_string());
    let input: String = operations.iter().map(|fields| fields.join("\t") + "\n").collect();
    let ran = finish(program(&arguments), input.as_bytes()).ended(0);
    let outcome = |line: &str| {
        let outcome: serde_json::Value = serde_json::from_str(line).unwrap();
        outcome["ok"].as_bool().unwrap()
    };
    let outcomes: Vec<_> = ran.text().lines().map(outcome).collect();
    assert_eq!(outcomes.len(), operations.len(), "{}", ran.text());
    outcomes
}

fn grant(folder: &Path, suffix: &str) -> Vec<String> {
    vec!["--dir".into(), format!("{}::/data{suffix}", folder.display())]
}

#[test]
fn read_only_refuses_every_change() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let before = state(folder.path());
    for (operation, done) in CHANGES.iter().zip(probe(&grant(folder.path(), ":ro"), CHANGES)) {
        assert!(!done, "{operation:?}");
    }
    assert_eq!(state(folder.path()), before);
    assert_eq!(probe(&grant(folder.path(), ":ro"), READS), [true; 4]);
}

#[test]
fn read_write_allows_every_change() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    for (operation, done) in CHANGES.iter().zip(probe(&grant(folder.path(), ""), CHANGES)) {
        assert!(done, "{operation:?}");
    }
    assert!(folder.path().join("n/o").is_dir() && !folder.path().join("e").exists());
}

#[test]
fn without_a_grant_nothing_opens() {
    let mut operations = READS.to_vec();
    operations.extend_from_slice(CHANGES);
    let there = component("fs-probe").display().to_string();
    let own: [&[&str]; 4] =
        [&["list", "/"], &["list", "."], &["open", "/etc/hostname"], &["read", &there]];
    operations.extend(own);
    for (operation, done) in operations.iter().zip(probe(&[], &operations)) {
        assert!(!done, "{operation:?}");
    }
}

#[test]
fn the_initial_directory_is_where_relative_paths_start() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let data = format!("{}::/data:ro", folder.path().display());
    let file = component("fs-probe");
    let ran = cli(args!["run", "--dir", data, "--cwd", "/data/full", file, "--", "read", "f"]);
    let ran = ran.ended(0);
    let outcome: serde_json::Value = serde_json::from_str(ran.text()).unwrap();
    assert_eq!(outcome["value"], "full/f", "{outcome}");
}

#[cfg(unix)]
#[test]
fn a_link_to_an_artifact_runs_it() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(component("exit"), &link).unwrap();
    cli(args!["run", link, "--", "9"]).ended(9);
}
