//! The one error type of this crate.
//!
//! It is opaque so that new causes are no breaking change; callers decide by [`Error::kind`] and show
//! [`Error`]'s text. What a *guest* does wrong (a trap, an exhausted limit, a non-zero exit) is never an
//! `Error`: it is a value, [`Termination`](crate::Termination).

use std::{fmt, io, sync::Arc};

use crate::text;

/// What this crate's fallible functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why something could not be done.
///
/// The text is one line, at most 4 KiB, with control characters escaped: parts of it can come from an
/// artifact. The cause, where there is one, is in [`source`](std::error::Error::source) and is not repeated
/// in the text.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// use wasi_sidecar::{Component, Engine, EngineConfig, ErrorKind};
///
/// let engine = Engine::new(&EngineConfig::new())?;
/// let error = Component::new(&engine, "not wasm".as_bytes()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotWasm);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    text: String,
    source: Option<Source>,
}

/// The kinds of [`Error`], for code that has to decide what to do next.
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
    /// A file or program that was named does not exist.
    NotFound,
    /// The bytes are no WebAssembly at all: text, an archive, a native executable, nothing.
    NotWasm,
    /// It is WebAssembly, and cut off, altered or invalid inside.
    Damaged,
    /// It is WebAssembly, but nothing this host can run.
    Unsupported,
    /// The bytes are not the ones that were pinned.
    Digest,
    /// A grant that cannot be given.
    Grant,
    /// A number is out of its range, or more was asked for than a limit allows.
    Limit,
    /// The artifact is in order, and the compiler could not translate it for this machine.
    Compile,
    /// Compiling the artifact would take more memory, time or code than artifacts of strangers may take:
    /// [`EngineConfig::compile_isolated`](crate::EngineConfig::compile_isolated).
    CompileLimit,
    /// An argument, a name or a setting is not usable.
    InvalidInput,
    /// The other end is gone.
    Closed,
    /// The operating system refused.
    Io,
    /// A fault of this library or of its engine, not of the caller and not of the guest.
    Internal,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, text: impl AsRef<str>) -> Self {
        Self(Arc::new(Inner { kind, text: text::line(text.as_ref()), source: None }))
    }

    pub(crate) fn with(kind: ErrorKind, text: impl AsRef<str>, source: impl Into<Source>) -> Self {
        Self(Arc::new(Inner { kind, text: text::line(text.as_ref()), source: Some(source.into()) }))
    }

    /// An operating system error while doing `what` ("open `x`").
    pub(crate) fn io(what: impl AsRef<str>, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        };
        Self::with(kind, format!("failed to {}", what.as_ref()), source)
    }

    /// The same, said of a program: whoever starts many wants to know which was refused.
    pub(crate) fn of(self, name: &str) -> Self {
        if self.0.text.starts_with(&format!("`{}`", text::name(name))) {
            return self;
        }
        let named = text::line(&format!("`{}`: {}", text::name(name), self.0.text));
        Self(Arc::new(Inner {
            kind: self.0.kind,
            text: named,
            source: Some(Box::new(Below(self))),
        }))
    }

    /// What kind of error this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The text and every cause below it, joined by `: `. What a log line or a terminal wants.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let part = error.to_string();
            // Some libraries repeat their cause in their own text; once is enough for a reader.
            if !text.contains(&part) {
                text.push_str(": ");
                text.push_str(&part);
            }
            cause = error.source();
        }
        text::line(&text)
    }
}

/// An error whose own text has been said already, with what is below it.
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
