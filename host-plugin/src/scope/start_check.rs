//! Reads all scopes when the app starts, so that an invalid entry stops the start instead of a later call.
//!
//! Tauri reads the scope of a command only when the command is called. This module therefore calls the commands for each new
//! webview, on the path of a page's calls and without arguments: a valid scope leads to the error for the missing arguments,
//! an invalid scope to its own error. The calls leave the main thread, since Tauri locks the plugins while it reports a new
//! webview, and a call takes the same lock.

use std::{sync::mpsc, time::Duration};

use tauri::{
    Manager, Runtime, Webview,
    ipc::{CallbackFn, InvokeBody, InvokeError, InvokeResponse},
    webview::InvokeRequest,
};

/// Timeout of a call. Calls answer at once unless the app is ending.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where Tauri serves the app's own pages; capabilities apply to these by default.
const OWN_PAGE: &str = if cfg!(any(windows, target_os = "android")) {
    "http://tauri.localhost"
} else {
    "tauri://localhost"
};

/// Checks the scopes of a new webview in the background. An invalid scope ends the app if it is still starting; later it is
/// only logged, and the webview's calls fail.
pub(crate) fn check_in_background<R: Runtime>(webview: &Webview<R>, at_start: bool) {
    let webview = webview.clone();
    tauri::async_runtime::spawn_blocking(move || {
        let Err(error) = check(&webview) else { return };
        tracing::error!(webview = webview.label(), "{error}");
        if at_start {
            #[expect(
                clippy::print_stderr,
                reason = "an app that ends at its start often has no log yet"
            )]
            {
                eprintln!("error: {error}");
            }
            webview.app_handle().exit(1);
        }
    });
}

/// Reads the scopes of one webview's commands. The error is the text of the invalid entry.
fn check<R: Runtime>(webview: &Webview<R>) -> Result<(), String> {
    let Ok(url) = tauri::Url::parse(OWN_PAGE) else { return Ok(()) };
    for command in ["spawn", "execute"] {
        let request = InvokeRequest {
            cmd: format!("plugin:wasi-sidecar|{command}"),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: url.clone(),
            // The scopes are the commands' first arguments, so Tauri reads them before it misses the others.
            body: InvokeBody::default(),
            headers: Default::default(),
            invoke_key: webview.app_handle().invoke_key().to_owned(),
        };
        let (sender, answer) = mpsc::channel();
        webview.clone().on_message(
            request,
            Box::new(move |_, _, response, _, _| {
                let _ = sender.send(response);
            }),
        );
        // Other errors come from the ACL or the missing arguments.
        if let Ok(InvokeResponse::Err(InvokeError(error))) = answer.recv_timeout(TIMEOUT)
            && let Some(text) = error.as_str()
            && text.contains("the scope entry `")
        {
            return Err(text.to_owned());
        }
    }
    Ok(())
}
