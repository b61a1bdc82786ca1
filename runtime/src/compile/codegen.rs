//! The compiler, and the fingerprint that its code must match to be loaded.

use std::{
    hash::{Hash, Hasher},
    io,
};

use wasmtime::{CodeBuilder, Engine, InstanceAllocationStrategy};

use super::{Form, Settings};
use crate::{Artifact, Digest, Error, ErrorKind, Result, text};

/// Compiles with the settings of one engine.
#[derive(Clone)]
pub(crate) struct Compiler(Engine);

impl Compiler {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        settings.engine(InstanceAllocationStrategy::OnDemand).map(Self)
    }

    /// A compiler with the settings of an existing engine.
    pub(crate) fn of(engine: &Engine) -> Self {
        Self(engine.clone())
    }

    /// Covers everything that must match for code to be loaded: engine version, target, CPU features, settings.
    pub(crate) fn fingerprint(&self) -> Digest {
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
        self.0.precompile_compatibility_hash().hash(&mut hasher);
        Digest(*hasher.0.finalize().as_bytes())
    }

    /// Compiles an artifact. A large one takes seconds, and nothing can interrupt it.
    ///
    /// Validates it first, which distinguishes a damaged artifact, or one that uses a proposal that is off, from one
    /// that the compiler fails on: the native fallback never replaces a damaged artifact.
    pub(crate) fn compile(&self, form: Form, wasm: &[u8]) -> Result<Vec<u8>> {
        Artifact::validate(wasm)
            .map_err(|error| Error::new(error.kind(), format!("it is {error}")))?;
        let build = || {
            let mut builder = CodeBuilder::new(&self.0);
            builder.wasm_binary(wasm, None)?;
            match form {
                Form::Component => builder.compile_component_serialized(),
                Form::Module => builder.compile_module_serialized(),
            }
        };
        build().map_err(|error| {
            if lacks_memory(&error) {
                let cause = io::Error::new(io::ErrorKind::OutOfMemory, format!("{error:#}"));
                return Error::io("compile it", cause);
            }
            let cause = text::line(&format!("{error:#}"));
            Error::new(ErrorKind::Compile, format!("the compiler cannot translate it ({cause})"))
        })
    }
}

/// Whether the operating system refused memory. That is not the artifact's fault, and the next try may succeed.
fn lacks_memory(error: &wasmtime::Error) -> bool {
    error.is::<wasmtime::OutOfMemory>()
        || error.chain().any(|cause| {
            let refused = cause.downcast_ref::<io::Error>();
            #[cfg(unix)]
            if cause.downcast_ref() == Some(&rustix::io::Errno::NOMEM) {
                return true;
            }
            refused.is_some_and(|error| error.kind() == io::ErrorKind::OutOfMemory)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_the_system_refuses_is_no_fault_of_the_artifact() {
        let refused = io::Error::from(io::ErrorKind::OutOfMemory);
        assert!(lacks_memory(&wasmtime::Error::from(refused).context("mapping code")));
        #[cfg(unix)]
        assert!(lacks_memory(&wasmtime::Error::from(rustix::io::Errno::NOMEM).context("mapping")));
        assert!(!lacks_memory(&wasmtime::Error::msg("out of memory")), "a name can be anything");
        assert!(!lacks_memory(&wasmtime::Error::from(io::Error::from(io::ErrorKind::NotFound))));
    }
}
