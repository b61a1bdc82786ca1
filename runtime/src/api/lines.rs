//! Splits a stream of bytes into lines. No I/O, no clock.
//!
//! The shell plugin ends a line at `\r` only if the same read has no `\n`, so the same bytes give different lines when
//! they arrive in different pieces. Here a line ends at `\n`, at `\r\n`, or at a `\r` that no `\n` follows, however the
//! bytes arrive. The price: a `\r` at the end of the input is held back until the next byte or the end of the stream
//! decides.

use bytes::{Bytes, BytesMut};

/// Splits pushed bytes into lines that keep their terminator.
///
/// ```
/// use wasi_sidecar::LineSplitter;
///
/// let mut lines = LineSplitter::new(1024);
/// lines.push("one\ntw".into());
/// assert_eq!(lines.next().as_deref(), Some("one\n".as_bytes()));
/// assert_eq!(lines.next(), None);
/// lines.push("o\r\nthree".into());
/// assert_eq!(lines.next().as_deref(), Some("two\r\n".as_bytes()));
/// assert_eq!(lines.finish().as_deref(), Some("three".as_bytes()));
/// ```
#[derive(Debug)]
pub struct LineSplitter {
    /// Start of a line whose end has not arrived. At most `max` bytes.
    partial: BytesMut,
    /// Pushed bytes that were not searched yet.
    input: Bytes,
    max: usize,
}

