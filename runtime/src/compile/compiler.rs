//! What compiles, and what has to be equal for its code to be loaded.

use std::hash::{Hash, Hasher};

use wasmtime::CodeBuilder;

use super::Form;
use crate::{Digest, Error, ErrorKind, Result, text};

/// What has to be equal for code to be loaded: engine version, target, CPU features, settings.
pub(crate) fn fingerprint(engine: &wasmtime::Engine) -> Digest {
    struct Blake(blake3::Hasher);
    impl Hasher for Blake {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            unreachable!("only the whole hash is read")
        }
    }
    let mut hasher = Blake(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    Digest(*hasher.0.finalize().as_bytes())
}

/// Compiles. Takes seconds for a large artifact and cannot be interrupted: call it where that is no harm.
pub(crate) fn compile(engine: &wasmtime::Engine, form: Form, wasm: &[u8]) -> Result<Vec<u8>> {
    let build = || {
        let mut builder = CodeBuilder::new(engine);
        builder.wasm_binary(wasm, None)?;
        match form {
            Form::Component => builder.compile_component_serialized(),
            Form::Module => builder.compile_module_serialized(),
        }
    };
    build().map_err(|error| {
        let cause = text::line(&format!("{error:#}"));
        let (kind, text) = match why(wasm) {
            Why::Invalid => (ErrorKind::Damaged, "it is damaged inside; build or copy it again"),
            Why::Proposal => {
                (ErrorKind::Unsupported, "it uses a WebAssembly proposal that sidecars do not have")
            }
            Why::Compiler => (ErrorKind::Compile, "the compiler cannot translate it"),
        };
        Error::new(kind, format!("{text} ({cause})"))
    })
}

/// Why an artifact did not compile. A damaged one must not be mistaken for one this host merely cannot run:
/// the former is never replaced by a native twin.
enum Why {
    /// Not valid WebAssembly whatever is switched on.
    Invalid,
    /// Valid, with something switched on that is off here.
    Proposal,
    /// Valid here, and the compiler failed all the same.
    Compiler,
}

fn why(wasm: &[u8]) -> Why {
    use wasmparser::{Validator, WasmFeatures};

    let with = |features| Validator::new_with_features(features).validate_all(wasm).is_ok();
    if !with(WasmFeatures::all()) {
        Why::Invalid
    } else if with(features()) {
        Why::Compiler
    } else {
        Why::Proposal
    }
}

/// The proposals that are on: what [`Settings::engine`](super::Settings::engine) leaves on or switches on.
fn features() -> wasmparser::WasmFeatures {
    use wasmparser::WasmFeatures;

    let off = WasmFeatures::THREADS
        | WasmFeatures::MEMORY64
        | WasmFeatures::FUNCTION_REFERENCES
        | WasmFeatures::GC
        | WasmFeatures::TAIL_CALL
        | WasmFeatures::RELAXED_SIMD
        | WasmFeatures::CUSTOM_PAGE_SIZES
        | WasmFeatures::WIDE_ARITHMETIC
        | WasmFeatures::CM_ASYNC;
    (WasmFeatures::default() | WasmFeatures::EXCEPTIONS) - off
}
