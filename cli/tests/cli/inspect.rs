//! `inspect`: the text people read, the JSON programs read.

use std::path::Path;

use crate::support::{args, cli, component, finish, program, wat};

/// The text about a guest, without what changes whenever it is built anew.
fn inspected(file: &Path) -> String {
    let mut command = program(args!["inspect", file.file_name().unwrap()]);
    command.current_dir(file.parent().unwrap());
    let ran = finish(command, b"").ended(0);
    let mask = |line: &str| match line.trim_start().split_once(' ') {
        Some((label @ ("size" | "sha-256"), _)) => format!("  {label:<8} [{label}]"),
        _ => line.to_owned(),
    };
    let mut text: Vec<_> = ran.text().lines().map(mask).collect();
    // Which interfaces a tool chain imports, and in which version, is its own affair; the first stands for them.
    let interfaces = |line: &str| line.starts_with("           wasi:") && line.contains("@0.2.");
    text.retain(|line| !interfaces(line) || line.contains("wasi:cli/run@"));
    let text = text.join("\n");
    text.split("@0.2.").enumerate().fold(String::new(), |text, (index, part)| match index {
        0 => part.to_owned(),
        _ => format!("{text}@0.2.N{}", part.trim_start_matches(|c: char| c.is_ascii_digit())),
    })
}

#[test]
fn a_module_made_from_c() {
    let file = wasi_sidecar_guests::language("c", "fs-probe").unwrap();
    insta::assert_snapshot!(inspected(&file), @r"
    fs-probe.wasm
      kind     command module, WASI 0.1
      size     [size]
      sha-256  [sha-256]
      runs     yes
      world    wasi-sidecar:guest/files
      needs    filesystem   nothing opens unless granted: --dir HOST::GUEST[:ro]
      imports  wasi_snapshot_preview1::args_get
               wasi_snapshot_preview1::args_sizes_get
               wasi_snapshot_preview1::fd_fdstat_get
               wasi_snapshot_preview1::fd_prestat_get
               wasi_snapshot_preview1::fd_prestat_dir_name
               wasi_snapshot_preview1::fd_read
               wasi_snapshot_preview1::fd_readdir
               wasi_snapshot_preview1::fd_seek
               wasi_snapshot_preview1::fd_write
               wasi_snapshot_preview1::path_create_directory
               wasi_snapshot_preview1::path_filestat_get
               wasi_snapshot_preview1::path_link
               wasi_snapshot_preview1::path_open
               wasi_snapshot_preview1::path_rename
               wasi_snapshot_preview1::path_unlink_file
               wasi_snapshot_preview1::proc_exit
               wasi_snapshot_preview1::fd_close
      exports  memory
               _start
    ");
}

#[test]
fn a_component_made_from_rust() {
    insta::assert_snapshot!(inspected(&component("fs-probe")), @r"
    fs-probe.wasm
      kind     command component, WASI 0.2
      size     [size]
      sha-256  [sha-256]
      runs     yes
      world    wasi-sidecar:guest/sockets
      needs    filesystem   nothing opens unless granted: --dir HOST::GUEST[:ro]
               environment  empty unless granted: --env NAME[=VALUE]
               network      nothing answers unless granted: --net HOST:PORT
      imports  wasi:io/poll@0.2.N
      exports  wasi:cli/run@0.2.N
    ");
}

#[test]
fn a_component_made_from_python() {
    let file = wasi_sidecar_guests::language("python", "echo").unwrap();
    insta::assert_snapshot!(inspected(&file), @r"
    echo.wasm
      kind     command component, WASI 0.2
      size     [size]
      sha-256  [sha-256]
      runs     yes
      world    wasi-sidecar:guest/sockets
      needs    filesystem   nothing opens unless granted: --dir HOST::GUEST[:ro]
               environment  empty unless granted: --env NAME[=VALUE]
               network      nothing answers unless granted: --net HOST:PORT
      imports  wasi:io/poll@0.2.N
      exports  exports
               wasi:cli/run@0.2.N
    ");
}

#[test]
fn what_does_not_run_says_why_and_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    wat(
        folder.path(),
        "foreign.wasm",
        r#"(module (import "env" "f" (func)) (func (export "_start")))"#,
    );
    insta::assert_snapshot!(inspected(&folder.path().join("foreign.wasm")), @r"
    foreign.wasm
      kind     command module, WASI 0.1
      size     [size]
      sha-256  [sha-256]
      runs     no: it is a WebAssembly module that imports `env::f`; a sidecar may import `wasi_snapshot_preview1` only, so build it for wasm32-wasip1 or wasm32-wasip2
      needs    nothing
      imports  env::f
      exports  _start
    ");
}

#[test]
fn json_has_the_same() {
    let ran = cli(args!["inspect", "--json", component("exit")]).ended(0);
    let json: serde_json::Value = serde_json::from_str(ran.text()).unwrap();
    let bytes = std::fs::read(component("exit")).unwrap();
    assert_eq!(json["kind"], "command-component");
    assert_eq!(json["wasi"], "0.2");
    assert_eq!(json["size"], bytes.len());
    assert_eq!(json["sha256"], wasi_sidecar::Digest::of(&bytes).to_string());
    assert_eq!((&json["runs"], &json["reason"]), (&true.into(), &serde_json::Value::Null));
    assert!(json["needs"].as_array().unwrap().contains(&"environment".into()));
    let has = |list: &str, start: &str| {
        let names = json[list].as_array().unwrap();
        names.iter().any(|name| name.as_str().unwrap().starts_with(start))
    };
    assert!(has("imports", "wasi:cli/stdout@0.2.") && has("exports", "wasi:cli/run@0.2."));
}

#[test]
fn what_is_no_webassembly_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "hello").unwrap();
    for (path, text) in [
        (file.as_path(), "is text"),
        (folder.path(), "is a directory"),
        (Path::new("missing.wasm"), "failed to find `missing.wasm`"),
    ] {
        let ran = cli(args!["inspect", "--json", path]).ended(125).said(text);
        assert!(ran.stdout.is_empty(), "{}", ran.text());
    }
}
