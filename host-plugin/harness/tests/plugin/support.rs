//! An app without a window system, and talking to it as a page does.

use std::{
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use serde_json::{Value, json};
use tauri::{
    App, Manager as _, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    ipc::{CallbackFn, InvokeBody, InvokeResponse, InvokeResponseBody},
    test::{INVOKE_KEY, MockRuntime, mock_builder},
    webview::InvokeRequest,
};
use tauri_plugin_wasi_sidecar::process::{CommandEvent, TerminatedPayload};

/// Longest a test waits for what must come. It only ever decides between slow and never.
pub(crate) const NEVER: Duration = Duration::from_secs(60);

/// A message on its way to a page: the channel's number and the body.
pub(crate) type Message = (u32, InvokeResponseBody);

/// An app, and what it sends to its pages.
pub(crate) struct Mock {
    pub(crate) app: App<MockRuntime>,
    pub(crate) messages: Receiver<Message>,
}

/// An app with every guest.
pub(crate) fn app() -> Mock {
    app_with(webview_harness::sidecars())
}

/// An app with these sidecars. Nothing is kept on disk: a test leaves the user's folders alone.
pub(crate) fn app_with(sidecars: Value) -> Mock {
    let config = json!({ "codeCache": false, "sidecars": sidecars });
    try_app(config).unwrap_or_else(|error| panic!("the app starts: {error}"))
}

pub(crate) fn try_app(config: Value) -> tauri::Result<Mock> {
    let (sender, messages) = mpsc::channel();
    let builder = mock_builder().channel_interceptor(move |_, callback, _, body| {
        let _ = sender.send((callback.0, body.clone()));
        true
    });
    let app = webview_harness::with_plugins(builder).build(webview_harness::context(config))?;
    Ok(Mock { app, messages })
}

impl Mock {
    pub(crate) fn window(&self, label: &str) -> WebviewWindow<MockRuntime> {
        WebviewWindowBuilder::new(&self.app, label, WebviewUrl::default())
            .build()
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The messages of a child up to its end, as text, without the events' being gathered.
    pub(crate) fn events(&self, page: &Page, pid: u32) -> Vec<Value> {
        let mut seen = Vec::new();
        loop {
            let (_, body) = self.messages.recv_timeout(NEVER).expect("`Terminated` comes");
            let InvokeResponseBody::Json(json) = body else { panic!("binary: {body:?}") };
            let message: Value = serde_json::from_str(&json).expect("it is JSON");
            match message.get("events") {
                None => seen.push(message),
                Some(events) => {
                    seen.extend(events.as_array().expect("a list").iter().cloned());
                    let bytes = &message["bytes"];
                    page.call("ack", json!({ "pid": pid, "bytes": bytes })).expect("taken");
                }
            }
            if seen.last().is_some_and(|event| event["event"] == "Terminated") {
                return seen;
            }
        }
    }
}

/// A page, as far as it calls commands.
pub(crate) struct Page(pub(crate) WebviewWindow<MockRuntime>);

impl Page {
    pub(crate) fn new(mock: &Mock, label: &str) -> Self {
        Self(mock.app.get_webview_window(label).unwrap_or_else(|| mock.window(label)))
    }

    /// Calls a command of the plugin.
    pub(crate) fn call(&self, command: &str, message: Value) -> Result<Value, String> {
        self.answer(command, InvokeBody::Json(message), &[]).map(|body| match body {
            InvokeResponseBody::Json(json) => serde_json::from_str(&json).expect("it is JSON"),
            InvokeResponseBody::Raw(bytes) => json!(bytes),
        })
    }

    /// Calls a command with any body and headers.
    pub(crate) fn answer(
        &self,
        command: &str,
        body: InvokeBody,
        headers: &[(&'static str, &str)],
    ) -> Result<InvokeResponseBody, String> {
        let (sender, answers) = mpsc::channel();
        self.ask(command, body, headers, move |answer| drop(sender.send(answer)));
        answers.recv().expect("every call is answered")
    }

    /// Calls a command and does not wait; `done` is told what comes of it.
    pub(crate) fn ask(
        &self,
        command: &str,
        body: InvokeBody,
        headers: &[(&'static str, &str)],
        done: impl FnOnce(Result<InvokeResponseBody, String>) + Send + Sync + 'static,
    ) {
        let mut map = tauri::http::HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().expect("it is a header's value"));
        }
        let url = if cfg!(any(windows, target_os = "android")) {
            "http://tauri.localhost"
        } else {
            "tauri://localhost"
        };
        let request = InvokeRequest {
            cmd: format!("plugin:wasi-sidecar|{command}"),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: url.parse().expect("it is an address"),
            body,
            headers: map,
            invoke_key: INVOKE_KEY.to_owned(),
        };
        let text = |error: Value| error.as_str().map_or(error.to_string(), ToOwned::to_owned);
        let webview: &tauri::Webview<MockRuntime> = self.0.as_ref();
        webview.clone().on_message(
            request,
            Box::new(move |_, _, response, _, _| match response {
                InvokeResponse::Ok(body) => done(Ok(body)),
                InvokeResponse::Err(error) => done(Err(text(error.0))),
            }),
        );
    }

    /// Starts a sidecar as our JavaScript does. Messages come on the channel 7.
    pub(crate) fn spawn(&self, program: &str, args: Value, options: Value) -> Result<u32, String> {
        let mut all = json!({ "sidecar": true, "batch": true });
        all.as_object_mut()
            .expect("an object")
            .extend(options.as_object().expect("likewise").clone());
        let message =
            json!({ "program": program, "args": args, "options": all, "onEvent": "__CHANNEL__:7" });
        let reply = self.call("spawn", message)?;
        let pid = if reply.is_object() { &reply["pid"] } else { &reply };
        Ok(u32::try_from(pid.as_u64().expect("a number")).expect("it fits"))
    }

    /// Runs a sidecar to its end.
    pub(crate) fn execute(
        &self,
        program: &str,
        args: Value,
        options: Value,
    ) -> Result<Value, String> {
        let mut all = json!({ "sidecar": true });
        all.as_object_mut()
            .expect("an object")
            .extend(options.as_object().expect("likewise").clone());
        self.call("execute", json!({ "program": program, "args": args, "options": all }))
    }

    pub(crate) fn write(&self, pid: u32, text: &str) -> Result<Value, String> {
        self.call("stdin_write", json!({ "pid": pid, "buffer": text }))
    }
}

/// What a page's stream says, put together.
pub(crate) fn joined(events: &[Value], stream: &str) -> String {
    let of = |event: &&Value| event["event"] == stream;
    events.iter().filter(of).filter_map(|event| event["payload"].as_str()).collect()
}

/// All events of Rust's API, and the end, which is checked to come once and last.
pub(crate) fn all(
    mut events: tauri::async_runtime::Receiver<CommandEvent>,
) -> (Vec<CommandEvent>, TerminatedPayload) {
    let mut seen = Vec::new();
    wait(async {
        while let Some(event) = events.recv().await {
            seen.push(event);
        }
    });
    let end = match seen.pop() {
        Some(CommandEvent::Terminated(end)) => end,
        other => panic!("the last event is {other:?}"),
    };
    assert!(
        !seen.iter().any(|event| matches!(event, CommandEvent::Terminated(_))),
        "it comes once"
    );
    (seen, end)
}

/// The lines of standard output.
pub(crate) fn lines(events: &[CommandEvent]) -> Vec<String> {
    let lines = events.iter().filter_map(|event| match event {
        CommandEvent::Stdout(line) => Some(String::from_utf8_lossy(line).into_owned()),
        _ => None,
    });
    lines.collect()
}

/// Waits, but not for ever.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tauri::async_runtime::block_on(async {
        tokio::time::timeout(NEVER, future).await.expect("it came within a minute")
    })
}
