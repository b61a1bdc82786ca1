//! `run`: what passes through, and what is told.

use std::{
    io::{Read as _, Write as _},
    thread,
};

use crate::support::{args, cli, collect, component, finish, module, program};

#[test]
fn exit_codes_pass_through() {
    for code in [0, 1, 42, 255] {
        for file in [component("exit"), module("exit")] {
            let ran = cli(args!["run", file, "--", code.to_string(), "out", "err"]).ended(code);
            assert_eq!((ran.text(), ran.stderr.as_str()), ("out", "err"), "{}", file.display());
        }
    }
}

#[test]
fn arguments_after_the_dashes_are_the_guests() {
    let ran = cli(args!["run", component("args"), "--", "a", "--", "--dir", "", "c d"]).ended(0);
    assert_eq!(ran.text(), "a\n--\n--dir\n\nc d\n");
    assert_eq!(cli(args!["run", component("args")]).ended(0).text(), "");
}

#[test]
fn the_environment_is_empty_but_for_what_is_granted() {
    let mut nothing = program(args!["run", component("env")]);
    nothing.env("SECRET", "s3cret");
    assert_eq!(finish(nothing, b"").ended(0).text(), "");

    let mut some = program(args![
        "run",
        "--env",
        "PASSED",
        "--env",
        "SET=a=b",
        "--env",
        "EMPTY=",
        "--env",
        "MISSING",
        component("env")
    ]);
    some.env("SECRET", "s3cret").env("PASSED", "on").env_remove("MISSING");
    assert_eq!(finish(some, b"").ended(0).text(), "EMPTY=\nPASSED=on\nSET=a=b\n");
}

#[test]
fn a_megabyte_passes_through_unchanged() {
    // Every byte value, no short period, and a length that is no multiple of anything.
    let input: Vec<u8> =
        (0..1_000_003_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for file in [component("echo"), module("echo")] {
        let ran = finish(program(args!["run", file]), &input).ended(0);
        assert!(ran.stdout == input, "{} bytes came back", ran.stdout.len());
    }
}

#[test]
fn nothing_is_lost_on_two_streams() {
    let ran = cli(args!["run", component("flood"), "--", "both", "300000"]).ended(0);
    assert_eq!((ran.stdout.len(), ran.stderr.len()), (300_000, 300_000));
}

#[test]
fn streams_are_live() {
    let mut child = program(args!["run", component("echo")]).spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.as_mut().unwrap());
    for line in ["one\n", "two\n"] {
        stdin.write_all(line.as_bytes()).unwrap();
        let mut answer = [0; 4];
        stdout.read_exact(&mut answer).unwrap();
        assert_eq!(answer, line.as_bytes());
    }
    drop(stdin);
    collect(child).ended(0);
}

#[test]
fn input_that_stays_open_does_not_hold_up_the_end() {
    let mut child = program(args!["run", component("exit"), "--", "7"]).spawn().unwrap();
    let stdin = child.stdin.take();
    collect(child).ended(7);
    drop(stdin);
}

#[test]
fn a_reader_that_leaves_ends_the_guest_quietly() {
    for stream in ["stdout", "stderr"] {
        let mut child = program(args!["run", component("flood"), "--", stream]).spawn().unwrap();
        let mut start = [0; 26];
        match stream {
            "stdout" => child.stdout.take().unwrap().read_exact(&mut start).unwrap(),
            _ => child.stderr.take().unwrap().read_exact(&mut start).unwrap(),
        }
        assert_eq!(&start, b"abcdefghijklmnopqrstuvwxyz");
        let ran = collect(child).ended(141);
        assert_eq!((ran.text(), ran.stderr.as_str()), ("", ""));
    }
}

#[test]
fn statistics_are_one_line_of_json() {
    let ran = finish(program(args!["run", "--stats=json", component("echo")]), b"12345").ended(0);
    assert_eq!(ran.stdout, b"12345");
    let stats: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(ran.stderr.lines().count(), 1);
    let exact = serde_json::json!({
        "backend": "component", "kind": "command-component", "stdin_bytes": 5,
        "stdout_bytes": 5, "stderr_bytes": 0, "end": "exited", "exit_code": 0,
    });
    for (name, value) in exact.as_object().unwrap() {
        assert_eq!(&stats[name], value, "{name}");
    }
    assert!(["cache", "compiled"].contains(&stats["code"].as_str().unwrap()), "{stats}");
    for name in ["ready_seconds", "first_byte_seconds", "run_seconds", "cpu_seconds"] {
        assert!(stats[name].as_f64().unwrap() > 0.0, "{name}");
    }
    assert!(stats["memory_peak_bytes"].as_u64().unwrap() >= 65536);
}

#[test]
fn statistics_come_after_the_guests_own_words() {
    let ran = cli(args!["run", "--stats", module("exit"), "--", "3", "out", "err"]).ended(3);
    assert_eq!(ran.text(), "out");
    assert!(ran.stderr.starts_with("errstatistics\n"), "{}", ran.stderr);
    let ran = ran.said("backend      component, command module\n");
    ran.said("stdout       3 B\n").said("exit code    3\n");
}

#[test]
fn the_second_run_takes_code_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let run = |extra: &[&str]| {
        let mut command = program(extra);
        command.arg("-v").arg("run").arg(component("exit")).args(["--", "0"]);
        command.env("XDG_CACHE_HOME", folder.path().join("cache"));
        command.env("XDG_DATA_HOME", folder.path().join("data"));
        finish(command, b"").ended(0)
    };
    // Elsewhere the user's own directories are used, which are shared with other tests.
    let linux = cfg!(target_os = "linux");
    let first = run(&[]).stderr;
    assert!(!linux || first.contains("compiled"), "{first}");
    let second = run(&[]).said("code cache hit").stderr;
    assert!(!second.contains("compiled"), "{second}");
    if linux {
        assert!(folder.path().join("cache/wasi-sidecar/code").is_dir());
        assert!(folder.path().join("data/wasi-sidecar/keys").is_dir());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_cache_it_runs_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let mut command = program(args!["run", component("exit"), "--", "5"]);
    command.env("XDG_CACHE_HOME", &file);
    let ran = finish(command, b"").ended(5).said("warning: no code cache");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);

    let mut command = program(args!["run", "--no-cache", component("exit"), "--", "5"]);
    command.env("XDG_CACHE_HOME", &file);
    assert_eq!(finish(command, b"").ended(5).stderr, "");
}

#[test]
fn two_runs_at_once_share_the_cache() {
    let runs = [0, 1, 2, 3].map(|code| {
        thread::spawn(move || cli(args!["run", module("exit"), "--", code.to_string()]).code)
    });
    assert_eq!(runs.map(|run| run.join().unwrap()), [0, 1, 2, 3]);
}
