//! Setting the plugin up, finding sidecars, and what is refused at once.

use serde_json::{Value, json};
use tauri::{Manager, WebviewUrl, WebviewWindowBuilder, test::mock_builder};
use tauri_plugin_wasi_sidecar::{
    Builder, Error, SidecarExt,
    wasi_sidecar::{Backend, Limit},
};
use wasi_sidecar_guests::{component, native};

use crate::support::{Page, all, app, app_with, joined, lines, try_app, wait};

fn refused(config: Value) -> String {
    match try_app(config) {
        Ok(_) => panic!("the app started"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn parity_01_sidecars_are_reached_from_every_manager() {
    let mock = app();
    let window = mock.window("main");
    let webview: &tauri::Webview<_> = window.as_ref();
    assert!(mock.app.sidecar("guests/echo").is_ok());
    assert!(mock.app.handle().sidecar("guests/echo").is_ok());
    assert!(window.sidecar("guests/echo").is_ok());
    assert!(webview.sidecar("guests/echo").is_ok());
    assert!(webview.window().sidecar("guests/echo").is_ok());
    assert!(mock.app.sidecars().names().contains(&"guests/echo".to_owned()));
}

#[test]
fn parity_02_a_sidecar_is_found_by_its_name_and_by_the_last_part_of_it() {
    let path = component("args").expect("built");
    let mock = app_with(json!({
        "binaries/one": { "component": path },
        "a/two": { "component": path },
        "b/two": { "component": path },
    }));
    for name in ["binaries/one", "one", "one.exe"] {
        assert!(mock.app.sidecar(name).is_ok(), "{name}");
    }
    let error = mock.app.sidecar("two").expect_err("there are two").to_string();
    assert!(error.contains("`a/two` and `b/two`"), "{error}");
    let error = mock.app.sidecar("binaries/three").expect_err("there is none");
    assert!(matches!(error, Error::SidecarNotAllowed(_)), "{error}");
    // A page means the same sidecar by both names, whichever its scope has.
    let mock = app_with(json!({ "guests/args": { "component": path } }));
    let page = Page::new(&mock, "main");
    for name in ["guests/args", "args", "args.exe"] {
        assert_eq!(page.execute(name, json!([]), json!({})).expect(name)["code"], 0);
    }
}

#[test]
fn parity_03_it_starts_without_configuration_and_not_with_a_wrong_one() {
    let mut context = webview_harness::context(Value::Null);
    context.config_mut().plugins.0.clear();
    let app = mock_builder().plugin(tauri_plugin_wasi_sidecar::init()).build(context);
    assert!(app.expect("it starts").sidecars().names().is_empty());

    let here = component("args").expect("built");
    let one = |value: Value| json!({ "sidecars": { "s": value } });
    let rows = [
        (json!({ "sidecar": {} }), "did you mean `sidecars`?"),
        (one(json!({})), "sidecars.s.component: missing; name the .wasm file"),
        (
            one(json!({ "component": "../x.wasm" })),
            "sidecars.s.component: `../x.wasm` contains `..`",
        ),
        (one(json!({ "component": "$NOWHERE/x.wasm" })), "`$NOWHERE` is no variable"),
        (one(json!({ "component": here, "sha256": "12" })), "sidecars.s.sha256: "),
        (json!({ "engine": { "compile": { "memory": "many" } } }), "engine.compile.memory: "),
        (json!({ "engine": { "compile": { "cpuTime": "1 parsec" } } }), "engine.compile.cpuTime: "),
        (
            one(json!({ "component": here, "limits": { "memory": "12 parsecs" } })),
            "sidecars.s.limits.memory: `parsecs` is no unit of size",
        ),
        (
            one(json!({ "component": here, "limits": { "memory": "5 GiB" } })),
            "`limits.memory` must be at most 4.0 GiB (a guest cannot address more); it is 5.0 GiB",
        ),
        (one(json!({ "component": here, "limits": { "time": "0s" } })), "sidecars.s.limits.time: "),
        (
            one(json!({ "component": here, "limits": { "line": "1023" } })),
            "sidecars.s.limits.line: at least 1 KiB",
        ),
        (
            one(json!({ "component": here, "limits": { "line": "a mile" } })),
            "sidecars.s.limits.line: ",
        ),
        (
            one(
                json!({ "component": here, "grants": { "network": ["a.example:1", "a.example"] } }),
            ),
            "sidecars.s.grants.network: `a.example` has no port; write `a.example:443`",
        ),
        (
            one(json!({ "component": here, "grants": { "http": ["https://a/"] } })),
            "sidecars.s.grants.http: this version offers no HTTP",
        ),
        (
            one(json!({ "component": here, "grants": { "env": ["A=B"] } })),
            "sidecars.s.grants.env: `A=B` is no name",
        ),
        (
            one(
                json!({ "component": here, "grants": { "dirs": [{ "host": "notes", "guest": "/n" }] } }),
            ),
            "`notes` is a relative path",
        ),
        (
            one(
                json!({ "component": here, "grants": { "dirs": [{ "host": "/tmp", "guest": "n/../m" }] } }),
            ),
            "`n/../m` is no path for a guest",
        ),
        (
            one(json!({ "component": here, "native": { "program": "x" } })),
            "sidecars.s.native: missing field `when`",
        ),
        (json!({ "engine": { "guestStack": "1" } }), "a guest stack of 1 bytes is out of range"),
        (json!({ "engine": { "maxArtifactSize": "x" } }), "engine.maxArtifactSize: "),
        (json!({ "webviews": { "maxCalls": 0 } }), "webviews.maxCalls: at least 100"),
        (json!({ "webviews": { "maxOutput": "1 MiB" } }), "webviews.maxOutput: at least 2 MiB"),
        (json!({ "webviews": { "maxCalls": -1 } }), "webviews.maxCalls: invalid value"),
        (
            json!({ "engine": { "maxGuests": 10_000_000, "pooledGuests": 10_000_000 } }),
            "no room for 10000000 pooled guests; lower `engine.pooledGuests`",
        ),
    ];
    for (config, expected) in rows {
        let text = refused(config);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn parity_20_components_come_from_a_path_from_bytes_and_from_the_resources() {
    let bytes = std::fs::read(component("args").expect("built")).expect("readable");
    let plugin = Builder::new()
        .component("from/bytes", bytes.clone())
        .component_path("from/path", component("args").expect("built"))
        .engine(|engine| engine.max_guests(5))
        .build();
    let config = json!({ "codeCache": false, "sidecars": {
        "from/bytes": { "limits": { "memory": "64 MiB" } },
        "from/resources": { "component": "sidecars/nothing.wasm" },
        "chosen": { "component": null, "limits": { "memory": "32 MiB" } },
    } });
    let app =
        mock_builder().plugin(plugin).build(webview_harness::context(config)).expect("it starts");
    for name in ["from/bytes", "from/path"] {
        let output = wait(app.sidecar(name).expect(name).output()).expect(name);
        assert!(output.status.success(), "{name}");
    }
    assert_eq!(
        app.sidecars().about("from/bytes").expect("there").limits.get(Limit::Memory),
        Some(64 << 20)
    );
    let error = app.sidecar("from/resources").expect_err("not there").to_string();
    let place = app.path().resource_dir().expect("known").join("sidecars");
    assert!(error.contains(&*place.to_string_lossy()), "{error}");

    let error = app.sidecar("chosen").expect_err("nothing was chosen yet").to_string();
    assert!(error.contains("`chosen` has no artifact yet"), "{error}");
    app.sidecars().register("chosen", bytes).expect("it is one");
    assert!(wait(app.sidecar("chosen").expect("there").output()).expect("runs").status.success());
    assert_eq!(
        app.sidecars().about("chosen").expect("there").limits.get(Limit::Memory),
        Some(32 << 20)
    );
    let error = app.sidecars().register("chosen", b"\x7fELF".to_vec()).expect_err("it is none");
    assert!(error.to_string().contains("native executable"), "{error}");
}

#[test]
fn a_native_fallback_stands_in_where_the_configuration_says_so() {
    let fallback = |when: &str| json!({ "program": native("args").expect("built"), "when": when });
    let (there, not_there) = (component("args").expect("built"), "not-there.wasm");
    let digest = "0".repeat(64);
    let mock = app_with(json!({
        "component": { "component": there, "native": fallback("unavailable") },
        "unavailable": { "component": not_there, "native": fallback("unavailable") },
        "never": { "component": not_there, "native": fallback("never") },
        "always": { "component": there, "native": fallback("always") },
        "pinned": { "component": there, "sha256": digest, "native": fallback("unavailable") },
    }));
    let backend = |name: &str| mock.app.sidecar(name).map(|command| command.backend());
    assert_eq!(backend("component").expect("runs"), Backend::Component);
    assert_eq!(backend("unavailable").expect("runs"), Backend::Native);
    assert_eq!(backend("always").expect("runs"), Backend::Native);
    assert!(backend("never").is_err());
    // Neither is it a way past the pin to be something that this host does not run.
    let folder = tempfile::tempdir().expect("a folder");
    let library = folder.path().join("library.wasm");
    std::fs::write(&library, b"\0asm\x01\0\0\0").expect("written");
    let mock_of = |pin: Value| {
        app_with(
            json!({ "s": { "component": &library, "sha256": pin, "native": fallback("unavailable") } }),
        )
    };
    let replaced = mock_of(json!("0".repeat(64)));
    let error = replaced.app.sidecar("s").expect_err("another file").to_string();
    assert!(error.contains("is pinned"), "{error}");
    let unsupported = mock_of(Value::Null);
    assert_eq!(unsupported.app.sidecar("s").expect("runs").backend(), Backend::Native);
    let error = backend("pinned").expect_err("another file").to_string();
    assert!(error.contains("is pinned"), "{error}");
    let about = mock.app.sidecars().about("always").expect("there");
    assert_eq!(about.backend.expect("known"), Backend::Native);
    assert!(about.artifact.is_ok());
}

#[test]
fn parity_41_a_window_whose_scope_cannot_be_read_stops_the_start() {
    let mock = app();
    // What the check at the start goes by: the first call with any arguments at all answers with the entry's error.
    let page = Page::new(&mock, "broken");
    let error = page.call("spawn", json!({})).expect_err("it cannot be read");
    assert!(error.contains("the scope entry `args`"), "{error}");
    assert!(error.contains("`args[0].validator` is no regular expression"), "{error}");
    // A window with a good scope gets past it, to the missing argument.
    let page = Page::new(&mock, "main");
    let error = page.call("spawn", json!({})).expect_err("no program");
    assert!(error.contains("missing required key program"), "{error}");
}

#[test]
fn preloading_compiles_before_the_first_start() {
    let path = component("args").expect("built");
    let mock = app_with(json!({ "guests/args": { "component": path, "preload": true } }));
    let window = WebviewWindowBuilder::new(&mock.app, "main", WebviewUrl::default()).build();
    window.expect("a window");
    let output = wait(mock.app.sidecar("args").expect("there").output());
    assert!(output.expect("it runs").status.success());
}

#[test]
fn the_largest_numbers_are_taken_or_refused_at_the_start() {
    let (args, echo) = (component("args").expect("built"), component("echo").expect("built"));
    let folder = tempfile::tempdir().expect("a folder");
    // The longest time, which is counted in nanoseconds, and the largest number.
    let (time, number) = ("18446744073.709551615s", u64::MAX);
    let limits = |key: &str, value: Value| {
        let mut limits = serde_json::Map::new();
        limits.insert(key.to_owned(), value);
        // With a directory there is a watchdog, which counts too.
        let dirs = json!({ "dirs": [{ "host": folder.path(), "guest": "/data" }] });
        json!({ "limits": limits, "grants": dirs })
    };
    let nothing = json!({});
    let mut rows = vec![
        (json!({ "maxGuests": number }), nothing.clone(), json!({})),
        (json!({ "pooledGuests": number }), nothing.clone(), json!({})),
        (json!({ "maxGuests": number, "pooledGuests": number }), nothing.clone(), json!({})),
        (json!({ "maxArtifactSize": number.to_string() }), nothing.clone(), json!({})),
        (json!({ "guestStack": number.to_string() }), nothing.clone(), json!({})),
        (json!({ "compile": { "time": time } }), nothing.clone(), json!({})),
    ];
    let per_page = json!({
        "maxChildren": number, "maxInput": number.to_string(), "maxCalls": number, "maxOutput": number.to_string(),
    });
    rows.push((nothing.clone(), nothing.clone(), per_page));
    for key in ["time", "cpuTime"] {
        rows.push((nothing.clone(), limits(key, json!(time)), json!({})));
    }
    for key in ["tableElements", "instances", "memories", "tables", "handles"] {
        rows.push((nothing.clone(), limits(key, json!(number)), json!({})));
    }
    for key in ["memory", "callBytes", "randomBytes", "line"] {
        rows.push((nothing.clone(), limits(key, json!(number.to_string())), json!({})));
    }
    for (engine, sidecar, webviews) in rows {
        let with = |component: &std::path::Path| {
            let mut sidecar = sidecar.clone();
            sidecar["component"] = json!(component);
            sidecar
        };
        let sidecars = json!({ "guests/args": with(&args), "guests/echo": with(&echo) });
        let config = json!({
            "codeCache": false, "engine": engine, "webviews": webviews, "sidecars": sidecars,
        });
        let shown = config.to_string();
        let Ok(mock) = try_app(config) else { continue };
        let page = Page::new(&mock, "main");
        let done = page.execute("guests/args", json!(["x"]), json!({}));
        assert_eq!(done.expect(&shown)["code"], 0, "{shown}");
        // The longest that a page can have a line held back, of each kind of output.
        for encoding in ["utf-8", "latin1"] {
            let options = json!({ "flushPartialLines": u32::MAX, "encoding": encoding });
            let pid = page.spawn("guests/echo", json!([]), options).expect(&shown);
            page.write(pid, "unfinished").expect(&shown);
            page.call("ack", json!({ "pid": pid, "bytes": usize::MAX })).expect(&shown);
            page.call("close_stdin", json!({ "pid": pid })).expect(&shown);
            assert_eq!(joined(&mock.events(&page, pid), "Stdout"), "unfinished", "{shown}");
        }
    }
    // From Rust there are longer times.
    let mock = app();
    let command = mock.app.sidecar("guests/echo").expect("there");
    let (events, mut child) =
        command.flush_partial_lines(std::time::Duration::MAX).spawn().expect("it starts");
    child.write(b"unfinished").expect("it reads");
    child.close_stdin();
    assert_eq!(lines(&all(events).0), ["unfinished"]);
}
