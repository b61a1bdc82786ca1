//! The error type of this crate, with a kind for code and a text for people.
//!
//! It is opaque, so a new cause is no breaking change. Callers decide by [`Error::kind`] and show [`Error`]'s text.
//! What a *guest* does wrong (a trap, an exhausted limit, a non-zero exit) is never an `Error` but a value,
//! [`Termination`](crate::Termination).

use std::convert::Infallible;
use std::{fmt, io, sync::Arc};

use crate::{Setting, text};

/// The result of this crate's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an operation failed.
///
/// The text is one line of at most 4 KiB with control characters escaped, because parts of it can come from an
/// artifact. The cause, if any, is in [`source`](std::error::Error::source), and the text does not repeat it.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// use wasi_sidecar::{Component, Engine, EngineConfig, ErrorKind, LoadOptions};
///
/// let engine = Engine::new(&EngineConfig::new())?;
/// let error = Component::load(&engine, "not wasm".as_bytes(), LoadOptions::new()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotWasm);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    text: String,
    source: Option<Cause>,
    setting: Option<Setting>,
}

/// The kind of an [`Error`], for code that decides what to do next.
///
/// ```
/// use wasi_sidecar::{Artifact, ErrorKind};
///
/// let advice = match Artifact::identify(b"\0asm").unwrap_err().kind() {
///     ErrorKind::NotWasm | ErrorKind::Damaged => "install it again",
///     ErrorKind::Unsupported => "update the application",
///     _ => "look at the log",
/// };
/// assert_eq!(advice, "install it again");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The named file or program does not exist.
    NotFound,
    /// The bytes are not WebAssembly but, for example, text, an archive, a native executable, or empty.
    NotWasm,
    /// The WebAssembly is cut off, altered, or invalid inside.
    Damaged,
    /// The WebAssembly is valid, but this host cannot run it.
    Unsupported,
    /// The bytes do not match the pinned digest.
    Digest,
    /// The grant cannot be given.
    Grant,
    /// A number is out of range, or an operation exceeds a limit.
    Limit,
    /// The artifact is valid, but the compiler failed to translate it for this machine.
    Compile,
    /// Compiling the untrusted artifact takes more memory, time or code than allowed:
    /// [`EngineConfig::compile_isolated`](crate::EngineConfig::compile_isolated).
    CompileLimit,
    /// An argument, name or setting is not usable.
    InvalidInput,
    /// The other end of a stream is gone.
    Closed,
    /// The operating system refused.
    Io,
    /// A bug in this library or in wasmtime: neither the caller nor the guest is at fault.
    Internal,
}

impl Error {
    fn make(kind: ErrorKind, text: &str, source: Option<Cause>, setting: Option<Setting>) -> Self {
        Self(Arc::new(Inner { kind, text: text::line(text), source, setting }))
    }

    pub(crate) fn new(kind: ErrorKind, text: impl AsRef<str>) -> Self {
        Self::make(kind, text.as_ref(), None, None)
    }

    pub(crate) fn with(kind: ErrorKind, text: impl AsRef<str>, source: impl Into<Cause>) -> Self {
        Self::make(kind, text.as_ref(), Some(source.into()), None)
    }

    /// An operating system error while doing `what`, such as "open `x`".
    pub(crate) fn io(what: impl AsRef<str>, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        };
        Self::with(kind, format!("failed to {}", what.as_ref()), source)
    }

    /// The same error, with the name of its program in front of the text.
    pub(crate) fn of(self, name: &str) -> Self {
        if self.0.text.starts_with(&format!("`{}`", text::name(name))) {
            return self;
        }
        let named = format!("`{}`: {}", text::name(name), self.0.text);
        Self::make(self.kind(), &named, Some(Box::new(Below(self.clone()))), self.0.setting)
    }

    /// The same error, about the setting that the text tells the reader to change.
    pub(crate) fn about(mut self, setting: impl Into<Setting>) -> Self {
        // Nobody shares an error that is still being made.
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.setting = Some(setting.into());
        }
        self
    }

    /// The setting to change, if a change would help. [`Setting::respell`] replaces its name in the text.
    #[must_use]
    pub fn setting(&self) -> Option<Setting> {
        self.0.setting
    }

    /// What kind of error this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The text and every cause, joined by `: `, for a log line or a terminal.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let part = error.to_string();
            // Some libraries repeat their cause in their own text.
            if !text.contains(&part) {
                text.push_str(": ");
                text.push_str(&part);
            }
            cause = error.source();
        }
        text::line(&text)
    }
}

/// The causes of an error whose own text was already shown.
#[derive(Debug)]
struct Below(Error);

impl fmt::Display for Below {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Below {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("text", &self.0.text)
            .field("source", &self.0.source.as_ref().map(ToString::to_string))
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// For conversions that cannot fail.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::NotFound => io::ErrorKind::NotFound,
            ErrorKind::InvalidInput | ErrorKind::Limit | ErrorKind::CompileLimit => {
                io::ErrorKind::InvalidInput
            }
            ErrorKind::NotWasm | ErrorKind::Damaged | ErrorKind::Digest => {
                io::ErrorKind::InvalidData
            }
            ErrorKind::Unsupported => io::ErrorKind::Unsupported,
            ErrorKind::Grant => io::ErrorKind::PermissionDenied,
            ErrorKind::Closed => io::ErrorKind::BrokenPipe,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_names_each_cause_once() {
        let cause = io::Error::new(io::ErrorKind::NotFound, "no such file");
        let error = Error::io("open `notes.wasm`", cause);
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.to_string(), "failed to open `notes.wasm`");
        assert_eq!(error.chain(), "failed to open `notes.wasm`: no such file");
    }

    #[test]
    fn names_from_an_artifact_cannot_break_out_of_the_line() {
        let error = Error::new(ErrorKind::Unsupported, "imports `a\x1b[2J\nb\u{202e}`");
        assert_eq!(error.to_string(), "imports `a\\u{1b}[2J\\nb\\u{202e}`");
    }
}
