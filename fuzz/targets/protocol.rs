//! What a compile child and whoever started it read of each other: any bytes are a message that was sealed, or none.
//!
//! A child that an artifact has taken over can answer anything. It knows the key, so that an answer of its own is an answer; what
//! it must not do is make its parent fall over, take memory for what it only claims, or believe a message that was changed.
#![no_main]
#![expect(clippy::disallowed_methods, reason = "the macro can write down the input it was given")]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use protocol::{Answer, Broken, Key, Request};
use wasi_sidecar::{Digest, ErrorKind};

// The library does not show it; this is its file, with what it finds around it there.
#[path = "../../runtime/src/compile/protocol.rs"]
mod protocol;

/// What is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Component,
    Module,
}

const KEY: Key = [7; 32];

/// Bytes of code that an answer may have here.
const MAX: u64 = 1 << 20;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    /// A child reads what it is asked.
    Asked(&'a [u8]),
    /// A parent reads whether its child is ready.
    Ready(&'a [u8]),
    /// A parent reads an answer.
    Answered(&'a [u8]),
    /// The same, of a child that seals whatever it says.
    Sealed { kind: u8, bytes: &'a [u8], rest: &'a [u8] },
    /// An answer that was changed on its way.
    Changed { code: &'a [u8], changes: Vec<(u16, u8)>, cut: Option<u16> },
    /// What is asked, changed on its way.
    AskedOtherwise { numbers: [u64; 4], module: bool, at: u8, bits: u8 },
}

fuzz_target!(|input: Input<'_>| {
    match input {
        Input::Asked(bytes) => {
            if let Ok(request) = Request::read(&mut &*bytes) {
                assert!(bytes.starts_with(&written(&request)), "another request");
            }
        }
        Input::Ready(bytes) => {
            let fingerprint = Digest::of(b"an engine");
            let is_ready = protocol::read_ready(&mut &*bytes, &fingerprint).is_ok();
            let mut ready = Vec::new();
            protocol::write_ready(&mut ready, &fingerprint).expect("memory takes it");
            assert_eq!(is_ready, bytes.starts_with(&ready));
        }
        Input::Answered(bytes) => match Answer::read(&mut &*bytes, &KEY, MAX) {
            Ok(answer) => assert!(bytes.starts_with(&sealed(&answer)), "nobody has sealed it"),
            Err(Broken::TooLarge(length)) => assert!(length > MAX),
            Err(_) => {}
        },
        Input::Sealed { kind, bytes, rest } => {
            let message = message(kind, bytes, rest);
            match Answer::read(&mut &*message, &KEY, MAX) {
                Ok(Answer::Code(code)) => assert!(kind == 0 && code == bytes),
                Ok(Answer::Failed(_, text)) => {
                    assert!((1..=5).contains(&kind) && text == String::from_utf8_lossy(bytes));
                }
                Err(Broken::Garbage) => assert!(kind > 5 || bytes.len() > 8 << 10),
                Err(other) => panic!("{other:?}"),
            }
        }
        Input::Changed { code, changes, cut } => {
            let whole = sealed(&Answer::Code(code.to_vec()));
            let mut bytes = whole.clone();
            for (at, bits) in changes {
                let at = usize::from(at) % bytes.len();
                bytes[at] ^= bits;
            }
            bytes.truncate(cut.map_or(bytes.len(), |cut| usize::from(cut) % (bytes.len() + 1)));
            let read = Answer::read(&mut &*bytes, &KEY, MAX);
            assert_eq!(read.is_ok(), bytes == whole, "{read:?}");
            assert!(Answer::read(&mut &*whole, &[8; 32], MAX).is_err(), "another key");
        }
        Input::AskedOtherwise {
            numbers: [guest_stack, memory, cpu_seconds, artifact],
            module,
            at,
            bits,
        } => {
            let form = if module { Form::Module } else { Form::Component };
            let request = Request {
                token: [1; 32],
                key: KEY,
                form,
                guest_stack,
                memory,
                cpu_seconds,
                artifact,
                background: module,
            };
            let mut bytes = written(&request);
            assert!(Request::read(&mut &*bytes).is_ok_and(|read| read == request));
            let at = usize::from(at) % bytes.len();
            bytes[at] ^= bits;
            let read = Request::read(&mut &*bytes);
            // The magic, the form, and whether it is done in the background have values that are none.
            let strict = at < 16 || at == 80 || at == bytes.len() - 1;
            assert!(bits == 0 || read.is_ok_and(|read| read != request) || strict);
        }
    }
});

fn written(request: &Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    request.write(&mut bytes).expect("memory takes it");
    bytes
}

fn sealed(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    answer.write(&mut bytes, &KEY).expect("memory takes it");
    bytes
}

/// An answer of any kind, as whoever has the key can make it.
fn message(kind: u8, bytes: &[u8], rest: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    let mut hasher = blake3::Hasher::new_keyed(&KEY);
    hasher.update(&[kind]).update(&length).update(bytes);
    [&[kind], &length[..], bytes, hasher.finalize().as_bytes(), rest].concat()
}
