//! From WebAssembly to machine code: a function from bytes and settings to bytes.
//!
//! Nothing else in this crate compiles, and nothing here knows of guests, caches or tasks, so that the
//! function can run in another process as well. Beside it is what decides when and on which threads that is done.

pub(crate) mod advice;
mod bounds;
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

use wasmtime::{Collector, Config, InstanceAllocationStrategy};

use crate::{Error, ErrorKind, Result, artifact::proposals};

pub use bounds::CompileOptions;
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
        wasmtime::Engine::new(&self.config(allocation)?)
            .map_err(|error| Error::with(ErrorKind::Internal, "failed to set up the engine", error))
    }

    fn config(&self, allocation: InstanceAllocationStrategy) -> Result<Config> {
        let mut config = Config::new();
        config
            .allocation_strategy(allocation)
            .epoch_interruption(true)
            // WASI 0.1 and 0.2 need no concurrency inside a guest, and spawning is faster without it.
            .concurrency_support(false)
            .max_wasm_stack(self.guest_stack)
            .async_stack_size(self.guest_stack + HOST_STACK)
            .wasm_features(proposals::switched_off(), false)
            // Exceptions are collected. The engine's other collector frees what hangs together in one go, which was measured at 3 s for
            // 256 MiB; this one looks up from its work.
            .collector(Collector::Copying)
            // Atomic instructions work on a guest's own memory. A memory shared with other threads is refused when an artifact is
            // read, and by the engine as well.
            .shared_memory(false);
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
        Ok(config)
    }
}

#[cfg(all(test, feature = "compiler"))]
mod tests {
    use super::*;

    #[test]
    fn code_of_an_engine_with_other_proposals_is_not_loaded() {
        let settings = Settings { guest_stack: DEFAULT_GUEST_STACK, target: None };
        let fingerprint_with = |change: &dyn Fn(&mut Config)| {
            let mut config =
                settings.config(InstanceAllocationStrategy::OnDemand).expect("this machine");
            change(&mut config);
            fingerprint(&wasmtime::Engine::new(&config).expect("an engine"))
        };
        let ours = fingerprint(&settings.engine().expect("an engine"));
        assert_eq!(fingerprint_with(&|_| {}), ours);
        assert_ne!(
            fingerprint_with(&|config| {
                config.wasm_memory64(true);
            }),
            ours
        );
        assert_ne!(
            fingerprint_with(&|config| {
                config.wasm_tail_call(false);
            }),
            ours
        );
        let no_atomics = |config: &mut Config| {
            config.wasm_features(wasmtime::WasmFeatures::THREADS, false);
        };
        assert_ne!(fingerprint_with(&no_atomics), ours);
    }
}
