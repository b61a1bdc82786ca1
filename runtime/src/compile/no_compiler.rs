//! Replaces the compiler in applications built without the feature `compiler`.

use wasmtime::Engine;

use super::{Form, Settings};
use crate::{Digest, Error, ErrorKind, Result};

#[derive(Clone)]
pub(crate) struct Compiler;

impl Compiler {
    pub(crate) fn new(_: &Settings) -> Result<Self> {
        Ok(Self)
    }

    pub(crate) fn of(_: &Engine) -> Self {
        Self
    }

    /// A fingerprint that no code has, so a cache look-up finds nothing.
    pub(crate) fn fingerprint(&self) -> Digest {
        Digest::of(b"no compiler")
    }

    pub(crate) fn compile(&self, _: Form, _: &[u8]) -> Result<Vec<u8>> {
        let text = "it has no machine code for this machine, and this application was built without the compiler; ship code that \
                    was compiled ahead of time, or enable the feature `compiler`";
        Err(Error::new(ErrorKind::Unsupported, text))
    }
}
