//! `compile`: what is written, and what is not overwritten.

use std::path::Path;

use crate::support::{args, cli, component, wat};

fn is_code(path: &Path) -> bool {
    std::fs::read(path).unwrap().starts_with(b"\x7fELF")
}

#[test]
fn machine_code_is_written_beside_the_artifact() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exit.wasm");
    std::fs::copy(component("exit"), &file).unwrap();
    let out = folder.path().join("exit.cwasm");
    let ran = cli(args!["compile", file]).ended(0).said("for this machine in ");
    assert!(ran.stdout.is_empty() && is_code(&out), "{}", ran.stderr);

    // Code can be made again, so it is replaced; a file that only has the name of code is not.
    cli(args!["compile", file]).ended(0);
    std::fs::write(&out, "precious").unwrap();
    cli(args!["compile", file]).ended(125).said("is no machine code");
    assert_eq!(std::fs::read(&out).unwrap(), b"precious");
    cli(args!["compile", file, "-o", out]).ended(0);
    assert!(is_code(&out));
    let mut names: Vec<_> =
        folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["exit.cwasm", "exit.wasm"]);

    // It is not what `run` takes, and `run` says what is.
    cli(args!["run", out]).ended(125).said("give the .wasm file it was made from");
}

#[test]
fn modules_are_compiled_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = wat(
        folder.path(),
        "tiny.wasm",
        r#"(module (memory (export "memory") 1) (func (export "_start")))"#,
    );
    cli(args!["compile", file, "--output", folder.path().join("out.bin")]).ended(0);
    assert!(is_code(&folder.path().join("out.bin")));
}

#[test]
fn code_for_other_machines_is_made() {
    // The numbers of processors in the head of an ELF file, which the engine writes for every system.
    const X86_64: u16 = 62;
    const AARCH64: u16 = 183;

    let folder = tempfile::tempdir().unwrap();
    for (target, machine) in [
        ("x86_64-unknown-linux-gnu", X86_64),
        ("x86_64-pc-windows-msvc", X86_64),
        ("x86_64-apple-darwin", X86_64),
        ("aarch64-apple-darwin", AARCH64),
        ("aarch64-unknown-linux-gnu", AARCH64),
        ("aarch64-linux-android", AARCH64),
    ] {
        let out = folder.path().join(target);
        cli(args!["compile", component("exit"), "--target", target, "-o", out])
            .ended(0)
            .said(target);
        let code = std::fs::read(&out).unwrap();
        assert_eq!(
            (&code[..4], [code[18], code[19]]),
            (&b"\x7fELF"[..], machine.to_le_bytes()),
            "{target}"
        );
    }
}

#[test]
fn what_cannot_be_compiled_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exit.wasm");
    std::fs::copy(component("exit"), &file).unwrap();
    let text = folder.path().join("notes.wasm");
    std::fs::write(&text, "hello").unwrap();
    for (arguments, said) in [
        (args!["compile", text], "is text"),
        (args!["compile", file, "-o", file], "would replace"),
        (args!["compile", file, "-o", folder.path()], "is a directory"),
        (args!["compile", file, "-o", folder.path().join("no/where")], "failed to open"),
        (args!["compile", file, "--target", "zork"], "`zork` is no target"),
    ] {
        cli(arguments).ended(125).said(said);
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 2);
    assert_eq!(std::fs::read(&file).unwrap(), std::fs::read(component("exit")).unwrap());
}
