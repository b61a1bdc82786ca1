//! Which window may do what: the capability files, and whose a child is.

use serde_json::json;
use tauri_plugin_wasi_sidecar::SidecarExt;
use wasi_sidecar_guests::component;

use crate::support::{Page, app, app_with, joined};

#[test]
fn parity_34_a_child_belongs_to_the_webview_that_started_it() {
    let mock = app();
    let (one, other) = (Page::new(&mock, "main"), Page::new(&mock, "second"));
    let pid = one.spawn("guests/echo", json!([]), json!({})).expect("it starts");
    for (command, message) in [
        ("kill", json!({ "pid": pid })),
        ("close_stdin", json!({ "pid": pid })),
        ("stdin_write", json!({ "pid": pid, "buffer": "x" })),
    ] {
        assert_eq!(other.call(command, message), Err(format!("no such child: {pid}")), "{command}");
    }
    assert_eq!(other.call("list", json!({})), Ok(json!([])));
    let list = one.call("list", json!({})).expect("a list");
    assert_eq!((&list[0]["pid"], &list[0]["program"]), (&json!(pid), &json!("guests/echo")));
    assert!(list[0]["memory"].is_u64() && list[0]["cpuTime"].is_f64(), "{list}");
    one.call("close_stdin", json!({ "pid": pid })).expect("it is its own");
    assert_eq!(mock.events(&one, pid).len(), 1);
}

#[test]
fn parity_34_the_configuration_can_share_children() {
    let echo = component("echo").expect("built");
    let mock = app_with(json!({ "shared/echo": { "component": echo, "shared": true } }));
    let (one, other) = (Page::new(&mock, "main"), Page::new(&mock, "second"));
    let pid = one.spawn("shared/echo", json!([]), json!({})).expect("it starts");
    other.write(pid, "from the other\n").expect("it is shared");
    other.call("close_stdin", json!({ "pid": pid })).expect("it is shared");
    assert_eq!(joined(&mock.events(&one, pid), "Stdout"), "from the other\n");
}

#[test]
fn parity_43_the_default_permission_starts_nothing() {
    let mock = app();
    let page = Page::new(&mock, "guest");
    let error = page.spawn("guests/args", json!([]), json!({})).expect_err("it has no permission");
    assert!(error.contains("wasi-sidecar.spawn not allowed"), "{error}");
    let unknown = Page::new(&mock, "unknown");
    for command in ["spawn", "execute", "stdin_write", "kill", "close_stdin", "list", "ack"] {
        for page in [&page, &unknown] {
            let error = page.call(command, json!({})).expect_err(command);
            assert!(error.contains(&format!("wasi-sidecar.{command} not allowed")), "{error}");
        }
    }
}

#[test]
fn parity_43_a_scope_decides_what_is_started_and_with_what() {
    let [args, echo] = ["args", "echo"].map(|name| component(name).expect("built"));
    let mock = app_with(json!({
        "guests/args": { "component": &args }, "guests/echo": { "component": echo },
    }));
    let page = Page::new(&mock, "strict");
    let call = |program: &str, args: &[&str]| page.spawn(program, json!(args), json!({}));
    // Its scope has the short name; both mean the same.
    for name in ["args", "guests/args"] {
        let pid = call(name, &["--in", "abc"]).expect("allowed");
        mock.events(&page, pid);
    }
    let rows: [(&str, &[&str], &str); 6] = [
        (
            "guests/args",
            &["--in", "ABC"],
            "position 1 was found, but failed regex validation ^[a-z]+$: given `ABC`",
        ),
        ("guests/args", &[], "position 0 must match"),
        ("guests/args", &["--in", "secret"], "denied by a `deny` entry"),
        ("guests/echo", &[], "Scoped command guests/echo not found"),
        ("../../bin/sh", &[], "sidecar not configured under"),
        ("guests/Args", &[], "sidecar not configured under"),
    ];
    for (program, args, expected) in rows {
        let error = call(program, args).expect_err(program);
        assert!(error.contains(expected), "{error}");
    }
    // The scope is on `allow-run`, which does not have it.
    let error =
        page.execute("guests/args", json!(["--in", "abc"]), json!({})).expect_err("not allowed");
    assert!(error.contains("wasi-sidecar.execute not allowed"), "{error}");
    // What is denied by a name stays denied when another sidecar comes to have the same last part.
    mock.app
        .sidecars()
        .register("other/args", std::fs::read(args).expect("readable"))
        .expect("runs");
    let error = call("guests/args", &["--in", "secret"]).expect_err("denied");
    assert!(error.contains("denied by a `deny` entry"), "{error}");
    let error = call("other/args", &["--in", "abc"]).expect_err("not the one that is meant");
    assert!(error.contains("Scoped command other/args not found"), "{error}");
    // Not a sidecar.
    let message = json!({ "program": "args", "args": ["--in", "abc"], "options": {}, "onEvent": "__CHANNEL__:1" });
    let error = page.call("spawn", message).expect_err("only sidecars");
    assert!(
        error.starts_with("program not allowed on the configured shell scope: args"),
        "{error}"
    );
}
