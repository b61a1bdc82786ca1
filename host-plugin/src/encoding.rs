//! From a child's bytes to what a webview is sent: text, or the bytes themselves.
//!
//! The shell plugin (`get_event_buffer` in its `commands.rs`) decodes each line alone. That is kept where it is a promise: as
//! UTF-8, a line that is none becomes an error and the stream goes on. With the label of an encoding the decoder here lives
//! as long as the stream, and lines are cut after decoding, so that encodings with more than one byte a character work.

use std::time::{Duration, Instant};

use encoding_rs::{CoderResult, Decoder};
use wasi_sidecar::{Framing, LineSplitter};

use crate::{Error, Result};

/// How output is turned into what a webview gets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Encoding {
    /// Strictly UTF-8, line by line.
    Utf8,
    /// Decoded; what does not fit becomes U+FFFD.
    Label(&'static encoding_rs::Encoding),
    /// The bytes.
    Raw,
}

impl Encoding {
    /// The `encoding` option of a call.
    pub(crate) fn from_option(option: Option<&str>) -> Result<Self> {
        match option {
            None => Ok(Self::Utf8),
            Some("raw") => Ok(Self::Raw),
            Some(label) => encoding_rs::Encoding::for_label(label.as_bytes())
                .map(Self::Label)
                .ok_or_else(|| Error::UnknownEncoding(label.to_owned())),
        }
    }

    /// A whole output, as `execute` answers it.
    pub(crate) fn text(self, bytes: Vec<u8>) -> Result<String> {
        match self {
            Self::Label(encoding) => Ok(encoding.decode_with_bom_removal(&bytes).0.into_owned()),
            Self::Utf8 | Self::Raw => Ok(String::from_utf8(bytes)?),
        }
    }
}

/// How one child's output is read for a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) encoding: Encoding,
    /// How long an unfinished line is held back.
    pub(crate) partial_after: Option<Duration>,
    /// Bytes of a line that is delivered whole.
    pub(crate) max_line: usize,
}

impl Reading {
    /// How the runtime cuts the output that is decoded here.
    pub(crate) fn framing(self) -> Framing {
        let lines = Framing::lines().max_line(self.max_line);
        match (self.encoding, self.partial_after) {
            (Encoding::Utf8, Some(quiet)) => lines.partial_after(quiet),
            (Encoding::Utf8, None) => lines,
            (Encoding::Label(_) | Encoding::Raw, _) => Framing::Raw,
        }
    }
}

/// One of the two streams, in the middle of being decoded.
#[derive(Debug)]
pub(crate) struct StreamDecoder {
    form: Form,
    partial_after: Option<Duration>,
    due: Option<Instant>,
}

#[derive(Debug)]
enum Form {
    Utf8 { broken: Broken },
    Label { decoder: Box<Decoder>, lines: LineSplitter, broken: Broken },
    Raw,
}

/// The start of a character that a piece of a long line broke off in; at most three bytes.
type Broken = Vec<u8>;

/// A piece of output, decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    Raw(&'a [u8]),
    /// It was no text.
    Error(String),
}

impl StreamDecoder {
    pub(crate) fn new(Reading { encoding, partial_after, max_line }: Reading) -> Self {
        let form = match encoding {
            Encoding::Utf8 => Form::Utf8 { broken: Broken::new() },
            Encoding::Label(encoding) => Form::Label {
                decoder: Box::new(encoding.new_decoder_with_bom_removal()),
                lines: LineSplitter::new(max_line),
                broken: Broken::new(),
            },
            Encoding::Raw => Form::Raw,
        };
        Self { form, partial_after, due: None }
    }

    /// When the unfinished line that is held wants to be delivered as it is.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Decodes what the child wrote, and hands out what is complete.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut impl FnMut(Piece<'_>)) {
        match &mut self.form {
            Form::Raw => out(Piece::Raw(bytes)),
            Form::Utf8 { broken } => utf8(bytes, broken, out),
            Form::Label { decoder, lines, broken } => {
                lines.push(decode(decoder, bytes, false).into());
                while let Some(line) = lines.next() {
                    utf8(&line, broken, out);
                }
                self.due = match (self.partial_after, lines.held()) {
                    // A moment beyond what the clock can say never comes.
                    (Some(quiet), 1..) => Instant::now().checked_add(quiet),
                    _ => None,
                };
            }
        }
    }

    /// Hands out the unfinished line as it is.
    pub(crate) fn flush_partial(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        self.due = None;
        if let Form::Label { lines, broken, .. } = &mut self.form
            && let Some(line) = lines.take_partial()
        {
            utf8(&line, broken, out);
        }
    }

    /// The stream has ended: hands out the rest.
    pub(crate) fn finish(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        self.due = None;
        match &mut self.form {
            Form::Raw => {}
            Form::Utf8 { broken } => {
                if let Err(error) = String::from_utf8(std::mem::take(broken)) {
                    out(Piece::Error(error.to_string()));
                }
            }
            Form::Label { decoder, lines, broken } => {
                lines.push(decode(decoder, &[], true).into());
                while let Some(line) = lines.finish() {
                    utf8(&line, broken, out);
                }
            }
        }
    }
}

/// A line, or a piece of one, that has to be UTF-8. A piece can break off inside a character, a whole line cannot.
fn utf8(bytes: &[u8], broken: &mut Broken, out: &mut impl FnMut(Piece<'_>)) {
    if !broken.is_empty() {
        let mut joined = std::mem::take(broken);
        joined.extend_from_slice(bytes);
        return utf8(&joined, broken, out);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => out(Piece::Text(text)),
        Err(error) if error.error_len().is_none() => {
            let (whole, rest) = bytes.split_at(error.valid_up_to());
            broken.extend_from_slice(rest);
            match std::str::from_utf8(whole) {
                Ok("") | Err(_) => {}
                Ok(text) => out(Piece::Text(text)),
            }
        }
        Err(error) => out(Piece::Error(error.to_string())),
    }
}

fn decode(decoder: &mut Decoder, mut bytes: &[u8], last: bool) -> String {
    let mut text = String::new();
    loop {
        // Enough for any encoding, unless the number overflows, and then a part of it is decoded at a time.
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
    use super::*;

    fn reading(encoding: Option<&str>, partial_after: Option<Duration>) -> Reading {
        let encoding = Encoding::from_option(encoding).expect("known");
        Reading { encoding, partial_after, max_line: Framing::MAX_LINE }
    }

    /// All pieces that come of these chunks.
    fn decoded(encoding: Option<&str>, chunks: &[&[u8]]) -> Vec<String> {
        let mut found = Vec::new();
        let mut out = |piece: Piece<'_>| {
            found.push(match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Raw(bytes) => format!("{bytes:?}"),
                Piece::Error(error) => format!("error: {error}"),
            });
        };
        let mut decoder = StreamDecoder::new(reading(encoding, None));
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
        let error = Encoding::from_option(Some("utf-99")).expect_err("there is none");
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
        let mut decoder = StreamDecoder::new(reading(Some("latin1"), Some(Duration::MAX)));
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
        let mut decoder = StreamDecoder::new(reading(Some("latin1"), quiet));
        let mut found = Vec::new();
        decoder.push(b"name? ", &mut |_| panic!("not due yet"));
        assert!(decoder.due().is_some());
        decoder.flush_partial(&mut |piece| found.push(format!("{piece:?}")));
        assert_eq!(found, [r#"Text("name? ")"#]);
        assert!(decoder.due().is_none());
    }
}
