//! A table of imports and the world they fit.

use crate::{FILES_IMPORTS, SOCKETS_IMPORTS, STDIO_IMPORTS, World, smallest_world};

fn check(imports: &[&str], expected: &World) {
    assert_eq!(&smallest_world(imports.iter().copied()), expected, "imports: {imports:?}");
}

fn beyond(imports: &[&str]) -> World {
    World::Beyond(imports.iter().map(|&import| import.to_owned()).collect())
}

#[test]
fn nothing_imported_fits_the_smallest_world() {
    check(&[], &World::Stdio);
}

#[test]
fn each_world_has_its_own_imports() {
    let worlds = [
        (World::Stdio, STDIO_IMPORTS),
        (World::Files, FILES_IMPORTS),
        (World::Sockets, SOCKETS_IMPORTS),
    ];
    for (i, (world, imports)) in worlds.iter().enumerate() {
        check(imports, world);
        let smaller = if i == 0 { &[][..] } else { worlds[i - 1].1 };
        assert!(smaller.iter().all(|import| imports.contains(import)), "{world} includes it");
        for import in imports.iter().filter(|import| !smaller.contains(import)) {
            check(&[import], world);
        }
    }
}

#[test]
fn order_does_not_matter() {
    let (stdin, types, tcp) = ("wasi:cli/stdin", "wasi:filesystem/types", "wasi:sockets/tcp");
    for imports in [[stdin, types, tcp], [tcp, types, stdin], [types, tcp, types]] {
        check(&imports, &World::Sockets);
    }
    check(&[types, stdin], &World::Files);
    check(&[stdin, types], &World::Files);
}

#[test]
fn every_release_of_0_2_is_the_same() {
    for version in ["0.2.0", "0.2.1", "0.2.6", "0.2.12", "0.2.13", "0.2.100"] {
        check(&[&format!("wasi:cli/exit@{version}")], &World::Stdio);
        check(&[&format!("wasi:filesystem/types@{version}")], &World::Files);
    }
}

#[test]
fn other_versions_are_beyond() {
    for version in [
        "0.3.2",
        "0.1.0",
        "1.0.0",
        "0.20.0",
        "0.2",
        "0.2.",
        "0.2.0-rc-2023-11-10",
        "0.2.0+x",
        "0.2.1.1",
        "",
        " 0.2.0",
    ] {
        let import = format!("wasi:cli/exit@{version}");
        check(&[&import], &beyond(&[&import]));
    }
}

#[test]
fn what_is_beyond_is_listed_once_and_in_order() {
    check(
        &[
            "wasi:http/types@0.2.0",
            "wasi:cli/stdin@0.2.0",
            "acme:db/query",
            "wasi:filesystem/types@0.2.0",
            "wasi:http/types@0.2.0",
        ],
        &beyond(&["wasi:http/types@0.2.0", "acme:db/query"]),
    );
}

#[test]
fn names_that_only_look_alike_are_beyond() {
    for import in [
        "",
        "@",
        "@0.2.0",
        "wasi:cli",
        "wasi:cli/",
        "wasi:cli/stdi",
        "wasi:cli/stdin2",
        "wasi:cli/Stdin",
        "WASI:cli/stdin",
        " wasi:cli/stdin",
        "wasi:cli/stdin/x",
        "acme:cli/stdin",
        "wasi:clocks/timezone@0.2.0",
        "wasi:cli/run@0.2.0",
        "wasi:cli/stdin@0.2.0@0.2.0",
        "wasi_snapshot_preview1",
        "stdin",
    ] {
        check(&[import], &beyond(&[import]));
    }
}

#[test]
fn a_world_tells_its_name() {
    assert_eq!(World::Stdio.name(), Some("stdio"));
    assert_eq!(World::Files.name(), Some("files"));
    assert_eq!(World::Sockets.name(), Some("sockets"));
    assert_eq!(beyond(&["x"]).name(), None);
    assert_eq!(World::Stdio.to_string(), "stdio");
    assert_eq!(World::Files.to_string(), "files");
    assert_eq!(World::Sockets.to_string(), "sockets");
    assert_eq!(beyond(&["a:b/c@1.0.0", "x"]).to_string(), "none, because of a:b/c@1.0.0, x");
    assert_eq!(beyond(&["\x1b[2J"]).to_string(), "none, because of \\u{1b}[2J");
}
