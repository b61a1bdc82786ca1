//! What a page may set of a child's environment and directory.

use serde_json::{Value, json};
use wasi_sidecar_guests::{component, native};

use crate::support::{Page, app_with};

fn run(page: &Page, program: &str, options: Value) -> Result<String, String> {
    page.execute(program, json!([]), options)
        .map(|done| done["stdout"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn parity_42_a_page_sets_what_the_grants_or_the_scope_allow() {
    let grants = json!({ "env": ["CARGO_MANIFEST_DIR", "LANG"] });
    let mock = app_with(json!({
        "granted/env": { "component": component("env").expect("built"), "grants": grants },
        "twins/env": { "grants": grants, "native": { "program": native("env").expect("built"), "when": "always" } },
    }));
    let page = Page::new(&mock, "main");
    // Left out: what is granted. `null`: nothing. A map: besides what is granted.
    let granted = run(&page, "granted/env", json!({})).expect("it runs");
    assert!(granted.contains("CARGO_MANIFEST_DIR") && !granted.contains("PATH"), "{granted}");
    let cleared = run(&page, "granted/env", json!({ "env": null })).expect("it runs");
    assert!(!cleared.contains("CARGO_MANIFEST_DIR"), "{cleared}");
    let added = json!({ "env": { "LANG": "xx", "FROM_SCOPE": "yes" } });
    let added = run(&page, "granted/env", added).expect("both are allowed");
    for entry in ["CARGO_MANIFEST_DIR", "LANG=xx", "FROM_SCOPE=yes"] {
        assert!(added.contains(entry), "{added}");
    }
    for program in ["granted/env", "twins/env"] {
        let error = run(&page, program, json!({ "env": { "LD_PRELOAD": "x" } }));
        let error = error.expect_err("neither grants nor scope have it");
        assert!(error.contains("`LD_PRELOAD` may not be set from a webview"), "{error}");
    }
    let inherited = run(&page, "twins/env", json!({ "env": { "LANG": "xx" } })).expect("it runs");
    assert!(inherited.contains("PATH=") && inherited.contains("LANG=xx"), "{inherited}");
    let cleared = run(&page, "twins/env", json!({ "env": null })).expect("it runs");
    assert!(!cleared.contains("PATH="), "{cleared}");
}

#[test]
fn parity_42_a_page_names_a_directory_as_the_guest_does() {
    let notes = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(notes.path().join("sub")).expect("a folder");
    let grants = json!({ "dirs": [{ "host": notes.path(), "guest": "/notes" }] });
    let mock = app_with(json!({
        "granted/cwd": { "component": component("cwd").expect("built"), "grants": grants },
        "twins/cwd": { "grants": grants, "native": { "program": native("cwd").expect("built"), "when": "always" } },
    }));
    let page = Page::new(&mock, "main");
    for program in ["granted/cwd", "twins/cwd"] {
        run(&page, program, json!({ "cwd": "/notes/sub" })).expect("it is granted");
        for outside in ["/etc", "/notes/../etc", "notes", ""] {
            let error = run(&page, program, json!({ "cwd": outside })).expect_err(outside);
            assert!(error.contains("lies in none of the sidecar's granted directories"), "{error}");
        }
    }
    let native = run(&page, "twins/cwd", json!({ "cwd": "/notes/sub" })).expect("it runs");
    assert!(native.contains("sub"), "{native}");
}
