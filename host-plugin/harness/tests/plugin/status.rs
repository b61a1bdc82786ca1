//! How far a sidecar's code is: asked for by a page and by the app, and told by an event.

use std::sync::mpsc;

use serde_json::{Value, json};
use tauri::Listener;
use tauri_plugin_wasi_sidecar::{SidecarExt, wasi_sidecar::Status};

use crate::support::{NEVER, Page, app, app_with};

#[test]
fn a_page_asks_how_far_a_sidecar_is_and_is_told_of_every_change() {
    let mock = app();
    let page = Page::new(&mock, "main");
    let (sender, events) = mpsc::channel();
    mock.app.listen_any("wasi-sidecar://status", move |event| {
        let _ = sender.send(serde_json::from_str::<Value>(event.payload()).expect("JSON"));
    });
    let status = |name: &str| page.call("status", json!({ "program": name }));
    let asked = json!({ "name": "guests/upper", "status": "not-asked" });
    assert_eq!(status("guests/upper"), Ok(asked));
    assert!(matches!(mock.app.sidecars().status("guests/upper"), Ok(Status::NotAsked)));

    page.execute("guests/upper", json!([]), json!({})).expect("it runs");
    let ready = json!({ "name": "guests/upper", "status": "ready", "origin": "compiled" });
    assert_eq!(status("guests/upper"), Ok(ready.clone()));
    assert!(matches!(mock.app.sidecars().status("guests/upper"), Ok(Status::Ready(_))));
    let mut seen = Vec::new();
    while seen.last() != Some(&ready) {
        seen.push(events.recv_timeout(NEVER).expect("the last one says that it is ready"));
    }
    for event in &seen {
        assert_eq!(event["name"], "guests/upper");
        assert!(["queued", "compiling", "ready"].contains(&event["status"].as_str().unwrap_or("")));
        assert_eq!(event["elapsed"].is_u64(), event["status"] == "compiling", "{event}");
    }

    assert_eq!(status("fallbacks/echo").expect("it is there")["status"], "native");
    let error = status("nothing").expect_err("there is none");
    assert!(error.contains("not configured"), "{error}");
}

#[test]
fn a_sidecar_that_cannot_be_compiled_says_why() {
    let mock = app_with(json!({ "guests/echo": { "component": null } }));
    let page = Page::new(&mock, "main");
    let status = || page.call("status", json!({ "program": "guests/echo" }));
    assert_eq!(status().expect("it is configured")["status"], "not-asked");
    // What it needs of the engine is looked at when it is compiled.
    let collected = r#"(module (type (struct (field i32))) (memory (export "memory") 1) (func (export "_start")))"#;
    let wasm = wat::parse_str(collected).expect("it is WAT");
    mock.app.sidecars().register("guests/echo", wasm).expect("it looks like one");
    page.execute("guests/echo", json!([]), json!({})).expect_err("it does not compile");
    let told = status().expect("it is configured");
    assert_eq!(told["status"], "failed");
    assert!(
        told["error"].as_str().is_some_and(|text| text.contains("garbage collection")),
        "{told}"
    );
}
