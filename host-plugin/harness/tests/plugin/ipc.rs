//! What a page sends and gets, byte for byte where it matters.

use serde_json::json;
use tauri::ipc::{InvokeBody, InvokeResponseBody};

use crate::support::{NEVER, Page, app, app_with, joined};

#[test]
fn parity_23_commands_and_arguments_have_the_shell_plugins_names() {
    let mock = app();
    let page = Page::new(&mock, "main");
    // As `@tauri-apps/plugin-shell` calls it, but for the plugin's name: no option of ours.
    let message = json!({
        "program": "guests/echo", "args": [], "options": { "sidecar": true }, "onEvent": "__CHANNEL__:3",
    });
    let pid = page.call("spawn", message).expect("it starts");
    let pid = u32::try_from(pid.as_u64().expect("the reply is the pid")).expect("it fits");
    page.call("stdin_write", json!({ "pid": pid, "buffer": "one\n" })).expect("written");
    page.call("stdin_write", json!({ "pid": pid, "buffer": [116, 119, 111] })).expect("written");
    page.call("close_stdin", json!({ "pid": pid })).expect("closed");
    assert_eq!(
        mock.events(&page, pid),
        [
            json!({ "event": "Stdout", "payload": "one\n" }),
            json!({ "event": "Stdout", "payload": "two" }),
            json!({ "event": "Terminated", "payload": { "code": 0, "signal": null, "reason": null } }),
        ]
    );
    // The package sends this `cmd` along.
    let pid = page.spawn("guests/echo", json!(null), json!({})).expect("it starts");
    assert_eq!(page.call("kill", json!({ "cmd": "killChild", "pid": pid })), Ok(json!(null)));
    let list = page.call("list", json!({})).expect("a list");
    assert_eq!(list, json!([]));
}

#[test]
fn parity_26_text_has_the_shell_plugins_events_and_raw_is_binary() {
    let mock = app();
    let page = Page::new(&mock, "main");
    let pid = page.spawn("guests/exit", json!(["0", "a\nb", "c"]), json!({})).expect("starts");
    let events = mock.events(&page, pid);
    assert_eq!((joined(&events, "Stdout"), joined(&events, "Stderr")), ("a\nb".into(), "c".into()));

    page.spawn("guests/exit", json!(["0", "ab"]), json!({ "encoding": "raw" })).expect("starts");
    let (channel, body) = mock.messages.recv_timeout(NEVER).expect("output");
    assert_eq!(channel, 7);
    assert!(matches!(&body, InvokeResponseBody::Raw(bytes) if bytes == b"\x01ab"), "{body:?}");
    let (_, body) = mock.messages.recv_timeout(NEVER).expect("the end");
    assert!(
        matches!(&body, InvokeResponseBody::Json(json) if json.contains("Terminated")),
        "{body:?}"
    );
}

#[test]
fn parity_27_a_line_that_is_no_text_becomes_an_error_and_the_stream_goes_on() {
    let mock = app();
    let page = Page::new(&mock, "main");
    for (options, expected) in [
        (
            json!({}),
            vec![
                ("Stdout", "a\n"),
                ("Error", "invalid utf-8 sequence of 1 bytes from index 0"),
                ("Stdout", "b"),
            ],
        ),
        (
            json!({ "encoding": "latin1" }),
            vec![("Stdout", "a\n"), ("Stdout", "ÿ\n"), ("Stdout", "b")],
        ),
        (
            json!({ "encoding": "utf-8" }),
            vec![("Stdout", "a\n"), ("Stdout", "\u{fffd}\n"), ("Stdout", "b")],
        ),
    ] {
        let pid = page.spawn("guests/echo", json!([]), options).expect("it starts");
        page.call("stdin_write", json!({ "pid": pid, "buffer": [97, 10, 255, 10, 98] }))
            .expect("written");
        page.call("close_stdin", json!({ "pid": pid })).expect("closed");
        let mut events = mock.events(&page, pid);
        events.pop();
        let found: Vec<_> = events
            .iter()
            .map(|event| {
                (event["event"].as_str().unwrap_or(""), event["payload"].as_str().unwrap_or(""))
            })
            .collect();
        assert_eq!(found, expected);
    }
    let error = page.spawn("guests/echo", json!([]), json!({ "encoding": "utf-99" }));
    assert_eq!(error, Err("unknown encoding utf-99".to_owned()));
}

