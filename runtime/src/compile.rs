//! From WebAssembly to machine code: a function from bytes and settings to bytes.
//!
//! Nothing else in this crate compiles, and nothing here knows of guests, caches or tasks, so that the
//! function can run in another process as well. Beside it is what decides when and on which threads that is done.

pub(crate) mod advice;
mod child;
pub(crate) mod isolated;
pub(crate) mod prescan;
mod protocol;
mod queue;
mod threads;

use std::hash::{Hash, Hasher};

use wasmtime::{CodeBuilder, Config, InstanceAllocationStrategy, OptLevel};

use crate::{Digest, Error, ErrorKind, Result, text};

pub use child::CompileChild;
pub(crate) use queue::{Queue, Urgency, Waiters};
pub(crate) use threads::on_all_cores;

/// Stack of a guest's own frames.
pub(crate) const DEFAULT_GUEST_STACK: usize = 512 << 10;

/// Host stack kept free below a guest's frames for the calls it makes.
const HOST_STACK: usize = 1536 << 10;

/// Everything that changes the code.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) guest_stack: usize,
    /// Another machine than this one, as a target triple.
    pub(crate) target: Option<String>,
}

/// What the bytes are: the engine has a compiler for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Component,
    Module,
}

impl Settings {
    /// An engine for these settings.
    pub(crate) fn engine(&self) -> Result<wasmtime::Engine> {
        self.engine_with(InstanceAllocationStrategy::OnDemand)
    }

    /// An engine for these settings, whose guests' memory comes from there.
    pub(crate) fn engine_with(
        &self,
        allocation: InstanceAllocationStrategy,
    ) -> Result<wasmtime::Engine> {
        let mut config = Config::new();
        config
            .allocation_strategy(allocation)
            .epoch_interruption(true)
            // WASI 0.1 and 0.2 need no concurrency inside a guest, and spawning is faster without it.
            .concurrency_support(false)
            .cranelift_opt_level(OptLevel::Speed)
            .max_wasm_stack(self.guest_stack)
            .async_stack_size(self.guest_stack + HOST_STACK)
            // Proposals that no tool chain of a sidecar emits are surface without use. Exceptions stay: C
            // programs that use setjmp need them.
            .wasm_features(wasmtime::WasmFeatures::THREADS, false)
            .wasm_memory64(false)
            .wasm_function_references(false)
            .wasm_gc(false)
            .wasm_exceptions(true)
            .wasm_tail_call(false)
            .wasm_relaxed_simd(false)
            .wasm_custom_page_sizes(false)
            .wasm_wide_arithmetic(false);
        if let Some(target) = &self.target {
            config.target(target).map_err(|error| {
                Error::with(
                    ErrorKind::InvalidInput,
                    format!("`{target}` is no target this version compiles for"),
                    error,
                )
            })?;
        }
        wasmtime::Engine::new(&config)
            .map_err(|error| Error::with(ErrorKind::Internal, "failed to set up the engine", error))
    }
}

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

/// The proposals that are on: what [`Settings::engine`] leaves on or switches on.
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
