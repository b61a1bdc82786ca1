//! The plugin's configuration: any JSON is read or refused, and a key that is not known is never passed over.
#![no_main]
#![expect(clippy::disallowed_methods, reason = "the macro can write down the input it was given")]

use arbitrary::Arbitrary;
use fuzz_json::{Json, Key};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tauri_plugin_wasi_sidecar::Config;

#[derive(Arbitrary, Debug)]
enum Input {
    Any(Json),
    /// A configuration with every key, and one more in one of its objects.
    OneMore {
        place: u8,
        key: Key,
        value: Json,
    },
    /// The same with another value in one place.
    Other {
        place: u8,
        key: u8,
        value: Json,
    },
}

/// The objects of [`whole`], and the keys that each may have.
const PLACES: [(&str, &[&str]); 9] = [
    ("", &["sidecars", "onReload", "codeCache", "engine", "webviews"]),
    ("/engine", &["maxGuests", "pooledGuests", "maxArtifactSize", "guestStack", "compile"]),
    ("/engine/compile", &["memory", "cpuTime", "time"]),
    ("/webviews", &["maxChildren", "maxInput", "maxCalls", "maxOutput"]),
    (
        "/sidecars/a",
        &["component", "sha256", "preload", "grants", "limits", "native", "shared", "onReload"],
    ),
    ("/sidecars/a/grants", &["dirs", "env", "network", "http"]),
    ("/sidecars/a/grants/dirs/0", &["host", "guest", "access", "dangerous"]),
    (
        "/sidecars/a/limits",
        &[
            "memory",
            "time",
            "cpuTime",
            "tableElements",
            "instances",
            "memories",
            "tables",
            "handles",
            "callBytes",
            "randomBytes",
            "line",
        ],
    ),
    ("/sidecars/a/native", &["program", "when"]),
];

fuzz_target!(|input: Input| {
    match input {
        Input::Any(json) => drop(read(json.value())),
        Input::OneMore { place, key, value } => {
            let (pointer, known) = PLACES[usize::from(place) % PLACES.len()];
            let key = key.as_str();
            if known.contains(&key) {
                return;
            }
            let error = read(with(pointer, key, value.value())).expect_err("an unknown key");
            assert!(error.contains(key), "`{key}` is not named in: {error}");
        }
        Input::Other { place, key, value } => {
            let (pointer, known) = PLACES[usize::from(place) % PLACES.len()];
            let key = known[usize::from(key) % known.len()];
            if let Err(error) = read(with(pointer, key, value.value())) {
                assert!(error.contains(key), "`{key}` is not named in: {error}");
            }
        }
    }
});

fn read(value: Value) -> Result<Config, String> {
    // As text too, since that is how it is written.
    let from_text = serde_json::from_str::<Config>(&value.to_string());
    let read = serde_json::from_value::<Config>(value).map_err(|error| error.to_string());
    assert_eq!(from_text.is_ok(), read.is_ok());
    if let Err(error) = &read {
        assert!(!error.is_empty());
    }
    read
}

fn with(pointer: &str, key: &str, value: Value) -> Value {
    let mut whole = whole();
    let object = whole.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object");
    object.insert(key.to_owned(), value);
    whole
}

fn whole() -> Value {
    json!({
        "sidecars": { "a": {
            "component": "a.wasm", "sha256": "00", "preload": false, "shared": true, "onReload": "keep",
            "grants": { "dirs": [{ "host": "$APPDATA/notes", "guest": "/notes", "access": "read-only",
                                   "dangerous": false }],
                        "env": ["LANG"], "network": [], "http": [] },
            "limits": { "memory": "256 MiB", "time": "30 s", "cpuTime": "1 s", "tableElements": 1, "instances": 1,
                        "memories": 1, "tables": 1, "handles": 1, "callBytes": "1 MiB", "randomBytes": "1 MiB",
                        "line": "16 MiB" },
            "native": { "program": "a", "when": "never" } } },
        "onReload": "kill", "codeCache": true,
        "engine": { "maxGuests": 1, "pooledGuests": 1, "maxArtifactSize": "1 MiB", "guestStack": "512 KiB",
                    "compile": { "memory": "2 GiB", "cpuTime": "2 m", "time": "3 m" } },
        "webviews": { "maxChildren": 1, "maxInput": "16 MiB", "maxCalls": 100, "maxOutput": "2 MiB" },
    })
}
