//! Reads all scopes when the app starts, so that an entry that cannot be used stops the start and not, some day, a call.
//!
//! Tauri reads the scope of a command when the command is called, and offers no other way to it. So a call is made for each
//! webview that is made, by the way that a page's calls take, which fails for want of arguments, and if the scope cannot be read it fails
//! with that. Not on the main thread: plugins are locked while they hear of a webview, and a call wants them too.

use std::{sync::mpsc, time::Duration};

use tauri::{
    Manager, Runtime, Webview,
    ipc::{CallbackFn, InvokeBody, InvokeError, InvokeResponse},
    webview::InvokeRequest,
};

/// Longest that a call is waited for. They answer at once, unless the app ends meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where Tauri serves an app's own pages, which are the ones that capabilities are written for.
const OWN_PAGE: &str = if cfg!(any(windows, target_os = "android")) {
    "http://tauri.localhost"
} else {
    "tauri://localhost"
};

/// Looks at a webview that has just been made. One of the start that has a scope which cannot be read ends the app; one
/// that is made later is only told of, and its calls are refused.
pub(crate) fn look_at<R: Runtime>(webview: &Webview<R>, at_start: bool) {
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

/// Reads the scopes of one webview's commands. The error is that of the entry.
pub(crate) fn check<R: Runtime>(webview: &Webview<R>) -> Result<(), String> {
    let Ok(url) = tauri::Url::parse(OWN_PAGE) else { return Ok(()) };
    for command in ["spawn", "execute"] {
        let request = InvokeRequest {
            cmd: format!("plugin:wasi-sidecar|{command}"),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: url.clone(),
            // The scopes are the commands' first arguments, so they are read before these turn out to be missing.
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
        // Refused by the ACL, or for its arguments, or for the scope.
        if let Ok(InvokeResponse::Err(InvokeError(error))) = answer.recv_timeout(PATIENCE)
            && let Some(text) = error.as_str()
            && text.contains("the scope entry `")
        {
            return Err(text.to_owned());
        }
    }
    Ok(())
}
