//! What cannot be run, and what was not meant so: codes 125 and 2, and a sentence that helps.

use crate::support::{args, cli, component, wat};

#[test]
fn what_cannot_be_run_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let exit = std::fs::read(component("exit")).unwrap();
    for (name, bytes) in [
        ("text.txt", b"hello\n".as_slice()),
        ("empty.wasm", b""),
        ("elf", b"\x7fELF\x02\x01\x01\0 and so on"),
        ("exe", b"MZ\x90\0 and so on"),
        ("form.wat", b"(module)"),
        ("cut.wasm", &exit[..exit.len() / 2]),
        ("noise.wasm", b"\0asm\x01\0\0\0\xff\xff\xff\xff\xff"),
    ] {
        std::fs::write(path(name), bytes).unwrap();
    }
    std::fs::create_dir(path("folder")).unwrap();
    wat(folder.path(), "library.wasm", r#"(module (func (export "add")))"#);
    wat(folder.path(), "reactor.wasm", r#"(module (func (export "_initialize")))"#);
    wat(
        folder.path(),
        "foreign.wasm",
        r#"(module (import "env" "f" (func)) (func (export "_start")))"#,
    );

    for (name, text) in [
        ("text.txt", "is text"),
        ("empty.wasm", "is an empty file"),
        ("elf", "is a native executable (Linux)"),
        ("exe", "is a native executable (Windows)"),
        ("form.wat", "WebAssembly in text form"),
        ("cut.wasm", "breaks off"),
        ("noise.wasm", "`noise.wasm`"),
        ("folder", "is a directory"),
        ("missing.wasm", "failed to find"),
        ("no/where.wasm", "failed to find"),
        ("library.wasm", "without a WASI entry point"),
        ("reactor.wasm", "a WASI reactor"),
        ("foreign.wasm", "imports `env::f`"),
    ] {
        let ran = cli(args!["run", path(name)]).ended(125).said(text);
        assert!(ran.stderr.starts_with("error: ") && ran.stdout.is_empty(), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn grants_and_limits_that_cannot_be_given_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (here, file) = (folder.path().display().to_string(), component("exit"));
    let home = file.parent().unwrap().display().to_string();
    let missing = format!("{here}/missing::/data");
    let a_file = format!("{}::/data", file.display());
    for (option, value, text) in [
        ("--dir", missing.as_str(), "does not exist"),
        ("--dir", &a_file, "is not a directory"),
        ("--dir", &format!("{home}::/data"), "what the host loads has left the sandbox"),
        ("--cwd", "/data", "is not in a granted directory"),
        ("--memory", "1k", "`--memory` must be at least 64.0 KiB"),
        ("--memory", "5GiB", "`--memory` must be at most 4.0 GiB"),
    ] {
        let ran = cli(args!["run", option, value, file, "--", "0"]).ended(125).said(text);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_dangerous_directory_needs_the_option_that_says_so() {
    let probe = component("fs-probe");
    let list =
        |option: &str, grant: &str| cli(args!["run", option, grant, &probe, "--", "list", "/data"]);
    for (grant, what) in [
        ("/dev::/data:ro", "is or lies in `/dev`"),
        ("/dev/..::/data:ro", "is the root of everything"),
    ] {
        let ran = list("--dir", grant).ended(125).said(what).said("`--dangerous-dir`");
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
    let ran = list("--dangerous-dir", "/dev::/data:ro").ended(0);
    assert!(ran.text().contains(r#""ok":true"#) && ran.text().contains("null"), "{}", ran.text());
    // It lifts this one check: what holds the artifact is refused all the same, and so is writing with `:ro`.
    list("--dangerous-dir", "/::/data:ro").ended(125).said("has left the sandbox");
    let create =
        args!["run", "--dangerous-dir", "/dev::/data:ro", &probe, "--", "create", "/data/x"];
    let ran = cli(create);
    assert!(ran.text().contains(r#""ok":false"#), "{}", ran.text());
    assert!(!std::path::Path::new("/dev/x").exists());
}

#[test]
fn wrong_use_is_explained() {
    let rows: &[(&[&str], &str)] = &[
        (&[], "Usage: wasi-sidecar"),
        (&["rum"], "a similar subcommand exists: 'run'"),
        (&["run"], "<FILE>"),
        (&["run", "--dir", "notes", "x.wasm"], "write it like `notes::/data`"),
        (&["run", "--dir", "notes::/../x", "x.wasm"], "is no path for a guest"),
        (&["run", "--dir", "notes::/notes:rw", "x.wasm"], "`:rw` is no access"),
        (&["run", "--env", "=x", "x.wasm"], "no name"),
        (
            &["run", "--net", "example.com", "x.wasm"],
            "`example.com` has no port; write `example.com:443`",
        ),
        (&["run", "--memory", "much", "x.wasm"], "write a size like `32MiB`"),
        (&["run", "--time", "5", "x.wasm"], "`5` has no unit"),
        (&["run", "--time", "0s", "x.wasm"], "lets nothing run"),
        (&["run", "--stats=xml", "x.wasm"], "invalid value 'xml'"),
        (&["run", "x.wasm", "stray"], "unexpected argument 'stray'"),
        (&["completions", "tcsh"], "possible values: bash"),
    ];
    for (arguments, text) in rows {
        let ran = cli(arguments).ended(2).said(text);
        assert!(ran.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn control_characters_in_a_name_do_not_reach_the_terminal() {
    let ran = cli(&["run", "no\u{1b}[31m\nsuch.wasm"]).ended(125).said(r"no\u{1b}[31m\nsuch.wasm");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

#[test]
fn a_pipe_gets_no_colours() {
    let file = component("trap");
    for arguments in [
        args!["--help"],
        args!["run", "--help"],
        args!["run", "--stats", file],
        args!["run", "missing.wasm"],
        args!["inspect", file],
        args!["nonsense"],
    ] {
        let ran = cli(arguments);
        assert!(!ran.stdout.contains(&0x1b) && !ran.stderr.contains('\x1b'), "{arguments:?}");
    }
}

#[test]
fn help_names_every_exit_code() {
    let help = cli(&["run", "--help"]).ended(0);
    for code in ["0 to 255", "2", "124", "125", "130", "134", "137", "141"] {
        let named = help.text().lines().any(|line| line.starts_with(&format!("  {code} ")));
        assert!(named, "{code}");
    }
}

#[test]
fn completions_name_the_options() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = cli(&["completions", shell]).ended(0);
        assert!(ran.text().contains("cpu-time"), "{shell}");
    }
}
