//! Cutting lines: the same bytes give the same lines in whatever pieces they arrive, and nothing is held without bound.
#![no_main]
#![expect(clippy::disallowed_methods, reason = "the macro can write down the input it was given")]

use arbitrary::Arbitrary;
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wasi_sidecar::LineSplitter;

#[derive(Arbitrary, Debug)]
struct Stream {
    max: u8,
    chunks: Vec<Vec<Part>>,
    /// Whether all lines are taken after each push, as the documentation asks.
    patient: bool,
}

/// Terminators are as likely as anything else.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Part {
    Feed,
    Return,
    Letter,
    Byte(u8),
}

fuzz_target!(|stream: Stream| {
    let max = usize::from(stream.max).max(1);
    let byte = |part: &Part| match part {
        Part::Feed => b'\n',
        Part::Return => b'\r',
        Part::Letter => b'x',
        Part::Byte(byte) => *byte,
    };
    let mut splitter = LineSplitter::new(usize::from(stream.max));
    let (mut whole, mut lines) = (Vec::new(), Vec::new());
    for chunk in &stream.chunks {
        let bytes: Bytes = chunk.iter().map(byte).collect();
        whole.extend_from_slice(&bytes);
        splitter.push(bytes);
        if stream.patient {
            lines.extend(std::iter::from_fn(|| splitter.next()));
            assert!(splitter.held() <= max, "{} bytes held", splitter.held());
        } else {
            lines.extend(splitter.next());
        }
    }
    lines.extend(std::iter::from_fn(|| splitter.finish()));
    assert_eq!(splitter.held(), 0);
    assert_eq!(lines, expected(&whole, max));
});

/// The definition, over all bytes at once: a line ends after `\n`, after `\r\n`, after a `\r` that no `\n` follows, or
/// when it is as long as a line may be.
fn expected(whole: &[u8], max: usize) -> Vec<Bytes> {
    let (mut lines, mut start) = (Vec::new(), 0);
    for (at, byte) in whole.iter().enumerate() {
        let pair = *byte == b'\r' && whole.get(at + 1) == Some(&b'\n');
        if *byte == b'\n' || (*byte == b'\r' && !pair) || at + 1 - start == max {
            lines.push(Bytes::copy_from_slice(&whole[start..=at]));
            start = at + 1;
        }
    }
    if start < whole.len() {
        lines.push(Bytes::copy_from_slice(&whole[start..]));
    }
    lines
}
