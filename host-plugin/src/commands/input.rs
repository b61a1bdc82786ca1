//! What a page wants written to a child: bytes as the body of the request, or the shell plugin's JSON.
//!
//! The one command that is no function of Tauri's macro, which keeps the message of a call until it has been answered: a list
//! of numbers takes 32 times the memory of the bytes that it means, and a write can wait for as long as its child lives.

use std::io;

use serde::Deserialize;
use tauri::{
    Manager, Runtime,
    http::HeaderMap,
    ipc::{Invoke, InvokeBody, InvokeResponseBody},
};
use tokio::io::AsyncWriteExt;

use super::prepare;
use crate::{Error, Result, error::broken_pipe, sidecars::Sidecars};

/// How pages call it.
pub(crate) const COMMAND: &str = "stdin_write";

/// Names the child where the body is the bytes.
const PID_HEADER: &str = "Wasi-Sidecar-Pid";

/// The shell plugin's form.
#[derive(Deserialize)]
struct Message {
    pid: u32,
    buffer: serde_json::Value,
}

/// Writes to a child's input, and answers when the child has taken all of it.
pub(crate) fn stdin_write<R: Runtime>(invoke: Invoke<R>) -> bool {
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
            // A child that ends while it is written to is no refusal.
            if !matches!(error, Error::Io(_)) {
                prepare::refused(COMMAND, &caller, error);
            }
        })?;
        Ok(InvokeResponseBody::Json("null".into()))
    });
    true
}

async fn write(sidecars: &Sidecars, webview: &str, pid: u32, bytes: Vec<u8>) -> Result<()> {
    let child = sidecars.children().running(pid, webview)?;
    let _waiting = sidecars.children().waiting_call(webview)?;
    let _held = child.waiting.take(&child.program, bytes.len())?;
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

/// The child, and the bytes.
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
        // Where a body cannot be bytes, Tauri makes it a list of numbers.
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
