//! Identifying an artifact: any bytes are told what they are, or refused with a reason.
#![no_main]
#![expect(clippy::disallowed_methods, reason = "the macro can write down the input it was given")]

use libfuzzer_sys::fuzz_target;
use wasi_sidecar::{Artifact, Digest};

fuzz_target!(|bytes: &[u8]| {
    let Ok(artifact) = Artifact::identify(bytes) else { return };
    assert_eq!(artifact.size(), bytes.len() as u64);
    assert_eq!(artifact.digest(), Digest::of(bytes));
    // What runs has a version of WASI and a world; what does not says why in a text fit to be shown.
    match artifact.check_runnable() {
        Ok(()) => assert!(artifact.wasi().is_some() && artifact.world().is_some()),
        Err(error) => {
            let text = error.chain().to_string();
            assert!(!text.is_empty() && text.len() <= LONGEST_TEXT, "{} bytes", text.len());
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        }
    }
    for need in artifact.needs() {
        assert!(!need.as_str().is_empty());
    }
    // A second look sees the same.
    let again = Artifact::identify(bytes).expect("as before");
    assert_eq!(
        (again.kind(), again.imports(), again.exports()),
        (artifact.kind(), artifact.imports(), artifact.exports())
    );
});

/// What a refusal may take of a log or a window.
const LONGEST_TEXT: usize = 4096;
