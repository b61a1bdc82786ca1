//! Output that a page does not keep up with.

use std::time::Duration;

use serde_json::json;
use tauri::ipc::InvokeResponseBody;

use tauri_plugin_wasi_sidecar::SidecarExt as _;
use wasi_sidecar_guests::{component, native};

use crate::support::{NEVER, Page, all, app, app_with, lines};

/// What was sent until nothing more came.
fn sent(mock: &crate::support::Mock) -> usize {
    let mut bytes = 0;
    let mut patience = NEVER;
    // Not a proof by waiting: what would come too much comes within a millisecond, and then the sum is wrong.
    while let Ok((_, body)) = mock.messages.recv_timeout(patience) {
        patience = Duration::from_millis(500);
        bytes += match body {
            InvokeResponseBody::Raw(bytes) => bytes.len() - 1,
            InvokeResponseBody::Json(json) => json.len(),
        };
    }
    bytes
}

#[test]
fn parity_32_a_page_that_does_not_acknowledge_holds_the_child_back() {
    let mock = app();
    let page = Page::new(&mock, "main");
    for kind in ["guests", "fallbacks"] {
        let options = json!({ "encoding": "raw" });
        let pid = page.spawn(&format!("{kind}/flood"), json!([]), options).expect("it starts");
        let held = sent(&mock);
        assert!((640 << 10..=1 << 20).contains(&held), "{held} bytes");
        page.call("ack", json!({ "pid": pid, "bytes": 256 << 10 })).expect("taken");
        let more = sent(&mock);
        assert!((1..=600 << 10).contains(&more), "{more} bytes");
        // More than was sent is as good as all of it, and no more.
        page.call("ack", json!({ "pid": pid, "bytes": usize::MAX })).expect("taken");
        let again = sent(&mock);
        assert!((640 << 10..=1 << 20).contains(&again), "{again} bytes");
        page.call("kill", json!({ "pid": pid })).expect("killed");
        page.call("ack", json!({ "pid": pid, "bytes": usize::MAX })).expect("taken");
        let end = std::iter::from_fn(|| mock.messages.recv_timeout(NEVER).ok())
            .find(|(_, body)| matches!(body, InvokeResponseBody::Json(_)));
        assert!(format!("{end:?}").contains("Terminated"), "{end:?}");
    }
}

#[test]
fn parity_08_a_page_can_ask_for_unfinished_lines() {
    let mock = app();
    let page = Page::new(&mock, "main");
    for encoding in [json!(null), json!("latin1")] {
        let options = json!({ "flushPartialLines": 5, "encoding": encoding });
        let pid = page.spawn("guests/echo", json!([]), options).expect("it starts");
        page.write(pid, "name? ").expect("written");
        let (_, body) = mock.messages.recv_timeout(NEVER).expect("it comes unfinished");
        assert!(format!("{body:?}").contains("name? "), "{body:?}");
        page.call("kill", json!({ "pid": pid })).expect("killed");
        while mock
            .messages
            .recv_timeout(NEVER)
            .is_ok_and(|(_, b)| !format!("{b:?}").contains("Terminated"))
        {}
    }
}

#[test]
fn a_line_over_its_limit_comes_in_pieces_and_one_under_it_whole() {
    let (component, native) = (component("lines").expect("built"), native("lines").expect("built"));
    let mock = app_with(json!({
        "guests/lines": { "component": component, "limits": { "line": "2 KiB" } },
        "fallbacks/lines": { "native": { "program": native, "when": "always" }, "limits": { "line": "2 KiB" } },
    }));
    let page = Page::new(&mock, "main");
    for name in ["guests/lines", "fallbacks/lines"] {
        for (width, pieces) in [(2048, vec![2048]), (2049, vec![2048, 1])] {
            let command = mock.app.sidecar(name).expect("it is configured");
            let width = width.to_string();
            let (events, _child) = command.args(["1", &width]).spawn().expect("it starts");
            let found: Vec<_> = lines(&all(events).0).iter().map(String::len).collect();
            assert_eq!(found, pieces, "{name} {width} in Rust");
            for encoding in [json!(null), json!("latin1")] {
                let options = json!({ "encoding": encoding });
                let pid = page.spawn(name, json!(["1", width]), options).expect("it starts");
                let events = mock.events(&page, pid);
                let out = events.iter().filter(|event| event["event"] == "Stdout");
                let found: Vec<_> =
                    out.filter_map(|event| event["payload"].as_str()).map(str::len).collect();
                assert_eq!(found, pieces, "{name} {width} in a page with {encoding}");
            }
        }
    }
}
