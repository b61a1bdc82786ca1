//! In place of the compiler, in an application that was built without it.

use super::Form;
use crate::{Digest, Error, ErrorKind, Result};

/// Not the one of any code: whoever looks for some in a cache finds none.
pub(crate) fn fingerprint(_: &wasmtime::Engine) -> Digest {
    Digest::of(b"no compiler")
}

/// Refuses.
pub(crate) fn compile(_: &wasmtime::Engine, _: Form, _: &[u8]) -> Result<Vec<u8>> {
    let text = "it has no machine code for this machine, and this application was built without the compiler; bring code along \
                that was made ahead of time, or switch on the feature `compiler`";
    Err(Error::new(ErrorKind::Unsupported, text))
}