#[test]
fn parity_28_execute_collects_and_its_input_is_at_an_end() {
    let mock = app();
    let page = Page::new(&mock, "main");
    for kind in ["guests", "fallbacks"] {
        let done = page.execute(&format!("{kind}/exit"), json!(["5", "out\n", "err"]), json!({}));
        let expected = json!({ "code": 5, "signal": null, "reason": null, "stdout": "out\n", "stderr": "err" });
        assert_eq!(done, Ok(expected));
        let done = page.execute(&format!("{kind}/echo"), json!([]), json!({})).expect("it ends");
        assert_eq!(done["code"], 0);
    }
    // Without our option raw output is a list of numbers, as the shell plugin has it.
    let raw = page.execute("guests/exit", json!(["0", "ab"]), json!({ "encoding": "raw" }));
    assert_eq!(raw.expect("it runs")["stdout"], json!([97, 98]));
    let message = json!({ "program": "guests/exit", "args": ["0", "ab", "c"],
                          "options": { "sidecar": true, "encoding": "raw", "batch": true } });
    let body = page.answer("execute", InvokeBody::Json(message), &[]).expect("it runs");
    let InvokeResponseBody::Raw(bytes) = body else { panic!("{body:?}") };
    let length = u32::from_le_bytes(bytes[..4].try_into().expect("four bytes")) as usize;
    let head: serde_json::Value = serde_json::from_slice(&bytes[4..4 + length]).expect("JSON");
    assert_eq!(head, json!({ "code": 0, "signal": null, "reason": null, "stdout": 2 }));
    assert_eq!(&bytes[4 + length..], b"abc");
    let trapped = page.execute("guests/trap", json!([]), json!({})).expect("it runs");
    assert_eq!((&trapped["signal"], &trapped["reason"]), (&json!(6), &json!("trapped")));
}

#[test]
fn parity_28_execute_rejects_output_that_is_no_text() {
    let wasm = wat::parse_str(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\08\00\00\00\02\00\00\00a\ff")
            (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#,
    );
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bytes.wasm");
    std::fs::write(&path, wasm.expect("it is WebAssembly")).expect("written");
    let mock = app_with(json!({ "guests/args": { "component": path } }));
    let page = Page::new(&mock, "main");
    let error = page.execute("guests/args", json!([]), json!({})).expect_err("no text");
    assert_eq!(error, "invalid utf-8 sequence of 1 bytes from index 1");
    let done = page.execute("guests/args", json!([]), json!({ "encoding": "utf-8" }));
    assert_eq!(done.expect("it is decoded")["stdout"], "a\u{fffd}");
}

#[test]
fn parity_29_spawn_answers_before_there_are_events_and_says_what_runs() {
    let mock = app();
    let page = Page::new(&mock, "main");
    for (kind, backend) in [("guests", "component"), ("fallbacks", "native")] {
        // It says nothing until it is written to.
        let message = json!({ "program": format!("{kind}/echo"), "args": null,
            "options": { "sidecar": true, "batch": true }, "onEvent": "__CHANNEL__:1" });
        let reply = page.call("spawn", message).expect("it starts");
        assert_eq!(reply["backend"], backend);
        assert!(mock.messages.try_recv().is_err());
        page.call("kill", json!({ "pid": reply["pid"] })).expect("killed");
        let pid = reply["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("a pid");
        assert_eq!(mock.events(&page, pid).len(), 1, "{kind}");
    }
}

#[test]
fn output_of_both_streams_and_of_many_lines_arrives_complete_and_in_order() {
    let mock = app();
    let page = Page::new(&mock, "main");
    let pid = page.spawn("guests/lines", json!(["50000", "20"]), json!({})).expect("it starts");
    let text = joined(&mock.events(&page, pid), "Stdout");
    let numbers = text.lines().map(|line| line.split(' ').nth(1).and_then(|n| n.parse().ok()));
    assert!(numbers.eq((1..=50_000).map(Some)), "{}", &text[..200]);
    let pid = page.spawn("guests/interleave", json!(["100"]), json!({})).expect("it starts");
    let events = mock.events(&page, pid);
    let count = |stream: &str| events.iter().filter(|event| event["event"] == stream).count();
    assert_eq!((count("Stdout"), count("Stderr")), (100, 100));
}
