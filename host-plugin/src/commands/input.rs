//! What a page wants written to a child: bytes as the body of the request, or the shell plugin's JSON.

use serde::Deserialize;
use tauri::ipc::{InvokeBody, Request};

use crate::{Error, Result};

/// Names the child where the body is the bytes.
const PID_HEADER: &str = "Wasi-Sidecar-Pid";

/// The shell plugin's form.
#[derive(Deserialize)]
struct Message {
    pid: u32,
    buffer: serde_json::Value,
}

/// The child, and the bytes.
pub(super) fn read(request: &Request<'_>) -> Result<(u32, Vec<u8>)> {
    let header = request.headers().get(PID_HEADER).map(|value| {
        let pid = value.to_str().ok().and_then(|text| text.parse().ok());
        pid.ok_or_else(|| invalid(&format!("the header `{PID_HEADER}` is no child's pid")))
    });
    match (request.body(), header) {
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
