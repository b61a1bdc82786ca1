//! Entries of a scope: any JSON in a capability is an entry or refused by name.
#![no_main]
#![expect(clippy::disallowed_methods, reason = "the macro can write down the input it was given")]

use arbitrary::Arbitrary;
use fuzz_json::{Json, Word};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tauri::{App, ipc::ScopeObject, test::MockRuntime};
use tauri_plugin_wasi_sidecar::ScopeEntry;

#[derive(Arbitrary, Debug)]
enum Input {
    Any(Json),
    /// An entry in which all is as it should be but for what is given here.
    Entry {
        sidecar: Option<Json>,
        args: Option<Json>,
        env: Option<Json>,
        more: Option<(Word, Json)>,
    },
    Validators(Vec<(String, bool)>),
}

thread_local! {
    /// Reading an entry takes the handle of an app and does not use it.
    static APP: App<MockRuntime> = tauri::test::mock_app();
}

fuzz_target!(|input: Input| {
    let (value, named) = match input {
        Input::Any(json) => (json.value(), false),
        Input::Entry { sidecar, args, env, more } => {
            let mut entry = json!({ "name": "the-name", "sidecar": true });
            let given = [("sidecar", sidecar), ("args", args), ("env", env)];
            let given = given.iter().filter_map(|(key, json)| Some((*key, json.as_ref()?.value())));
            let more = more.as_ref().map(|(word, json)| (word.as_str(), json.value()));
            // A name of another kind is one of the errors that cannot name the entry.
            for (key, value) in given.chain(more.filter(|(key, _)| *key != "name")) {
                entry[key] = value;
            }
            (entry, true)
        }
        Input::Validators(list) => {
            let args: Vec<Value> = list
                .into_iter()
                .map(|(validator, raw)| json!({ "validator": validator, "raw": raw }))
                .collect();
            (json!({ "name": "the-name", "sidecar": true, "args": args }), true)
        }
    };
    // Text that is JSON but not of this kind, such as a number beyond 64 bits, cannot come this far in an app either.
    let Ok(raw) = serde_json::from_value::<tauri::utils::acl::Value>(value) else { return };
    if let Err(error) = APP.with(|app| ScopeEntry::deserialize(app.handle(), raw)) {
        let text = error.to_string();
        assert!(!named || text.contains("`the-name`"), "the entry is not named in: {text}");
    }
});
