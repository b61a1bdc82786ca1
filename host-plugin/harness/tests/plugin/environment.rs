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
        "fallbacks/env": { "grants": grants, "native": { "program": native("env").expect("built"), "when": "always" } },
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
    for program in ["granted/env", "fallbacks/env"] {
        let error = run(&page, program, json!({ "env": { "LD_PRELOAD": "x" } }));
        let error = error.expect_err("neither grants nor scope have it");
        assert!(error.contains("`LD_PRELOAD` may not be set from a webview"), "{error}");
        assert!(error.contains(&format!("`sidecars.{program}.grants.env`")), "{error}");
    }
    let inherited =
        run(&page, "fallbacks/env", json!({ "env": { "LANG": "xx" } })).expect("it runs");
    assert!(inherited.contains("PATH=") && inherited.contains("LANG=xx"), "{inherited}");
    let cleared = run(&page, "fallbacks/env", json!({ "env": null })).expect("it runs");
    assert!(!cleared.contains("PATH="), "{cleared}");
}

#[test]
fn parity_42_a_page_names_a_directory_as_the_guest_does() {
    let notes = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(notes.path().join("sub")).expect("a folder");
    let grants = json!({ "dirs": [{ "host": notes.path(), "guest": "/notes" }] });
    let mock = app_with(json!({
        "granted/cwd": { "component": component("cwd").expect("built"), "grants": grants },
        "fallbacks/cwd": { "grants": grants, "native": { "program": native("cwd").expect("built"), "when": "always" } },
    }));
    let page = Page::new(&mock, "main");
    for program in ["granted/cwd", "fallbacks/cwd"] {
        run(&page, program, json!({ "cwd": "/notes/sub" })).expect("it is granted");
        for outside in ["/etc", "/notes/../etc", "notes", ""] {
            let error = run(&page, program, json!({ "cwd": outside })).expect_err(outside);
            assert!(error.contains("lies in none of the granted directories"), "{error}");
            assert!(error.contains(&format!("`sidecars.{program}.grants.dirs`")), "{error}");
        }
    }
    let native = run(&page, "fallbacks/cwd", json!({ "cwd": "/notes/sub" })).expect("it runs");
    assert!(native.contains("sub"), "{native}");
}

#[cfg(unix)]
#[test]
fn a_dangerous_directory_is_granted_only_where_it_is_said_to_be_meant() {
    let probe = component("fs-probe").expect("built");
    let listed = |dir: Value| {
        let grants = json!({ "dirs": [dir] });
        let mock = app_with(json!({ "guests/fs-probe": { "component": probe, "grants": grants } }));
        let page = Page::new(&mock, "main");
        let done = page.execute("guests/fs-probe", json!(["list", "/data"]), json!({}))?;
        Ok::<_, String>(done["stdout"].as_str().unwrap_or_default().to_owned())
    };
    let dir = |host: &str| json!({ "host": host, "guest": "/data" });
    let meant = |host: &str, dangerous: bool| json!({ "host": host, "guest": "/data", "dangerous": dangerous });
    for host in ["/dev", "/"] {
        for dir in [dir(host), meant(host, false)] {
            let error = listed(dir).expect_err("it is not said to be meant");
            let parts = [
                "`guests/fs-probe` is not started",
                &format!("`{host}`"),
                r#"`"dangerous": true` beside `host` in `grants.dirs`"#,
                "`sidecars.guests/fs-probe.grants`",
            ];
            for part in parts {
                assert!(error.contains(part), "`{part}` is not in: {error}");
            }
        }
    }
    let found = listed(meant("/dev", true)).expect("it is meant");
    assert!(found.contains(r#""ok":true"#) && found.contains("null"), "{found}");
    // What holds the artifact stays refused, meant or not: a guest that can write there has left the sandbox.
    let mut written = meant("/", true);
    written["access"] = json!("read-write");
    let error = listed(written).expect_err("the artifact lies in it");
    assert!(error.contains("has left the sandbox"), "{error}");
    // Beside an ordinary directory it says nothing.
    let ordinary = tempfile::tempdir().expect("a folder");
    std::fs::write(ordinary.path().join("here"), "").expect("a file");
    let path = ordinary.path().to_str().expect("it is text");
    for dir in [dir(path), meant(path, true)] {
        assert!(listed(dir).expect("it is granted").contains("here"));
    }
}
