//! What is sent to a page: events gathered into messages.
//!
//! A page that asked for it (`batch`) gets `{ "bytes": N, "events": [ … ] }`, the events as the shell plugin writes them, or,
//! for raw output, the bytes after one that names the stream. Any other page gets the shell plugin's own messages, one
//! event each.

use tauri::ipc::InvokeResponseBody;

use super::{FULL, FULL_RAW, RAW_MESSAGE, Stream};
use crate::{
    encoding::Piece,
    js::{Event, Text},
    process::TerminatedPayload,
};

/// Events that have not been sent.
#[derive(Debug)]
pub(super) struct Batch {
    gather: bool,
    /// Finished messages, with the bytes each counts for.
    messages: Vec<(InvokeResponseBody, usize)>,
    /// Events of the message that is being gathered, joined by commas.
    events: Vec<u8>,
    events_bytes: usize,
    /// Raw output that is being gathered, behind the byte that names its stream.
    raw: [Vec<u8>; 2],
    bytes: usize,
}

impl Batch {
    pub(super) fn new(gather: bool) -> Self {
        let (messages, events, raw) = Default::default();
        Self { gather, messages, events, events_bytes: 0, raw, bytes: 0 }
    }

    /// Whether it is worth a message.
    pub(super) fn is_full(&self) -> bool {
        let raw: usize = self.raw.iter().map(Vec::len).sum();
        self.bytes.saturating_sub(raw) >= FULL || self.bytes >= FULL_RAW
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub(super) fn output(&mut self, stream: Stream, piece: Piece<'_>) {
        let event = |text| match stream {
            Stream::Stdout => Event::Stdout(text),
            Stream::Stderr => Event::Stderr(text),
        };
        match piece {
            Piece::Text(text) => self.event(&event(Text::Text(text))),
            Piece::Raw(bytes) if self.gather => {
                // Events that came before it are sent before it.
                self.finish_events();
                let (slot, tag) = match stream {
                    Stream::Stdout => (0, 1),
                    Stream::Stderr => (1, 2),
                };
                let slot = &mut self.raw[slot];
                if slot.is_empty() {
                    // At once, and not in steps that each hold twice the bytes.
                    slot.reserve(RAW_MESSAGE);
                    slot.push(tag);
                }
                slot.extend_from_slice(bytes);
                self.bytes += bytes.len();
            }
            Piece::Raw(bytes) => self.event(&event(Text::Raw(bytes))),
            Piece::Error(text) => self.error(&text),
        }
    }

    pub(super) fn error(&mut self, text: &str) {
        self.event(&Event::Error(text));
    }

    pub(super) fn terminated(&mut self, end: &TerminatedPayload) {
        self.event(&Event::Terminated(end));
    }

    /// An event counts for all that is sent of it: a thousand empty lines are a message of 34 KB.
    fn event(&mut self, event: &Event<'_>) {
        if self.gather {
            // Raw output that came before it is sent before it.
            self.finish_raw();
            if !self.events.is_empty() {
                self.events.push(b',');
            }
        }
        let before = self.events.len();
        // Writing to memory does not fail, and neither does the JSON of these types.
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
        // serde_json writes UTF-8.
        let json = String::from_utf8(json).unwrap_or_default();
        self.messages.push((InvokeResponseBody::Json(json), bytes));
    }

    /// The messages, and what each counts for. Nothing is left.
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
            true => Piece::Raw(text.as_bytes()),
            false => Piece::Text(text),
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
        // Each counts for all that is sent of it.
        assert_eq!(shown(&mut batch), expected.map(|json| format!("{}: {json}", json.len())));
        batch.output(Stream::Stderr, Piece::Raw(&[0, 255]));
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
        batch.output(Stream::Stdout, Piece::Raw(b"then"));
        let shown = shown(&mut batch);
        assert!(
            shown[0].contains("first") && shown[1] == "4: [1, 116, 104, 101, 110]",
            "{shown:?}"
        );
    }
}
