//! Machine code that was made ahead of time and is shipped beside the artifact.
//!
//! A file of machine code is a program. So it is loaded only if its digest is the one in its label, and the label is something
//! the application brings along inside its own executable: whoever can change that needs no machine code of ours.

use std::{fmt, path::PathBuf, str::FromStr, sync::atomic::Ordering};

use bytes::Bytes;
use cap_std::fs::Dir;

use super::{Component, code::Compiled, load};
use crate::{
    Digest, Error, ErrorKind, Result,
    compile::{self, Settings},
};

/// Bytes of machine code that are read: far more than the largest artifact becomes.
const MAX_CODE: u64 = 1 << 30;

/// What identifies code that was made ahead of time: the artifact, the code, and the engine and target it was made for.
///
/// It is written as one line, for an application to keep **inside its executable**: the code is authenticated by it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// # let target = if cfg!(target_arch = "x86_64") { "x86_64-unknown-linux-gnu" } else { "aarch64-unknown-linux-gnu" };
/// use wasi_sidecar::{CodeLabel, CodeOrigin, Component, Engine, EngineConfig};
///
/// // When the application is built:
/// let engine = Engine::new(&EngineConfig::new())?;
/// let (code, label) = Component::new(&engine, wasm.clone())?.precompile_labelled(target)?;
/// let line = label.to_string();
///
/// // When it runs:
/// let label: CodeLabel = line.parse()?;
/// let component = Component::new(&engine, wasm)?.with_code(code, label);
/// component.compile().await?;
/// # if cfg!(target_os = "linux") {
/// assert_eq!(component.code_origin(), Some(CodeOrigin::AheadOfTime));
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CodeLabel {
    target: String,
    artifact: Digest,
    engine: Digest,
    code: Digest,
}

impl CodeLabel {
    /// The target triple it was made for.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The SHA-256 of the artifact it was made from.
    #[must_use]
    pub fn artifact(&self) -> Digest {
        self.artifact
    }

    /// The SHA-256 of the code.
    #[must_use]
    pub fn code(&self) -> Digest {
        self.code
    }

    /// Whether code made now, from this artifact and for this target, would get the same label but for the code's digest:
    /// whether making it again is of no use.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a target that is not known.
    pub fn is_current(&self, artifact: &Digest, target: &str) -> Result<bool> {
        Ok(self.target == target && self.artifact == *artifact && self.is_of_this_engine(target)?)
    }

    fn is_of_this_engine(&self, target: &str) -> Result<bool> {
        // Without a compiler nobody can tell what it would make. Then the label is as old as the application that has it inside,
        // and the engine itself looks at its version and settings when it loads code.
        if !cfg!(feature = "compiler") {
            return Ok(true);
        }
        Ok(self.engine == compile::fingerprint(&settings(target).engine()?))
    }
}

fn settings(target: &str) -> Settings {
    // The size of the stack is looked at when code runs, and is not part of it.
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

    /// Reads what [`Display`](fmt::Display) writes.
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

/// Code that was handed over and not looked at yet.
#[derive(Debug)]
pub(super) struct Ahead {
    source: Source,
    label: CodeLabel,
}

#[derive(Debug)]
enum Source {
    Bytes(Bytes),
    File(Dir, PathBuf),
}

impl Component {
    /// Machine code for a target triple, for any CPU of it, and its label. It is to be loaded by
    /// [`with_code`](Self::with_code) in another process.
    ///
    /// # Errors
    ///
    /// Those of [`compile`](Self::compile), and [`ErrorKind::InvalidInput`] for a target that is not known.
    pub fn precompile_labelled(&self, target: &str) -> Result<(Vec<u8>, CodeLabel)> {
        let (code, engine) = self.compile_for(&settings(target))?;
        let label = CodeLabel {
            target: target.to_owned(),
            artifact: self.0.artifact.digest(),
            engine,
            code: Digest::of(&code),
        };
        Ok((code, label))
    }

    /// Brings machine code along that was made ahead of time, so that nothing has to be compiled.
    ///
    /// It is looked at when it is needed, and used if it is the code of the label, which was made from this artifact by the same
    /// version of the engine. What does not fit is left alone and the artifact is compiled: silently if another engine made it,
    /// with a warning in the log if the bytes are others. An artifact that is the label's is [trusted](Self::trusted). Code that comes after the component was first spawned is not used.
    ///
    /// The label decides what is run outside of any sandbox: take it from nowhere but the application's own executable.
    #[must_use]
    pub fn with_code(self, code: impl Into<Bytes>, label: CodeLabel) -> Self {
        self.bring(Source::Bytes(code.into()), label)
    }

    /// The same with a file in an open directory, which is read when it is needed.
    #[must_use]
    pub fn with_code_file(self, dir: Dir, path: impl Into<PathBuf>, label: CodeLabel) -> Self {
        self.bring(Source::File(dir, path.into()), label)
    }

    fn bring(self, source: Source, label: CodeLabel) -> Self {
        // The application knows the artifact by its digest: that is a pin.
        if label.artifact == self.0.artifact.digest() {
            self.0.trusted.store(true, Ordering::Relaxed);
        }
        *self.ahead() = Some(Ahead { source, label });
        self
    }

    /// The code that was brought along, if it may be used and can be.
    pub(super) fn brought(&self) -> Option<Compiled> {
        let Ahead { source, label } = self.ahead().take()?;
        let artifact = self.0.artifact.digest();
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
        let code = match source {
            Source::Bytes(code) => code,
            Source::File(dir, path) => match load::read(&dir, &path, MAX_CODE) {
                Ok(code) => code,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    tracing::debug!(%artifact, "there is no code made ahead of time");
                    return None;
                }
                Err(error) => {
                    tracing::warn!(%artifact, error = %error.chain(), "code made ahead of time cannot be read");
                    return None;
                }
            },
        };
        // These very bytes are loaded: nothing is read again after it was checked.
        let found = Digest::of(&code);
        if found != label.code {
            tracing::warn!(
                %artifact, %found, expected = %label.code,
                "code made ahead of time was changed since; it is not loaded"
            );
            return None;
        }
        self.link(&code)
            .inspect_err(|error| {
                tracing::debug!(%artifact, error = %error.chain(), "code made ahead of time does not fit this machine");
            })
            .ok()
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
