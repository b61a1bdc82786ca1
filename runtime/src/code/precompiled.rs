//! Machine code that was compiled ahead of time and ships beside the artifact.
//!
//! A file of machine code is a program. It is loaded only if its digest is the one in its label, and the label is
//! inside the application's executable. An attacker who can change the executable needs no machine code of ours.

use std::{fmt, str::FromStr};

use super::source::ArtifactSource;
use crate::{
    Digest, Error, ErrorKind, Result,
    compile::{self, Compiler, Settings},
};

/// Most bytes of machine code that are read: far more than the code of the largest artifact.
const MAX_CODE: u64 = 1 << 30;

/// Identifies code that was compiled ahead of time: by artifact, code, engine and target.
///
/// Written as one line, which an application keeps **inside its executable**: it authenticates the code.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// # let target = if cfg!(target_arch = "x86_64") { "x86_64-unknown-linux-gnu" } else { "aarch64-unknown-linux-gnu" };
/// use wasi_sidecar::{CodeLabel, CodeOrigin, Component, Engine, EngineConfig, LoadOptions};
///
/// // When the application is built:
/// let engine = Engine::new(&EngineConfig::new())?;
/// let component = Component::load(&engine, wasm.clone(), LoadOptions::new())?;
/// let (code, label) = component.precompile_labelled(target)?;
/// let line = label.to_string();
///
/// // When it runs:
/// let label: CodeLabel = line.parse()?;
/// let component = Component::load(&engine, wasm, LoadOptions::new().code(code, label))?;
/// component.compile().await?;
/// # if cfg!(target_os = "linux") {
/// assert_eq!(component.code_origin(), Some(CodeOrigin::AheadOfTime));
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CodeLabel {
    pub(super) target: String,
    pub(super) artifact: Digest,
    pub(super) engine: Digest,
    pub(super) code: Digest,
}

impl CodeLabel {
    /// The target triple that the code is for.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The SHA-256 of the artifact that the code was made from.
    #[must_use]
    pub fn artifact(&self) -> Digest {
        self.artifact
    }

    /// The SHA-256 of the code.
    #[must_use]
    pub fn code(&self) -> Digest {
        self.code
    }

    /// Whether compiling this artifact for this target now would give the same label, apart from the code's digest. If
    /// so, there is no need to compile again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for an unknown target.
    pub fn is_current(&self, artifact: &Digest, target: &str) -> Result<bool> {
        Ok(self.target == target && self.artifact == *artifact && self.is_of_this_engine(target)?)
    }

    fn is_of_this_engine(&self, target: &str) -> Result<bool> {
        // Without a compiler, its result cannot be predicted. Then the label is as old as the application that contains
        // it, and wasmtime checks its own version and settings when it loads the code.
        if !cfg!(feature = "compiler") {
            return Ok(true);
        }
        Ok(self.engine == Compiler::new(&settings(target))?.fingerprint())
    }
}

pub(super) fn settings(target: &str) -> Settings {
    // The stack size takes effect when code runs, and is not part of the code.
    Settings { guest_stack: compile::DEFAULT_GUEST_STACK, target: Some(target.to_owned()) }
}

impl fmt::Display for CodeLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, artifact, engine, code } = self;
        write!(f, "{target} {artifact} {engine} {code}")
    }
}

impl FromStr for CodeLabel {
    type Err = Error;

    /// Parses the output of [`Display`](fmt::Display).
    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            let text = format!("`{text}` is no label of machine code; make it anew");
            Error::new(ErrorKind::InvalidInput, text)
        };
        let parts: Vec<&str> = text.split(' ').collect();
        let &[target, artifact, engine, code] = parts.as_slice() else { return Err(refuse()) };
        let digest = |text: &str| text.parse().map_err(|_| refuse());
        Ok(Self {
            target: target.to_owned(),
            artifact: digest(artifact)?,
            engine: digest(engine)?,
            code: digest(code)?,
        })
    }
}

/// Supplied code that was not read yet.
#[derive(Debug)]
pub(super) struct Precompiled {
    pub(super) source: ArtifactSource,
    pub(super) label: CodeLabel,
}

impl Precompiled {
    /// The code, if it was made from this artifact for this engine and not changed since.
    pub(super) fn read(self, artifact: Digest) -> Option<bytes::Bytes> {
        let Self { source, label } = self;
        match label.is_current(&artifact, &label.target) {
            Ok(true) => {}
            Ok(false) => {
                tracing::debug!(%artifact, "code made ahead of time is for another engine or artifact");
                return None;
            }
            Err(error) => {
                tracing::debug!(%artifact, error = %error.chain(), "code made ahead of time is for another machine");
                return None;
            }
        }
        let code = match source.read(MAX_CODE) {
            Ok(read) => read.wasm,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                tracing::debug!(%artifact, "there is no code made ahead of time");
                return None;
            }
            Err(error) => {
                tracing::warn!(%artifact, error = %error.chain(), "code made ahead of time cannot be read");
                return None;
            }
        };
        // Checks the very bytes that are returned.
        let found = Digest::of(&code);
        if found == label.code {
            return Some(code);
        }
        tracing::warn!(
            %artifact, %found, expected = %label.code,
            "code made ahead of time was changed since; it is not loaded"
        );
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_read_as_it_was_written_and_nothing_else_is() {
        let digest = |text: &str| Digest::of(text.as_bytes());
        let label = CodeLabel {
            target: "x86_64-unknown-linux-gnu".into(),
            artifact: digest("artifact"),
            engine: digest("engine"),
            code: digest("code"),
        };
        let line = label.to_string();
        assert_eq!(line.parse::<CodeLabel>().ok(), Some(label));
        let (cut, more) = (&line[..line.len() - 1], format!("{line} x"));
        for bad in ["", "x86_64-unknown-linux-gnu", cut, &more, &line.replace(' ', "  ")] {
            let error = bad.parse::<CodeLabel>().expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    }
}
