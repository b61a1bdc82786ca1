//! The JSON of a child's events.

use serde::Serialize;

use crate::terminated::TerminatedPayload;

/// An event in the JSON of the shell plugin.
#[derive(Debug, Serialize)]
#[serde(tag = "event", content = "payload")]
pub(crate) enum PageEvent<'a> {
    Stdout(Payload<'a>),
    Stderr(Payload<'a>),
    Error(&'a str),
    Terminated(&'a TerminatedPayload),
}

/// Text, or bytes as a list of numbers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Payload<'a> {
    Text(&'a str),
    Raw(&'a [u8]),
}
