//! Options for loading an artifact: its name, its pin, trust and ready-made code.

use super::{
    precompiled::{CodeLabel, Precompiled},
    source::ArtifactSource,
};
use crate::Digest;

/// Options for [`Component::load`](crate::Component::load).
///
/// Defaults, at [`LoadOptions::new`]:
/// - the name is that of the file without its extension, or `sidecar`
/// - any artifact is accepted and untrusted: the engine may compile it in a separate process, within limits
/// - no machine code is supplied
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{Component, Digest, Engine, EngineConfig, LoadOptions};
///
/// let engine = Engine::new(&EngineConfig::new())?;
/// let pin = Digest::of(&wasm);
/// let component = Component::load(&engine, wasm, LoadOptions::new().name("word-count").pin(pin))?;
/// assert_eq!(component.name(), "word-count");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct LoadOptions {
    pub(super) name: Option<String>,
    pub(super) pin: Option<Digest>,
    pub(super) trusted: bool,
    pub(super) code: Option<Precompiled>,
}

impl LoadOptions {
    /// The defaults listed above.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The name that a guest sees as its own (`argv[0]`), also used in the log.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Accepts only the artifact with this digest, and trusts it. Other bytes are not even identified, because their
    /// kind could otherwise trigger the native fallback.
    #[must_use]
    pub fn pin(mut self, digest: Digest) -> Self {
        self.pin = Some(digest);
        self
    }

    /// Trusts the artifact: it is compiled in this process and without limits, even if the engine
    /// [isolates](crate::EngineConfig::compile_isolated) the compilation of untrusted artifacts.
    #[must_use]
    pub fn trusted(mut self) -> Self {
        self.trusted = true;
        self
    }

    /// Supplies machine code that was compiled ahead of time.
    ///
    /// The code is read when it is needed. It is used if it matches the label and was made from this artifact by the
    /// same version of the engine. Otherwise the artifact is compiled: silently if another engine made the code, with a
    /// warning in the log if its bytes were changed. An artifact that matches the label is trusted.
    ///
    /// The label decides what runs outside the sandbox. Take it only from the application's own executable.
    #[must_use]
    pub fn code(mut self, code: impl Into<ArtifactSource>, label: CodeLabel) -> Self {
        self.code = Some(Precompiled { source: code.into(), label });
        self
    }
}
