//! Lines are the same for every way the same bytes can arrive.

use bytes::Bytes;
use proptest::prelude::*;
use wasi_sidecar::LineSplitter;

/// The definition, over the whole text at once: a line ends after `\n`, after `\r\n`, or after a `\r` that no
/// `\n` follows, or when it has `max` bytes.
fn reference(bytes: &[u8], max: usize) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut line = Vec::new();
    for (i, byte) in bytes.iter().enumerate() {
        line.push(*byte);
        let next = bytes.get(i + 1);
        let pair = *byte == b'\r' && next == Some(&b'\n');
        if line.len() == max || *byte == b'\n' || (*byte == b'\r' && !pair) {
            lines.push(std::mem::take(&mut line));
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

fn split<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, max: usize) -> Vec<Vec<u8>> {
    let mut splitter = LineSplitter::new(max);
    let mut lines = Vec::new();
    for chunk in chunks {
        splitter.push(Bytes::copy_from_slice(chunk));
        while let Some(line) = splitter.next() {
            lines.push(line.to_vec());
        }
    }
    while let Some(line) = splitter.finish() {
        lines.push(line.to_vec());
    }
    lines
}

/// The lines of the blocks.
fn blocks<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut splitter = LineSplitter::new(usize::MAX);
    let mut lines = Vec::new();
    for chunk in chunks {
        splitter.push(Bytes::copy_from_slice(chunk));
        while let Some(block) = splitter.next_block() {
            lines.extend(reference(&block, usize::MAX));
        }
    }
    while let Some(line) = splitter.finish() {
        lines.push(line.to_vec());
    }
    lines
}

/// Every way to cut a short text.
#[test]
fn every_chunking_of_short_texts_gives_the_same_lines() {
    let alphabet = [b'a', b'\n', b'\r'];
    for length in 0..=6u32 {
        for number in 0..alphabet.len().pow(length) {
            let text: Vec<u8> = (0..length)
                .map(|digit| alphabet[number / alphabet.len().pow(digit) % alphabet.len()])
                .collect();
            for max in [1, 2, 3, 100] {
                let expected = reference(&text, max);
                for cuts in 0..1u32 << length.saturating_sub(1) {
                    let mut chunks = Vec::new();
                    let mut start = 0;
                    for end in 1..=text.len() {
                        if end == text.len() || cuts & (1 << (end - 1)) != 0 {
                            chunks.push(&text[start..end]);
                            start = end;
                        }
                    }
                    if max > text.len() {
                        assert_eq!(blocks(chunks.clone()), expected, "{text:?} cut at {cuts:b}");
                    }
                    assert_eq!(split(chunks, max), expected, "{text:?} cut at {cuts:b}, max {max}");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn any_chunking_of_any_bytes_gives_the_same_lines(
        pieces in prop::collection::vec(
            prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..40),
            0..40,
        ),
        max in 1usize..60,
    ) {
        let whole = pieces.concat();
        let expected = reference(&whole, max);
        prop_assert_eq!(&split(pieces.iter().map(Vec::as_slice), max), &expected);
        prop_assert_eq!(&split([whole.as_slice()], max), &expected);
        prop_assert_eq!(expected.concat(), whole, "nothing is lost or added");
    }
}
