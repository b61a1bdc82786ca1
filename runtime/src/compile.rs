//! From WebAssembly to machine code: a function from bytes and settings to bytes.
//!
//! Nothing else in this crate compiles, and nothing here knows of guests, caches or tasks, so that the
//! function can run in another process as well. Beside it is what decides when and on which threads that is done.

pub(crate) mod advice;
mod child;
#[cfg(feature = "compiler")]
mod compiler;
pub(crate) mod isolated;
#[cfg(not(feature = "compiler"))]
mod left_out;
pub(crate) mod prescan;
mod protocol;
mod queue;
mod threads;

use wasmtime::{Config, InstanceAllocationStrategy};

use crate::{Error, ErrorKind, Result};

pub use child::CompileChild;
#[cfg(feature = "compiler")]
pub(crate) use compiler::{compile, fingerprint};
#[cfg(not(feature = "compiler"))]
pub(crate) use left_out::{compile, fingerprint};
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
        #[cfg(feature = "compiler")]
        config.cranelift_opt_level(wasmtime::OptLevel::Speed);
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
