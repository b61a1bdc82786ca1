//! How a child is started: arguments, environment, directory.

use serde_json::json;
use tauri_plugin_wasi_sidecar::SidecarExt;
use wasi_sidecar_guests::component;

use crate::support::{all, app, app_with, lines, wait};

#[test]
fn parity_04_the_builder_has_what_the_shell_plugins_has() {
    let mock = app();
    let output = |command: tauri_plugin_wasi_sidecar::process::Command| {
        let output = wait(command.output()).expect("it runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    for kind in ["guests", "fallbacks"] {
        let command = |name: &str| mock.app.sidecar(format!("{kind}/{name}")).expect("there");
        let args = output(command("args").arg("a b").args(["", "ü"]));
        for arg in ["a b", "ü"] {
            assert!(args.contains(arg), "{args}");
        }
        let env = |command| output(command).lines().map(ToOwned::to_owned).collect::<Vec<_>>();
        let with = env(command("env").env_clear().env("A", "1").envs([("B", "2")]));
        assert!(with.iter().any(|line| line.contains("A=1")), "{with:?}");
        assert!(with.iter().any(|line| line.contains("B=2")), "{with:?}");
        let cleared = env(command("env").env("A", "1").env_clear().env("B", "2"));
        assert!(!cleared.iter().any(|line| line.contains("A=1")), "{cleared:?}");
        let (events, _child) = command("exit")
            .args(["0", "x\ny"])
            .set_raw_out(true)
            .set_process_group(true)
            .spawn()
            .expect("starts");
        assert_eq!(lines(&all(events).0).concat(), "x\ny");
    }
}

#[test]
fn parity_04_the_initial_directory_lies_in_a_grant() {
    let notes = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(notes.path().join("sub")).expect("a folder");
    let dirs = json!([{ "host": notes.path(), "guest": "/notes", "access": "read-write" }]);
    let mock = app_with(json!({
        "cwd": { "component": component("cwd").expect("built"), "grants": { "dirs": dirs } },
    }));
    let run = |dir: &str| mock.app.sidecar("cwd").expect("there").current_dir(dir).output();
    for dir in ["/notes", "/notes/sub"] {
        let output = wait(run(dir)).expect("it runs");
        assert!(output.status.success(), "{output:?}");
    }
    let error = wait(run("/etc")).expect_err("not granted").to_string();
    assert!(error.contains("/etc"), "{error}");
}

#[test]
fn parity_19_a_component_inherits_nothing_and_a_native_fallback_all() {
    let mock = app();
    let env = |name: &str| {
        let output = wait(mock.app.sidecar(name).expect("there").output()).expect("it runs");
        String::from_utf8(output.stdout).expect("text")
    };
    // Cargo sets it for every test.
    assert!(!env("guests/env").contains("CARGO_MANIFEST_DIR"));
    assert!(env("fallbacks/env").contains("CARGO_MANIFEST_DIR"));
    let component = component("env").expect("built");
    let mock = app_with(json!({
        "env": { "component": component, "grants": { "env": ["CARGO_MANIFEST_DIR"] } },
    }));
    let output = wait(mock.app.sidecar("env").expect("there").output()).expect("it runs");
    assert!(String::from_utf8_lossy(&output.stdout).contains("CARGO_MANIFEST_DIR"));
    let cleared =
        wait(mock.app.sidecar("env").expect("there").env_clear().output()).expect("it runs");
    assert!(!String::from_utf8_lossy(&cleared.stdout).contains("CARGO_MANIFEST_DIR"));
}

#[test]
fn a_granted_directory_is_reached_and_nothing_else() {
    let notes = tempfile::tempdir().expect("a folder");
    std::fs::write(notes.path().join("a.txt"), "one two three\n").expect("written");
    let dirs = json!([{ "host": notes.path(), "guest": "/notes" }]);
    let mock = app_with(json!({
        "count": { "component": component("word-count").expect("built"), "grants": { "dirs": dirs } },
        "missing": { "component": component("word-count").expect("built"),
                     "grants": { "dirs": [{ "host": notes.path().join("no"), "guest": "/n" }] } },
    }));
    let run = |arg: &str| {
        wait(mock.app.sidecar("count").expect("there").arg(arg).output()).expect("runs")
    };
    assert!(String::from_utf8_lossy(&run("/notes").stdout).contains(r#""words":3"#));
    assert_eq!(run(&notes.path().to_string_lossy()).status.code(), Some(1));
    let error = mock.app.sidecar("missing").expect_err("no such folder").to_string();
    assert!(error.contains(&*notes.path().join("no").to_string_lossy()), "{error}");
}

/// The shell plugin leaves what Rust has started running when the app ends; a native fallback of ours ends with it.
#[test]
fn parity_21_all_children_end_with_the_app() {
    let mock = app();
    let window = mock.window("main");
    let spawn = |name: &str| mock.app.sidecar(name).expect("there").spawn().expect("it starts");
    let children = [spawn("fallbacks/spin"), spawn("guests/spin")];
    // The event loop runs here, and ends when the last window is gone.
    let code = mock.app.run_return(move |_, event| {
        if let tauri::RunEvent::Ready = event {
            let window = window.clone();
            std::thread::spawn(move || window.destroy());
        }
    });
    assert_eq!(code, 0);
    for (events, _child) in children {
        let (_, end) = all(events);
        assert_eq!((end.code, end.signal), (None, Some(9)));
    }
}