impl LineSplitter {
    /// A splitter that delivers a line of more than `max` bytes in pieces of `max` bytes. Zero counts as one.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { partial: BytesMut::new(), input: Bytes::new(), max: max.max(1) }
    }

    /// Adds bytes. Take all lines with [`next`](Self::next) before the next push: leftover bytes are copied.
    pub fn push(&mut self, bytes: Bytes) {
        if self.input.is_empty() {
            self.input = bytes;
        } else {
            let mut joined = BytesMut::with_capacity(self.input.len() + bytes.len());
            joined.extend_from_slice(&self.input);
            joined.extend_from_slice(&bytes);
            self.input = joined.freeze();
        }
    }

    /// The next complete line, or a piece of a line over the limit. `None`: push more.
    #[expect(
        clippy::should_implement_trait,
        reason = "not an iterator: it can give more after `None`"
    )]
    pub fn next(&mut self) -> Option<Bytes> {
        // A `\r` was held back. This byte decides whether it ends the line.
        if self.partial.last() == Some(&b'\r') {
            let first = *self.input.first()?;
            if first == b'\n' && self.partial.len() < self.max {
                return Some(self.complete(1));
            }
            return Some(self.partial.split().freeze());
        }
        let room = self.max - self.partial.len();
        let window = &self.input[..self.input.len().min(room)];
        match memchr::memchr2(b'\n', b'\r', window) {
            Some(at) if window[at] == b'\n' => Some(self.complete(at + 1)),
            Some(at) => match self.input.get(at + 1) {
                // `\r\n` stays together unless the limit falls between the two.
                Some(b'\n') if at + 2 <= room => Some(self.complete(at + 2)),
                Some(_) => Some(self.complete(at + 1)),
                None if at + 1 == room => Some(self.complete(at + 1)),
                None => {
                    self.hold();
                    None
                }
            },
            None if window.len() == room => Some(self.complete(room)),
            None => {
                self.hold();
                None
            }
        }
    }

    /// All complete lines in one piece, which ends at the end of a line; or a piece of a line over the limit. `None`:
    /// push more. Costs once per push instead of once per line.
    ///
    /// ```
    /// use wasi_sidecar::LineSplitter;
    ///
    /// let mut lines = LineSplitter::new(1024);
    /// lines.push("one\ntwo\nthr".into());
    /// assert_eq!(lines.next_block().as_deref(), Some("one\ntwo\n".as_bytes()));
    /// assert_eq!(lines.next_block(), None);
    /// lines.push("ee\n".into());
    /// assert_eq!(lines.next_block().as_deref(), Some("three\n".as_bytes()));
    /// ```
    pub fn next_block(&mut self) -> Option<Bytes> {
        let undecided = usize::from(self.input.last() == Some(&b'\r'));
        let decided = &self.input[..self.input.len() - undecided];
        match memchr::memrchr2(b'\n', b'\r', decided) {
            Some(at) => Some(self.complete(at + 1)),
            None => self.next(),
        }
    }

    /// The last line without a terminator, at the end of the stream. `None` if there is none.
    pub fn finish(&mut self) -> Option<Bytes> {
        if let Some(line) = self.next() {
            return Some(line);
        }
        self.take_partial()
    }

    /// The unfinished line so far, such as a prompt or a progress bar that ends in `\r`. What follows is a line of its
    /// own, so a `\n` after a held `\r` comes alone. Take all lines with [`next`](Self::next) first.
    pub fn take_partial(&mut self) -> Option<Bytes> {
        let rest = self.partial.split().freeze();
        (!rest.is_empty()).then_some(rest)
    }

    /// Bytes held of an unfinished line.
    #[must_use]
    pub fn held(&self) -> usize {
        self.partial.len() + self.input.len()
    }

    /// Ends a line after `length` bytes of the input. Without a held start it is a slice, not a copy.
    fn complete(&mut self, length: usize) -> Bytes {
        let end = self.input.split_to(length);
        if self.partial.is_empty() {
            return end;
        }
        self.partial.extend_from_slice(&end);
        self.partial.split().freeze()
    }

    /// Keeps an unfinished line. Copies it, so that a short rest does not keep a whole chunk alive.
    fn hold(&mut self) {
        self.partial.extend_from_slice(&self.input);
        self.input = Bytes::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(chunks: &[&[u8]], max: usize) -> Vec<String> {
        let mut splitter = LineSplitter::new(max);
        let mut lines = Vec::new();
        for chunk in chunks {
            splitter.push(Bytes::copy_from_slice(chunk));
            while let Some(line) = splitter.next() {
                lines.push(line);
            }
        }
        while let Some(line) = splitter.finish() {
            lines.push(line);
        }
        lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    #[test]
    fn lines_end_where_the_contract_says() {
        let rows: &[(&str, usize, &[&str])] = &[
            ("", 80, &[]),
            ("a", 80, &["a"]),
            ("a\nb\n", 80, &["a\n", "b\n"]),
            ("\n\n", 80, &["\n", "\n"]),
            ("a\r\nb", 80, &["a\r\n", "b"]),
            ("a\rb\r", 80, &["a\r", "b\r"]),
            ("\r\r\n\n", 80, &["\r", "\r\n", "\n"]),
            ("abcdef", 4, &["abcd", "ef"]),
            ("abcd\nef", 4, &["abcd", "\n", "ef"]),
            ("abc\r\n", 4, &["abc\r", "\n"]),
            ("ab\r\n", 4, &["ab\r\n"]),
            ("a\n", 1, &["a", "\n"]),
        ];
        for (text, max, expected) in rows {
            assert_eq!(split(&[text.as_bytes()], *max), *expected, "{text:?} in one piece");
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(split(&bytes, *max), *expected, "{text:?} byte by byte");
        }
    }

    #[test]
    fn an_unfinished_line_can_be_taken_and_no_byte_is_lost() {
        let mut splitter = LineSplitter::new(80);
        assert_eq!(splitter.take_partial(), None);
        for (bytes, partial) in [("name? ", "name? "), ("50 %\r", "50 %\r")] {
            splitter.push(bytes.into());
            assert_eq!(splitter.next(), None);
            assert_eq!(splitter.take_partial().as_deref(), Some(partial.as_bytes()));
            assert_eq!(splitter.held(), 0);
        }
        splitter.push("\nnext\n".into());
        assert_eq!(splitter.next().as_deref(), Some("\n".as_bytes()));
        assert_eq!(splitter.next().as_deref(), Some("next\n".as_bytes()));
    }

    #[test]
    fn blocks_hold_the_same_lines() {
        let rows: &[(&[&str], &[&str])] = &[
            (&["a\nb\nc"], &["a\nb\n", "c"]),
            (&["a\nb\r", "\nc\n"], &["a\n", "b\r\nc\n"]),
            (&["a\r", "b\r"], &["a\r", "b\r"]),
            (&["a", "b", "\n"], &["ab\n"]),
            (&["abcdefgh", "ij\nk\n"], &["abcd", "efgh", "ij\nk\n"]),
        ];
        for (chunks, expected) in rows {
            let mut splitter = LineSplitter::new(4);
            let mut blocks = Vec::new();
            for chunk in *chunks {
                splitter.push(Bytes::copy_from_slice(chunk.as_bytes()));
                while let Some(block) = splitter.next_block() {
                    blocks.push(block);
                }
            }
            blocks.extend(std::iter::from_fn(|| splitter.finish()));
            let blocks: Vec<_> =
                blocks.iter().map(|block| String::from_utf8_lossy(block)).collect();
            assert_eq!(blocks, *expected, "{chunks:?}");
        }
    }

    #[test]
    fn what_is_held_is_bounded_by_the_limit() {
        let mut splitter = LineSplitter::new(100);
        for _ in 0..1000 {
            splitter.push(Bytes::from_static(&[b'x'; 7]));
            while splitter.next().is_some() {}
            assert!(splitter.held() <= 100, "{}", splitter.held());
        }
    }
}
