//! The settings of wasmtime that change machine code, and so its fingerprint.

use wasmtime::{Collector, Config, InstanceAllocationStrategy};

use crate::{Error, ErrorKind, Result, artifact::proposals};

/// Stack for a guest's own frames, in bytes.
pub(crate) const DEFAULT_GUEST_STACK: usize = 512 << 10;

/// Bytes of host stack kept free below a guest's frames, for the host functions it calls.
const HOST_STACK: usize = 1536 << 10;

/// The settings that change machine code.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) guest_stack: usize,
    /// The target triple of another machine; `None` for this one.
    pub(crate) target: Option<String>,
}

/// The kind of an artifact. wasmtime has a compiler for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Component,
    Module,
}

impl Settings {
    /// An engine that allocates guests' memory with `strategy`, which does not change the code.
    pub(crate) fn engine(
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
            // Exceptions are garbage collected. wasmtime's other collector frees connected objects in one go, which
            // took 3 s for 256 MiB in a measurement. This one can be interrupted.
            .collector(Collector::Copying)
            // Atomic instructions work on a guest's own memory. Memory shared between threads is refused when an
            // artifact is read, and also by wasmtime.
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
    use super::{super::Compiler, *};

    #[test]
    fn code_of_an_engine_with_other_proposals_is_not_loaded() {
        let settings = Settings { guest_stack: DEFAULT_GUEST_STACK, target: None };
        let fingerprint_with = |change: &dyn Fn(&mut Config)| {
            let mut config =
                settings.config(InstanceAllocationStrategy::OnDemand).expect("this machine");
            change(&mut config);
            Compiler::of(&wasmtime::Engine::new(&config).expect("an engine")).fingerprint()
        };
        let ours = Compiler::new(&settings).expect("a compiler").fingerprint();
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
