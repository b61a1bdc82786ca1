//! What a page may send: any message to any command of the plugin is answered, with what the page may have or a refusal.
//!
//! The app is one without windows, with the plugin's own permissions and real capability files. Its sidecars have no artifacts,
//! so nothing that a page asks for can run here, and an answer that says so came through every check.
#![no_main]
#![expect(clippy::disallowed_methods, reason = "the macro can write down the input it was given")]

use std::{collections::BTreeMap, sync::mpsc, time::Duration};

use arbitrary::Arbitrary;
use fuzz_json::{Json, Word};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tauri::{
    App, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    http::{HeaderMap, HeaderValue},
    ipc::{CallbackFn, InvokeBody, InvokeResponse},
    test::{INVOKE_KEY, MockRuntime, mock_builder},
    webview::InvokeRequest,
};

/// Pages with all rights, with few, with the plugin's default, and with none.
const PAGES: [&str; 4] = ["main", "strict", "guest", "nobody"];

const COMMANDS: [&str; 8] =
    ["spawn", "execute", "stdin_write", "close_stdin", "kill", "list", "ack", "status"];

/// Far beyond what an answer takes: it tells late from never.
const NEVER: Duration = Duration::from_secs(60);

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    page: u8,
    command: u8,
    body: Body<'a>,
    header: Option<Header<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Header<'a> {
    Bytes(&'a [u8]),
    Pid(u32),
}

#[derive(Arbitrary, Debug)]
enum Body<'a> {
    Raw(&'a [u8]),
    Any(Json),
    /// A call as it should be, but for what is given here.
    Call {
        program: Option<Json>,
        known: u8,
        args: Option<Json>,
        list: Vec<&'a str>,
        options: Vec<(Word, Json)>,
        env: Option<Json>,
        channel: bool,
    },
    /// A write likewise; without a pid it is only what is written, as where a body cannot be bytes.
    Write {
        pid: Option<Json>,
        number: Option<u32>,
        buffer: Buffer<'a>,
    },
}

#[derive(Arbitrary, Debug)]
enum Buffer<'a> {
    Any(Json),
    Text(&'a str),
    Bytes(&'a [u8]),
}

struct Place {
    _app: App<MockRuntime>,
    pages: BTreeMap<&'static str, WebviewWindow<MockRuntime>>,
}

thread_local! {
    static PLACE: Place = {
        let there_is_none = json!({ "component": "/nowhere/there-is-none.wasm" });
        let config = json!({ "codeCache": false, "sidecars": {
            "guests/args": there_is_none, "guests/echo": there_is_none, "granted/env": there_is_none,
            "other/name": there_is_none,
        } });
        let app = webview_harness::with_plugins(mock_builder()).build(webview_harness::context(config));
        let app = app.expect("the app starts");
        let window = |label| {
            let window = WebviewWindowBuilder::new(&app, label, WebviewUrl::default()).build();
            (label, window.expect("a window"))
        };
        let pages = PAGES.into_iter().map(window).collect();
        Place { pages, _app: app }
    };
}

fuzz_target!(|input: Input<'_>| {
    let page = PAGES[usize::from(input.page) % PAGES.len()];
    let command = COMMANDS[usize::from(input.command) % COMMANDS.len()];
    let mut headers = HeaderMap::new();
    let header = input.header.and_then(|header| match header {
        Header::Bytes(bytes) => HeaderValue::from_bytes(bytes).ok(),
        Header::Pid(pid) => Some(pid.into()),
    });
    if let Some(value) = header {
        headers.insert("wasi-sidecar-pid", value);
    }
    let answer = PLACE.with(|place| ask(&place.pages[page], command, body(input.body), headers));
    match answer {
        Err(text) => {
            // What the macro of Tauri says of an argument is not ours to cut.
            let ours = !text.starts_with("invalid args");
            let plain = !text.chars().any(|character| character.is_control() && character != '\n');
            assert!(!ours || (text.len() <= 4096 && plain), "{} bytes: {text:?}", text.len());
        }
        Ok(()) => assert!(
            page != "nobody" && matches!(command, "list" | "ack" | "status"),
            "`{page}` was given what there is not: {command}"
        ),
    }
});

fn body(body: Body<'_>) -> InvokeBody {
    match body {
        Body::Raw(bytes) => InvokeBody::Raw(bytes.to_vec()),
        Body::Any(json) => InvokeBody::Json(json.value()),
        Body::Call { program, known, args, list, options, env, channel } => {
            let names =
                ["guests/args", "args", "granted/env", "guests/echo.exe", "other/name", "nothing"];
            let name = names[usize::from(known) % names.len()];
            let mut all = json!({ "sidecar": true });
            for (word, json) in &options {
                all[word.as_str()] = json.value();
            }
            if let Some(env) = env {
                all["env"] = env.value();
            }
            let mut call = json!({
                "program": program.map_or(name.into(), |json| json.value()),
                "args": args.map_or(list.into(), |json| json.value()), "options": all,
            });
            if channel {
                call["onEvent"] = "__CHANNEL__:7".into();
            }
            InvokeBody::Json(call)
        }
        Body::Write { pid, number, buffer } => {
            let buffer = match buffer {
                Buffer::Any(json) => json.value(),
                Buffer::Text(text) => text.into(),
                Buffer::Bytes(bytes) => bytes.into(),
            };
            match pid.map(|json| json.value()).or(number.map(Value::from)) {
                Some(pid) => InvokeBody::Json(json!({ "pid": pid, "buffer": buffer })),
                None => InvokeBody::Json(buffer),
            }
        }
    }
}

fn ask(
    page: &WebviewWindow<MockRuntime>,
    command: &str,
    body: InvokeBody,
    headers: HeaderMap,
) -> Result<(), String> {
    let request = InvokeRequest {
        cmd: format!("plugin:wasi-sidecar|{command}"),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: "tauri://localhost".parse().expect("an address"),
        body,
        headers,
        invoke_key: INVOKE_KEY.to_owned(),
    };
    let (sender, answers) = mpsc::channel();
    let webview: &tauri::Webview<MockRuntime> = page.as_ref();
    webview.clone().on_message(
        request,
        Box::new(move |_, _, response, _, _| {
            let _ = sender.send(match response {
                InvokeResponse::Ok(_) => Ok(()),
                InvokeResponse::Err(error) => {
                    Err(error.0.as_str().map_or_else(|| error.0.to_string(), ToOwned::to_owned))
                }
            });
        }),
    );
    answers.recv_timeout(NEVER).expect("every call is answered")
}
