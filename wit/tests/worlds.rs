//! `world.wit` parses, and its imports and exports are those of the library's tables.

use std::path::Path;

use wasi_sidecar_wit::{FILES_IMPORTS, RUN_EXPORT, SOCKETS_IMPORTS, STDIO_IMPORTS, World};
use wit_parser::{PackageId, Resolve, World as WitWorld, WorldKey};

fn package() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .unwrap_or_else(|error| panic!("the WIT package does not parse: {error:#}"));
    (resolve, package)
}

fn world<'a>((resolve, package): &'a (Resolve, PackageId), name: &str) -> &'a WitWorld {
    let id = resolve.select_world(&[*package], Some(name)).expect("the package declares the world");
    &resolve.worlds[id]
}

/// Names without versions, sorted. Panics on a version that is not the vendored one.
fn names<'a>(resolve: &Resolve, keys: impl Iterator<Item = &'a WorldKey>) -> Vec<String> {
    let mut names: Vec<_> = keys
        .map(|key| {
            let full = resolve.name_world_key(key);
            let name = full
                .strip_suffix("@0.2.12")
                .unwrap_or_else(|| panic!("unexpected version: {full}"));
            name.to_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn imports_are_those_of_the_tables() {
    let package = package();
    for (world_of, table) in [
        (World::Stdio, STDIO_IMPORTS),
        (World::Files, FILES_IMPORTS),
        (World::Sockets, SOCKETS_IMPORTS),
    ] {
        let name = world_of.name().expect("a world of ours has a name");
        let resolved = names(&package.0, world(&package, name).imports.keys());
        assert_eq!(
            resolved, table,
            "world `{name}`: what world.wit imports (left), table in src/lib.rs (right)"
        );
    }
}

#[test]
fn all_worlds_export_run_and_nothing_else() {
    let package = package();
    for name in ["stdio", "files", "sockets"] {
        assert_eq!(
            names(&package.0, world(&package, name).exports.keys()),
            [RUN_EXPORT],
            "world `{name}`"
        );
    }
}

#[test]
fn there_are_no_other_worlds() {
    let (resolve, package) = package();
    let worlds: Vec<_> = resolve.packages[package].worlds.keys().map(String::as_str).collect();
    assert_eq!(
        worlds,
        ["stdio", "files", "sockets"],
        "a new world needs a table and a variant of `World`"
    );
    assert_eq!(resolve.packages[package].name.to_string(), "wasi-sidecar:guest@0.1.0");
}

#[test]
fn what_is_ours_is_documented() {
    let (resolve, package) = package();
    let package = &resolve.packages[package];
    assert!(package.docs.contents.is_some(), "the package has no documentation comment");
    for (name, &id) in &package.worlds {
        assert!(
            resolve.worlds[id].docs.contents.is_some(),
            "world `{name}` has no documentation comment"
        );
    }
}
