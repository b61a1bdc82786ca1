//! Decodes a child's bytes for a webview.
//!
//! The shell plugin (`get_event_buffer` in its `commands.rs`) decodes each line alone. For UTF-8 this module does so too: an
//! invalid line becomes an error, and the stream continues. For the label of another encoding, the decoder lives as long as
//! the stream and lines are split after decoding, so that encodings with several bytes a character work.

use std::time::{Duration, Instant};

use encoding_rs::{CoderResult, Decoder};
use wasi_sidecar::LineSplitter;

use super::encoding::{OutputEncoding, OutputOptions};

/// Decodes one of the two streams.
#[derive(Debug)]
pub(crate) struct StreamDecoder {
    mode: Mode,
    partial_after: Option<Duration>,
    due: Option<Instant>,
}

#[derive(Debug)]
enum Mode {
    Utf8 { incomplete: Incomplete },
    Label { decoder: Box<Decoder>, lines: LineSplitter, incomplete: Incomplete },
    Raw,
}

/// The start of a character that the end of a chunk cut; at most three bytes.
type Incomplete = Vec<u8>;

/// A decoded chunk of output: a line, a piece of a long line, or raw bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoded<'a> {
    Text(&'a str),
    Raw(&'a [u8]),
    /// The output was not valid UTF-8.
    Error(String),
}

impl StreamDecoder {
    pub(crate) fn new(OutputOptions { encoding, partial_after, max_line }: OutputOptions) -> Self {
        let mode = match encoding {
            OutputEncoding::Utf8 => Mode::Utf8 { incomplete: Incomplete::new() },
            OutputEncoding::Label(encoding) => Mode::Label {
                decoder: Box::new(encoding.new_decoder_with_bom_removal()),
                lines: LineSplitter::new(max_line),
                incomplete: Incomplete::new(),
            },
            OutputEncoding::Raw => Mode::Raw,
        };
        Self { mode, partial_after, due: None }
    }

    /// When the held unfinished line is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Decodes output, and emits what is complete.
    pub(crate) fn push(&mut self, bytes: &[u8], emit: &mut impl FnMut(Decoded<'_>)) {
        match &mut self.mode {
            Mode::Raw => emit(Decoded::Raw(bytes)),
            Mode::Utf8 { incomplete } => utf8(bytes, incomplete, emit),
            Mode::Label { decoder, lines, incomplete } => {
                lines.push(decode(decoder, bytes, false).into());
                while let Some(line) = lines.next() {
                    utf8(&line, incomplete, emit);
                }
                self.due = match (self.partial_after, lines.held()) {
                    // A moment beyond the clock's range never comes.
                    (Some(quiet), 1..) => Instant::now().checked_add(quiet),
                    _ => None,
                };
            }
        }
    }

    /// Emits the unfinished line.
    pub(crate) fn flush_partial(&mut self, emit: &mut impl FnMut(Decoded<'_>)) {
        self.due = None;
        if let Mode::Label { lines, incomplete, .. } = &mut self.mode
            && let Some(line) = lines.take_partial()
        {
            utf8(&line, incomplete, emit);
        }
    }

    /// Emits the rest at the end of the stream.
    pub(crate) fn finish(&mut self, emit: &mut impl FnMut(Decoded<'_>)) {
        self.due = None;
        match &mut self.mode {
            Mode::Raw => {}
            Mode::Utf8 { incomplete } => {
                if let Err(error) = String::from_utf8(std::mem::take(incomplete)) {
                    emit(Decoded::Error(error.to_string()));
                }
            }
            Mode::Label { decoder, lines, incomplete } => {
                lines.push(decode(decoder, &[], true).into());
                while let Some(line) = lines.finish() {
                    utf8(&line, incomplete, emit);
                }
            }
        }
    }
}

/// Emits a line, or a piece of one, as UTF-8. Only a piece can end inside a character.
fn utf8(bytes: &[u8], incomplete: &mut Incomplete, emit: &mut impl FnMut(Decoded<'_>)) {
    if !incomplete.is_empty() {
        let mut joined = std::mem::take(incomplete);
        joined.extend_from_slice(bytes);
        return utf8(&joined, incomplete, emit);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => emit(Decoded::Text(text)),
        Err(error) if error.error_len().is_none() => {
            let (whole, rest) = bytes.split_at(error.valid_up_to());
            incomplete.extend_from_slice(rest);
            match std::str::from_utf8(whole) {
                Ok("") | Err(_) => {}
                Ok(text) => emit(Decoded::Text(text)),
            }
        }
        Err(error) => emit(Decoded::Error(error.to_string())),
    }
}

fn decode(decoder: &mut Decoder, mut bytes: &[u8], last: bool) -> String {
    let mut text = String::new();
    loop {
        // Enough for any encoding, unless the number overflows; then each round decodes a part.
        text.reserve(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len()).max(16));
        let (result, read, _) = decoder.decode_to_string(bytes, &mut text, last);
        bytes = &bytes[read..];
        if result == CoderResult::InputEmpty {
            return text;
        }
    }
}

#[cfg(test)]
mod tests {
    use wasi_sidecar::Framing;

    use super::*;

    fn options(encoding: Option<&str>, partial_after: Option<Duration>) -> OutputOptions {
        let encoding = OutputEncoding::from_option(encoding).expect("known");
        OutputOptions { encoding, partial_after, max_line: Framing::MAX_LINE }
    }

    fn decoded(encoding: Option<&str>, chunks: &[&[u8]]) -> Vec<String> {
        let mut found = Vec::new();
        let mut out = |piece: Decoded<'_>| {
            found.push(match piece {
                Decoded::Text(text) => text.to_owned(),
                Decoded::Raw(bytes) => format!("{bytes:?}"),
                Decoded::Error(error) => format!("error: {error}"),
            });
        };
        let mut decoder = StreamDecoder::new(options(encoding, None));
        for chunk in chunks {
            decoder.push(chunk, &mut out);
        }
        decoder.finish(&mut out);
        found
    }

    #[test]
    fn parity_27_a_line_that_is_not_utf8_becomes_an_error_and_the_stream_goes_on() {
        let found = decoded(None, &[b"one\n", b"\xff\n", b"two\n"]);
        let error = "error: invalid utf-8 sequence of 1 bytes from index 0";
        assert_eq!(found, ["one\n", error, "two\n"]);
    }

    #[test]
    fn a_character_that_a_piece_breaks_off_in_is_not_lost() {
        assert_eq!(decoded(None, &[b"a\xc3", b"\xa4b\n"]), ["a", "äb\n"]);
        let found = decoded(None, &[b"a\xc3"]);
        assert_eq!(found[0], "a");
        assert!(found[1].starts_with("error: incomplete utf-8"), "{found:?}");
    }

    #[test]
    fn parity_27_a_label_decodes_and_keeps_its_state() {
        assert_eq!(decoded(Some("latin1"), &[b"gr\xfc\xdfe\n", b"x"]), ["grüße\n", "x"]);
        let utf16: Vec<u8> =
            "\u{feff}eins\nzwei\r\n日本\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for size in 1..utf16.len() {
            let chunks: Vec<&[u8]> = utf16.chunks(size).collect();
            assert_eq!(
                decoded(Some("utf-16le"), &chunks),
                ["eins\n", "zwei\r\n", "日本\n"],
                "{size}"
            );
        }
        assert_eq!(decoded(Some("utf-8"), &[b"\xef\xbb\xbfa\xff\n"]), ["a\u{fffd}\n"]);
    }

    #[test]
    fn parity_27_an_unknown_label_is_refused() {
        let error = OutputEncoding::from_option(Some("utf-99")).expect_err("there is none");
        assert_eq!(error.to_string(), "unknown encoding utf-99");
    }

    #[test]
    fn a_long_line_of_a_label_is_cut_without_losing_a_character() {
        let line = vec![0xe4; Framing::MAX_LINE];
        let found = decoded(Some("latin1"), &[b"x", &line]);
        assert_eq!(found.len(), 3, "two bytes for each of them, and one before");
        assert_eq!(found.concat().chars().count(), line.len() + 1);
    }

    #[test]
    fn an_unfinished_line_that_is_never_due_is_held() {
        let mut decoder = StreamDecoder::new(options(Some("latin1"), Some(Duration::MAX)));
        decoder.push(b"name? ", &mut |_| panic!("not due yet"));
        assert_eq!(decoder.due(), None);
        let mut found = Vec::new();
        decoder.finish(&mut |piece| found.push(format!("{piece:?}")));
        assert_eq!(found, [r#"Text("name? ")"#]);
    }

    #[test]
    fn raw_is_the_bytes() {
        assert_eq!(decoded(Some("raw"), &[&[0, 255]]), ["[0, 255]"]);
    }

    #[test]
    fn an_unfinished_line_is_held_until_it_is_due() {
        let quiet = Some(Duration::from_millis(1));
        let mut decoder = StreamDecoder::new(options(Some("latin1"), quiet));
        let mut found = Vec::new();
        decoder.push(b"name? ", &mut |_| panic!("not due yet"));
        assert!(decoder.due().is_some());
        decoder.flush_partial(&mut |piece| found.push(format!("{piece:?}")));
        assert_eq!(found, [r#"Text("name? ")"#]);
        assert!(decoder.due().is_none());
    }
}
