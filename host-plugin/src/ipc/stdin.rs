//! Commands for a child's standard input.
//!
//! `stdin_write` takes bytes as the body of the request, or the shell plugin's JSON. It does not use Tauri's macro, which
//! keeps the message until the call is answered: a JSON list takes 32 times the memory of its bytes, and a write can wait as
//! long as its child lives.

use std::io;

use serde::Deserialize;
use tauri::{
    Manager, Runtime, State, Webview,
    http::HeaderMap,
    ipc::{Invoke, InvokeBody, InvokeResponseBody},
};
use tokio::io::AsyncWriteExt;

use super::refusal::log_refusal;
use crate::{Error, Result, Sidecars, error::broken_pipe};

/// The name of the command.
pub(super) const STDIN_WRITE: &str = "stdin_write";

/// The header with the child's pid when the body is raw bytes.
const PID_HEADER: &str = "Wasi-Sidecar-Pid";

/// The shell plugin's message.
#[derive(Deserialize)]
struct Message {
    pid: u32,
    buffer: serde_json::Value,
}

/// Writes to a child's standard input, and answers after the child has accepted all bytes.
pub(super) fn stdin_write<R: Runtime>(invoke: Invoke<R>) -> bool {
    let Invoke { message, resolver, .. } = invoke;
    resolver.respond_async_serialized(async move {
        let (app, caller) = {
            let webview = message.webview_ref();
            (webview.app_handle().clone(), webview.label().to_owned())
        };
        let input = read(message.payload(), message.headers());
        drop(message);
        let sidecars = app.state::<Sidecars>();
        let written = async {
            let (pid, bytes) = input?;
            write(&sidecars, &caller, pid, bytes).await
        };
        written.await.inspect_err(|error| {
            // The end of a child during a write is not a refusal.
            if !matches!(error, Error::Io(_)) {
                log_refusal(STDIN_WRITE, &caller, error);
            }
        })?;
        Ok(InvokeResponseBody::Json("null".into()))
    });
    true
}

/// Closes a child's standard input after the writes in progress.
#[tauri::command]
pub(crate) async fn close_stdin<R: Runtime>(
    webview: Webview<R>,
    sidecars: State<'_, Sidecars>,
    pid: u32,
) -> Result<()> {
    let log = |error: &Error| log_refusal("close_stdin", webview.label(), error);
    let child = sidecars.children().running(pid, webview.label()).inspect_err(log)?;
    let _call = sidecars.children().resources().call(webview.label()).inspect_err(log)?;
    let _permit = child.input.reserve(&child.program, 0).inspect_err(log)?;
    drop(child.stdin.lock().await.take());
    Ok(())
}

async fn write(sidecars: &Sidecars, webview: &str, pid: u32, bytes: Vec<u8>) -> Result<()> {
    let child = sidecars.children().running(pid, webview)?;
    let _call = sidecars.children().resources().call(webview)?;
    let _permit = child.input.reserve(&child.program, bytes.len())?;
    let mut stdin = child.stdin.lock().await;
    let written = match stdin.as_mut() {
        Some(stdin) => match stdin.write_all(&bytes).await {
            Ok(()) => stdin.flush().await,
            Err(error) => Err(error),
        },
        None => Err(io::ErrorKind::BrokenPipe.into()),
    };
    Ok(written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => broken_pipe(),
        _ => error,
    })?)
}

/// Parses the child's pid and the bytes.
fn read(body: &InvokeBody, headers: &HeaderMap) -> Result<(u32, Vec<u8>)> {
    let header = headers.get(PID_HEADER).map(|value| {
        let pid = value.to_str().ok().and_then(|text| text.parse().ok());
        pid.ok_or_else(|| invalid(&format!("the header `{PID_HEADER}` is no child's pid")))
    });
    match (body, header) {
        (InvokeBody::Raw(bytes), Some(pid)) => Ok((pid?, bytes.clone())),
        (InvokeBody::Raw(_), None) => {
            Err(invalid(&format!("the header `{PID_HEADER}` is missing")))
        }
        // On platforms without raw bodies, Tauri sends a list of numbers.
        (InvokeBody::Json(list @ serde_json::Value::Array(_)), Some(pid)) => {
            Ok((pid?, bytes(list)?))
        }
        (InvokeBody::Json(value), _) => {
            let message =
                Message::deserialize(value).map_err(|error| invalid(&error.to_string()))?;
            Ok((message.pid, bytes(&message.buffer)?))
        }
    }
}

fn bytes(value: &serde_json::Value) -> Result<Vec<u8>> {
    let not_bytes = || invalid("`buffer` is a string or a list of numbers from 0 to 255");
    match value {
        serde_json::Value::String(text) => Ok(text.as_bytes().to_vec()),
        serde_json::Value::Array(list) => list
            .iter()
            .map(|number| number.as_u64().and_then(|number| u8::try_from(number).ok()))
            .collect::<Option<_>>()
            .ok_or_else(not_bytes),
        _ => Err(not_bytes()),
    }
}

fn invalid(text: &str) -> Error {
    Error::InvalidMessage(format!("stdin_write: {text}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parity_30_bytes_are_a_text_or_a_list_of_numbers() {
        assert_eq!(bytes(&json!("ä")).expect("text"), "ä".as_bytes());
        assert_eq!(bytes(&json!([0, 255])).expect("numbers"), [0, 255]);
        for value in [json!([256]), json!([-1]), json!([1.5]), json!(["a"]), json!({}), json!(null)]
        {
            let error = bytes(&value).expect_err(&value.to_string()).to_string();
            assert!(error.contains("`buffer` is a string or a list of numbers"), "{error}");
        }
    }
}
