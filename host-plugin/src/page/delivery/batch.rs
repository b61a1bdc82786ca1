//! Batches events into messages.
//!
//! A page with the option `batch` receives `{ "bytes": N, "events": [ … ] }` with the shell plugin's events. For raw output it
//! receives a byte that names the stream, and then the output. Any other page receives the shell plugin's messages, with one
//! event each.

use tauri::ipc::InvokeResponseBody;

use super::{
    decoder::Decoded,
    event::{PageEvent, Payload},
};
use crate::terminated::TerminatedPayload;

/// Bytes of text that make a batch full. A larger message takes longer on the page, and holds more memory while the page does
/// not read.
const FULL_TEXT: usize = 64 << 10;

/// Bytes of raw output that make a batch full. A page fetches them, and each fetch takes half a millisecond.
const FULL_RAW: usize = 256 << 10;

/// Capacity for raw output: a full batch, and one more event of a pipe.
const RAW_CAPACITY: usize = FULL_RAW + (64 << 10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

#[derive(Debug)]
pub(super) struct Batch {
    /// Whether a message may have several events.
    gather: bool,
    /// Finished messages, with the credit that each needs.
    messages: Vec<(InvokeResponseBody, usize)>,
    /// Events of the next message, joined by commas.
    events: Vec<u8>,
    events_bytes: usize,
    /// Raw output of the next messages, after the byte that names the stream.
    raw: [Vec<u8>; 2],
    bytes: usize,
}

impl Batch {
    pub(super) fn new(gather: bool) -> Self {
        let (messages, events, raw) = Default::default();
        Self { gather, messages, events, events_bytes: 0, raw, bytes: 0 }
    }

    pub(super) fn is_full(&self) -> bool {
        let raw: usize = self.raw.iter().map(Vec::len).sum();
        self.bytes.saturating_sub(raw) >= FULL_TEXT || self.bytes >= FULL_RAW
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub(super) fn output(&mut self, stream: Stream, output: Decoded<'_>) {
        let event = |payload| match stream {
            Stream::Stdout => PageEvent::Stdout(payload),
            Stream::Stderr => PageEvent::Stderr(payload),
        };
        match output {
            Decoded::Text(text) => self.event(&event(Payload::Text(text))),
            Decoded::Raw(bytes) if self.gather => {
                // Earlier events precede it.
                self.finish_events();
                let (slot, tag) = match stream {
                    Stream::Stdout => (0, 1),
                    Stream::Stderr => (1, 2),
                };
                let slot = &mut self.raw[slot];
                if slot.is_empty() {
                    // Growing step by step would hold up to twice the bytes.
                    slot.reserve(RAW_CAPACITY);
                    slot.push(tag);
                }
                slot.extend_from_slice(bytes);
                self.bytes += bytes.len();
            }
            Decoded::Raw(bytes) => self.event(&event(Payload::Raw(bytes))),
            Decoded::Error(text) => self.error(&text),
        }
    }

    pub(super) fn error(&mut self, text: &str) {
        self.event(&PageEvent::Error(text));
    }

    pub(super) fn terminated(&mut self, end: &TerminatedPayload) {
        self.event(&PageEvent::Terminated(end));
    }

    /// Adds an event. It counts with its JSON: a thousand empty lines are a message of 34 KB.
    fn event(&mut self, event: &PageEvent<'_>) {
        if self.gather {
            // Earlier raw output precedes it.
            self.finish_raw();
            if !self.events.is_empty() {
                self.events.push(b',');
            }
        }
        let before = self.events.len();
        // Serializing these types to memory does not fail.
        if let Err(error) = serde_json::to_writer(&mut self.events, event) {
            tracing::error!(%error, "an event could not be written");
        }
        let bytes = self.events.len() - before;
        self.events_bytes += bytes;
        self.bytes += bytes;
        if !self.gather {
            let event = std::mem::take(&mut self.events);
            self.message(event);
        }
    }

    fn finish_raw(&mut self) {
        for slot in &mut self.raw {
            if !slot.is_empty() {
                let bytes = slot.len() - 1;
                self.messages.push((InvokeResponseBody::Raw(std::mem::take(slot)), bytes));
            }
        }
    }

    fn finish_events(&mut self) {
        if self.events.is_empty() {
            return;
        }
        let mut json = format!(r#"{{"bytes":{},"events":["#, self.events_bytes).into_bytes();
        json.append(&mut self.events);
        json.extend_from_slice(b"]}");
        self.message(json);
    }

    fn message(&mut self, json: Vec<u8>) {
        let bytes = std::mem::take(&mut self.events_bytes);
        // serde_json writes valid UTF-8.
        let json = String::from_utf8(json).unwrap_or_default();
        self.messages.push((InvokeResponseBody::Json(json), bytes));
    }

    /// Takes all messages, with the credit that each needs.
    pub(super) fn take(&mut self) -> Vec<(InvokeResponseBody, usize)> {
        self.finish_raw();
        self.finish_events();
        self.bytes = 0;
        std::mem::take(&mut self.messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(batch: &mut Batch) -> Vec<String> {
        let show = |(body, bytes)| match body {
            InvokeResponseBody::Json(json) => format!("{bytes}: {json}"),
            InvokeResponseBody::Raw(raw) => format!("{bytes}: {raw:?}"),
        };
        batch.take().into_iter().map(show).collect()
    }

    fn fill(batch: &mut Batch, raw: bool) {
        let out = |text: &'static str| match raw {
            true => Decoded::Raw(text.as_bytes()),
            false => Decoded::Text(text),
        };
        batch.output(Stream::Stdout, out("a\n"));
        batch.output(Stream::Stderr, out("b"));
        batch.output(Stream::Stdout, out("c"));
        batch.error("no");
        batch.terminated(&TerminatedPayload { code: Some(0), signal: None, reason: None });
    }

    #[test]
    fn parity_26_a_page_of_the_shell_plugin_gets_its_messages() {
        let mut batch = Batch::new(false);
        fill(&mut batch, false);
        let expected = [
            r#"{"event":"Stdout","payload":"a\n"}"#,
            r#"{"event":"Stderr","payload":"b"}"#,
            r#"{"event":"Stdout","payload":"c"}"#,
            r#"{"event":"Error","payload":"no"}"#,
            r#"{"event":"Terminated","payload":{"code":0,"signal":null,"reason":null}}"#,
        ];
        // Each counts with its JSON.
        assert_eq!(shown(&mut batch), expected.map(|json| format!("{}: {json}", json.len())));
        batch.output(Stream::Stderr, Decoded::Raw(&[0, 255]));
        assert_eq!(shown(&mut batch), [r#"36: {"event":"Stderr","payload":[0,255]}"#]);
        assert!(batch.is_empty());
    }

    #[test]
    fn events_are_gathered_in_order() {
        let mut batch = Batch::new(true);
        fill(&mut batch, false);
        let bytes = batch.bytes;
        let expected = concat!(
            r#"{"event":"Stdout","payload":"a\n"},{"event":"Stderr","payload":"b"},"#,
            r#"{"event":"Stdout","payload":"c"},{"event":"Error","payload":"no"},"#,
            r#"{"event":"Terminated","payload":{"code":0,"signal":null,"reason":null}}"#
        );
        assert_eq!(bytes, expected.len() - 4, "all but the commas");
        assert_eq!(
            shown(&mut batch),
            [format!(r#"{bytes}: {{"bytes":{bytes},"events":[{expected}]}}"#)]
        );
        assert!(shown(&mut batch).is_empty());
    }

    #[test]
    fn parity_26_raw_output_is_binary_and_stays_in_order_with_the_rest() {
        let mut batch = Batch::new(true);
        fill(&mut batch, true);
        let end = concat!(
            r#"{"event":"Error","payload":"no"},"#,
            r#"{"event":"Terminated","payload":{"code":0,"signal":null,"reason":null}}"#
        );
        let bytes = end.len() - 1;
        let end = format!(r#"{bytes}: {{"bytes":{bytes},"events":[{end}]}}"#);
        assert_eq!(shown(&mut batch), ["3: [1, 97, 10, 99]", "1: [2, 98]", &end]);
        batch.error("first");
        batch.output(Stream::Stdout, Decoded::Raw(b"then"));
        let shown = shown(&mut batch);
        assert!(
            shown[0].contains("first") && shown[1] == "4: [1, 116, 104, 101, 110]",
            "{shown:?}"
        );
    }
}
