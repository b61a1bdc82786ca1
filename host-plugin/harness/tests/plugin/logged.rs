//! What the log is told: of pages each refusal with the page, the sidecar and the rule, and nothing that a page has sent; of
//! sidecars that cannot be started which and why, and nothing of the artifact.

use std::sync::{Mutex, PoisonError};

use serde_json::json;
use tauri_plugin_wasi_sidecar::SidecarExt as _;
use tracing_subscriber::fmt::MakeWriter as _;
use wasi_sidecar_guests::component;

use crate::support::{Page, try_app};

/// In everything that a page sends, and in a name that steers a terminal.
const DATA: &str = "data-of-a-page";
const STEERS: &str = "\u{1b}[2J\u{202e}\n";

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

#[test]
fn the_log_names_page_sidecar_and_rule_and_holds_nothing_of_a_page() {
    let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    log.without_time().with_writer(|| LOG.make_writer()).init();
    let folder = tempfile::tempdir().expect("a folder");
    let [broken, bare, large] =
        ["broken", "bare", "large"].map(|name| folder.path().join(name).with_extension("wasm"));
    std::fs::write(&broken, format!("{DATA}{STEERS}")).expect("written");
    std::fs::write(&bare, b"\0asm\x01\0\0\0").expect("written");
    std::fs::File::create(&large).and_then(|file| file.set_len(129 << 20)).expect("written");
    let config = json!({
        "codeCache": false, "webviews": { "maxChildren": 1 },
        "sidecars": {
            "guests/args": { "component": component("args").expect("built") },
            "guests/echo": { "component": component("echo").expect("built") },
            "granted/env": {
                "component": component("env").expect("built"),
                "grants": { "dirs": [{ "host": "/nowhere/at-all", "guest": "/data" }] },
            },
            "loaded/broken": { "component": broken },
            "loaded/bare": { "component": bare },
            "loaded/large": { "component": large },
            "loaded/other": { "component": component("env").expect("built"), "sha256": "0".repeat(64) },
        },
    });
    let mock = try_app(config).unwrap_or_else(|error| panic!("{error}"));
    let (page, strict) = (Page::new(&mock, "main"), Page::new(&mock, "strict"));
    let data = format!("{DATA}{STEERS}");

    // It takes the size of a block, and would end at anything else as soon as it is compiled.
    let pid = page.spawn("guests/echo", json!(["16384"]), json!({})).expect("it starts");
    page.write(pid, &data).expect("written");
    // Each by its rule, and the sidecar that it is about, if there is one.
    let refused = [
        (
            "guests/args",
            "webviews.maxChildren",
            page.execute("guests/args", json!([data]), json!({})),
        ),
        (
            "guests/args",
            "permissions",
            strict.spawn("guests/args", json!([data]), json!({})).map(|pid| json!(pid)),
        ),
        ("", "sidecars", page.execute(&data, json!([]), json!({}))),
        (
            "",
            "only sidecars are started",
            page.execute(&data, json!([]), json!({ "sidecar": false })),
        ),
        (
            "",
            "the form of a message",
            page.execute("guests/args", json!([]), json!({ "encoding": data })),
        ),
        ("guests/echo", "webviews.maxInput", page.write(pid, &DATA.repeat(2 << 20))),
        (
            "",
            "whose child it is",
            strict.call("stdin_write", json!({ "pid": pid, "buffer": data })),
        ),
        ("", "whose child it is", strict.call("kill", json!({ "pid": pid }))),
        ("", "whose child it is", strict.call("close_stdin", json!({ "pid": pid }))),
    ];
    page.call("kill", json!({ "pid": pid })).expect("it is its own");
    mock.events(&page, pid);
    let with = |options| page.execute("guests/args", json!([data]), options);
    let more = [
        ("guests/args", "grants.env", with(json!({ "env": { data.as_str(): "x" } }))),
        ("guests/args", "grants.dirs", with(json!({ "cwd": data }))),
        ("granted/env", "grants", page.execute("granted/env", json!([data]), json!({}))),
    ];

    // What the app itself asks for is refused by no call of a page.
    let loaded = [
        ("granted/env", "Grant", "a grant of it cannot be given"),
        ("loaded/broken", "NotWasm", "it cannot be loaded"),
        ("loaded/bare", "Unsupported", "it cannot be loaded"),
        ("loaded/large", "Limit", "it cannot be loaded"),
        ("loaded/other", "Digest", "it cannot be loaded"),
    ];
    for (sidecar, ..) in loaded {
        mock.app.sidecar(sidecar).map(drop).expect_err(sidecar);
    }

    // Neither does looking at one say the same twice.
    let warned = |sidecar: &str| {
        let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
        let log = String::from_utf8_lossy(&log).into_owned();
        let of = format!("sidecar=\"{sidecar}\"");
        log.lines().filter(|line| line.trim().starts_with("WARN") && line.contains(&of)).count()
    };
    for (sidecar, ..) in &loaded[1..] {
        let before = warned(sidecar);
        let about = mock.app.sidecars().about(sidecar).expect("it is configured");
        assert!(about.artifact.is_err() && about.backend.is_err(), "{about:?}");
        assert_eq!(warned(sidecar) - before, 1, "{sidecar} is warned of once");
    }

    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    let log = String::from_utf8_lossy(&log).into_owned();
    let lines: Vec<_> = log.lines().map(str::trim).collect();
    for (sidecar, rule, answer) in refused.into_iter().chain(more) {
        let text = answer.expect_err(rule);
        // The page is told more: which sidecar, and what would allow it.
        assert!(text.contains(sidecar), "{text}\n{log}");
        assert!(text.len() <= 4096, "{} bytes", text.len());
        let told = lines.iter().any(|line| {
            let rule = line.contains(&format!("rule=\"{rule}\""));
            let sidecar = sidecar.is_empty() || line.contains(&format!("sidecar=\"{sidecar}\""));
            line.starts_with("WARN") && line.contains("webview=") && rule && sidecar
        });
        assert!(told, "{rule} of `{sidecar}` is not in the log:\n{log}");
    }
    for (sidecar, kind, what) in loaded {
        let told = |line: &&str| {
            let parts = [what, &format!("sidecar=\"{sidecar}\""), &format!("kind={kind}")];
            line.starts_with("WARN") && parts.iter().all(|part| line.contains(part))
        };
        assert!(lines.iter().any(told), "{kind} of `{sidecar}` is not in the log:\n{log}");
    }
    assert!(
        lines.iter().any(|line| line.starts_with("INFO") && line.contains("started for a webview"))
    );
    let closer = |line: &&str| line.starts_with("DEBUG") && line.contains(DATA);
    assert!(lines.iter().any(closer), "whoever looks closer finds why");
    for line in lines {
        let shown = ["INFO", "WARN", "ERROR"].iter().any(|level| line.starts_with(level));
        assert!(!shown || !line.contains(DATA), "data of a page: {line}");
        let ours = line.contains("wasi_sidecar");
        let plain = !line.contains(['\u{1b}', '\u{202e}']) && line.len() < 5000;
        assert!(!ours || plain, "not escaped and short: {line:?}");
    }
}
