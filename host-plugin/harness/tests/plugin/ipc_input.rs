//! A child's input, from a page.

use std::sync::mpsc;

use serde_json::json;
use tauri::ipc::InvokeBody;

use crate::support::{NEVER, Page, app, joined};

#[test]
fn parity_30_a_write_waits_and_nothing_else_does() {
    let mock = app();
    let page = Page::new(&mock, "main");
    // It never reads.
    let pid = page.spawn("guests/spin", json!([]), json!({})).expect("it starts");
    let (sender, written) = mpsc::channel();
    std::thread::scope(|scope| {
        let page = &page;
        scope.spawn(move || {
            let _ = sender.send(page.write(pid, &"x".repeat(300_000)));
        });
        // Answered while the write waits: everything else goes its way.
        let done = page.execute("guests/args", json!([]), json!({})).expect("it runs");
        assert_eq!(done["code"], 0);
        assert!(written.try_recv().is_err(), "64 KiB are all that is taken");
        page.call("kill", json!({ "pid": pid })).expect("killed");
        let error =
            written.recv_timeout(NEVER).expect("the write ends").expect_err("it was not taken");
        assert_eq!(error, "Broken pipe");
    });
}

#[test]
fn parity_30_bytes_travel_as_the_body_of_the_request() {
    let mock = app();
    let page = Page::new(&mock, "main");
    let pid =
        page.spawn("guests/echo", json!([]), json!({ "encoding": "latin1" })).expect("starts");
    let header = pid.to_string();
    let header = [("wasi-sidecar-pid", header.as_str())];
    let bytes: Vec<u8> = (0..=255).collect();
    page.answer("stdin_write", InvokeBody::Raw(bytes.clone()), &header).expect("written");
    // Where a body cannot be bytes, Tauri makes it a list.
    page.answer("stdin_write", InvokeBody::Json(json!(bytes)), &header).expect("written");
    page.call("close_stdin", json!({ "pid": pid })).expect("closed");
    let text = joined(&mock.events(&page, pid), "Stdout");
    assert_eq!(text.chars().count(), 512);

    for (body, header, expected) in [
        (InvokeBody::Raw(vec![1]), vec![], "header `Wasi-Sidecar-Pid` is missing"),
        (InvokeBody::Raw(vec![1]), vec![("wasi-sidecar-pid", "x")], "is no child's pid"),
        (InvokeBody::Json(json!({ "pid": pid })), vec![], "missing field `buffer`"),
        (InvokeBody::Json(json!({ "pid": pid, "buffer": [300] })), vec![], "numbers from 0 to 255"),
        (InvokeBody::Json(json!({ "pid": -1, "buffer": "" })), vec![], "invalid value"),
    ] {
        let error = page.answer("stdin_write", body, &header).expect_err(expected);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn parity_31_an_unknown_child_is_an_error_and_killing_one_that_ended_is_none() {
    let mock = app();
    let page = Page::new(&mock, "main");
    for (command, message) in [
        ("kill", json!({ "pid": 4_000_000_000_u32 })),
        ("close_stdin", json!({ "pid": 1 })),
        ("stdin_write", json!({ "pid": 1, "buffer": "x" })),
    ] {
        let error = page.call(command, message).expect_err(command);
        assert!(error.starts_with("no such child: "), "{error}");
    }
    let pid = page.spawn("guests/args", json!([]), json!({})).expect("it starts");
    mock.events(&page, pid);
    // Its pipe is broken at once, and a moment after its last message it is forgotten.
    let error = page.write(pid, "x").expect_err("it has ended");
    assert!(error == "Broken pipe" || error == format!("no such child: {pid}"), "{error}");
    assert_eq!(page.call("kill", json!({ "pid": pid })), Ok(json!(null)));
}
