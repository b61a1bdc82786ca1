//! What compiles, and what has to be equal for its code to be loaded.

use std::{
    hash::{Hash, Hasher},
    io,
};

use wasmtime::CodeBuilder;

use super::Form;
use crate::{Artifact, Digest, Error, ErrorKind, Result, text};

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
///
/// An artifact that uses a proposal that is off, or is not valid at all, is told from one that the compiler fails on: a damaged
/// one is never replaced by a native twin.
pub(crate) fn compile(engine: &wasmtime::Engine, form: Form, wasm: &[u8]) -> Result<Vec<u8>> {
    Artifact::validate(wasm).map_err(|error| Error::new(error.kind(), format!("it is {error}")))?;
    let build = || {
        let mut builder = CodeBuilder::new(engine);
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

/// Whether it is the system that refused memory: not a fault of the artifact, and it may go well the next time.
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
