//! The error type: an enum for Rust and a plain string for a webview, as in the shell plugin.

use std::{io, path::PathBuf};

use serde::{Serialize, Serializer};
use wasi_sidecar::is_hidden;

use crate::{scope::ScopeError, spelling::explain};

/// The result of this crate's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this plugin. A webview receives its text.
///
/// Where the shell plugin has the same case, the text is that of its `error.rs`.
///
/// ```
/// use tauri_plugin_wasi_sidecar::Error;
///
/// let error = Error::UnknownEncoding("utf-99".into());
/// assert_eq!(error.to_string(), "unknown encoding utf-99");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operating system error, or a closed stream.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// An error of the runtime. The text includes all causes.
    #[error("{}", explain(.0))]
    Runtime(#[from] wasi_sidecar::Error),
    /// The scope does not allow the call.
    #[error(
        "{source}; check `allow` and `deny` for the sidecar `{sidecar}` in the window's `wasi-sidecar:` permissions"
    )]
    Scope {
        /// The requested sidecar.
        sidecar: String,
        /// Why it refuses.
        source: ScopeError,
    },
    /// No sidecar has that name.
    #[error(
        "sidecar not configured under `tauri.conf.json > plugins > wasi-sidecar > sidecars`: {0}"
    )]
    SidecarNotAllowed(PathBuf),
    /// The app has not registered the sidecar's artifact yet.
    #[error(
        "the sidecar `{0}` has no artifact yet; the app registers one with `Sidecars::register`"
    )]
    NoArtifact(String),
    /// Several configured names end in that part.
    #[error("`{0}` is the last part of more than one sidecar's name: {1}; use the whole name")]
    Ambiguous(String, String),
    /// The call does not set the option `sidecar`.
    #[error(
        "program not allowed on the configured shell scope: {0}; only sidecars are started here: use \
         `Command.sidecar`, or the shell plugin for programs of the system"
    )]
    ProgramNotAllowed(PathBuf),
    /// The `encoding` option is neither `raw` nor the label of an encoding.
    #[error("unknown encoding {0}")]
    UnknownEncoding(String),
    /// The child does not exist, has ended, or belongs to another webview.
    #[error("no such child: {0}")]
    NoSuchChild(u32),
    /// A configured grant cannot be given, for example because the directory is missing.
    #[error("the sidecar `{sidecar}` is not started: {}; see `sidecars.{sidecar}.grants`", explain(.source))]
    Grant {
        /// The sidecar with the grant.
        sidecar: String,
        /// Why the grant cannot be given.
        source: wasi_sidecar::Error,
    },
    /// No grant covers the initial directory.
    #[error(
        "the initial directory `{path}` lies in none of the granted directories of the sidecar `{sidecar}`; add a \
         directory to `sidecars.{sidecar}.grants.dirs`, or use the guest path of one that is there"
    )]
    CurrentDir {
        /// The requested sidecar.
        sidecar: String,
        /// The requested directory.
        path: String,
    },
    /// A webview may not set the environment entry.
    #[error(
        "the environment entry `{name}` may not be set from a webview for the sidecar `{sidecar}`; add it to \
         `sidecars.{sidecar}.grants.env`, or to `env` of the scope entry"
    )]
    Env {
        /// The requested sidecar.
        sidecar: String,
        /// The entry's name.
        name: String,
    },
    /// The webview has the maximum number of children.
    #[error(
        "the sidecar `{sidecar}` is not started: the webview `{webview}` has {limit} children, as many as it may have at \
         once; wait until one has ended (one that hangs in a call of the system counts until that returns), or raise \
         `webviews.maxChildren` under `plugins > wasi-sidecar`"
    )]
    TooManyChildren {
        /// The requested sidecar.
        sidecar: String,
        /// The calling webview.
        webview: String,
        /// The maximum number of children.
        limit: usize,
    },
    /// The child has not read its earlier input, and no more may wait.
    #[error(
        "{bytes} bytes are not written: the sidecar `{sidecar}` has not read what was written before, and no more than \
         {limit} may wait; wait for the earlier writes, write less at once, or raise `webviews.maxInput` under \
         `plugins > wasi-sidecar`"
    )]
    InputFull {
        /// The sidecar that does not read.
        sidecar: String,
        /// Bytes of the refused write.
        bytes: usize,
        /// Input that may wait, formatted as a size.
        limit: String,
    },
    /// The webview has the maximum number of calls that wait for an answer.
    #[error(
        "the webview `{webview}` has {limit} calls that wait for an answer, as many as it may have at once; wait for them, or \
         raise `webviews.maxCalls` under `plugins > wasi-sidecar`"
    )]
    TooManyCalls {
        /// The calling webview.
        webview: String,
        /// The maximum number of calls.
        limit: usize,
    },
    /// Calls of `execute` hold the maximum output, of this webview or of all webviews.
    #[error(
        "the sidecar `{sidecar}` was ended: calls of `execute` hold as much output as they may, {each} of the webview \
         `{webview}` or {all} of all webviews; wait for them, use `spawn`, or raise `webviews.maxOutput` under \
         `plugins > wasi-sidecar`"
    )]
    OutputFull {
        /// The executed sidecar.
        sidecar: String,
        /// The calling webview.
        webview: String,
        /// The maximum for one webview, formatted as a size.
        each: String,
        /// The maximum for all webviews, formatted as a size.
        all: String,
    },
    /// A stream exceeds what `execute` collects.
    #[error(
        "the sidecar `{sidecar}` was ended: it wrote more than {limit} to one stream, and `execute` collects no more; use \
         `spawn`, and read its output as it comes"
    )]
    TooMuchOutput {
        /// The executed sidecar.
        sidecar: String,
        /// The maximum for one stream, formatted as a size.
        limit: String,
    },
    /// The answer of `execute` is too long as JSON.
    #[error(
        "what the sidecar `{sidecar}` wrote takes more than {limit} as JSON; use `spawn`, or the encoding `raw`, which \
         `tauri-plugin-wasi-sidecar-api` gets as bytes"
    )]
    AnswerTooLong {
        /// The executed sidecar.
        sidecar: String,
        /// The longest answer, formatted as a size.
        limit: String,
    },
    /// The app is ending and starts no more sidecars.
    #[error("the app is ending; no sidecar is started any more")]
    Ending,
    /// The configuration is invalid.
    #[error("{0}")]
    Config(String),
    /// A webview's message is malformed.
    #[error("{0}")]
    InvalidMessage(String),
    /// Output is not valid UTF-8.
    #[error(transparent)]
    Utf8(#[from] std::string::FromUtf8Error),
    /// A value could not be serialized.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// The rule that refuses, for the log. Unlike the text it contains nothing that a page or an artifact sent.
    pub(crate) fn rule(&self) -> &'static str {
        match self {
            Self::Scope { .. } => "permissions",
            Self::SidecarNotAllowed(_) | Self::NoArtifact(_) | Self::Ambiguous(..) => "sidecars",
            Self::ProgramNotAllowed(_) => "only sidecars are started",
            Self::UnknownEncoding(_) | Self::InvalidMessage(_) => "the form of a message",
            Self::NoSuchChild(_) => "whose child it is",
            Self::Grant { .. } => "grants",
            Self::CurrentDir { .. } => "grants.dirs",
            Self::Env { .. } => "grants.env",
            Self::TooManyChildren { .. } => "webviews.maxChildren",
            Self::InputFull { .. } => "webviews.maxInput",
            Self::TooManyCalls { .. } => "webviews.maxCalls",
            Self::OutputFull { .. } => "webviews.maxOutput",
            Self::TooMuchOutput { .. } | Self::AnswerTooLong { .. } => "what `execute` collects",
            Self::Ending => "the app is ending",
            Self::Runtime(_) | Self::Config(_) => "what the sidecar is",
            Self::Io(_) | Self::Utf8(_) | Self::Json(_) => "no rule",
        }
    }

    /// The configured sidecar that the error concerns. Never a name that only a page sent.
    pub(crate) fn sidecar(&self) -> Option<&str> {
        match self {
            Self::Scope { sidecar, .. }
            | Self::Grant { sidecar, .. }
            | Self::CurrentDir { sidecar, .. }
            | Self::Env { sidecar, .. }
            | Self::NoArtifact(sidecar)
            | Self::TooManyChildren { sidecar, .. }
            | Self::InputFull { sidecar, .. }
            | Self::OutputFull { sidecar, .. }
            | Self::TooMuchOutput { sidecar, .. }
            | Self::AnswerTooLong { sidecar, .. } => Some(sidecar),
            _ => None,
        }
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&sanitize(self.to_string()))
    }
}

/// Longest text for a page, in bytes. A page controls parts of it.
const MAX_TEXT: usize = 4096;

/// Shortens a text at a character boundary, and escapes characters that control a terminal or reorder a line, since the text
/// also reaches logs.
pub(crate) fn sanitize(text: String) -> String {
    const ELLIPSIS: &str = " …";
    let is_plain = !text.chars().any(|character| is_hidden(character) && character != '\n');
    if is_plain && text.len() <= MAX_TEXT {
        return text;
    }
    let mut sanitized = String::new();
    for character in text.chars() {
        let before = sanitized.len();
        match character {
            '\n' => sanitized.push('\n'),
            _ if is_hidden(character) => sanitized.extend(character.escape_default()),
            _ => sanitized.push(character),
        }
        if sanitized.len() > MAX_TEXT - ELLIPSIS.len() {
            sanitized.truncate(before);
            sanitized.push_str(ELLIPSIS);
            break;
        }
    }
    sanitized
}

/// The error of a write to a child that no longer reads. Callers of the shell plugin know the operating system's text.
pub(crate) fn broken_pipe() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "Broken pipe")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_for_a_page_is_short_and_steers_nothing() {
        assert_eq!(sanitize("as it is\n".into()), "as it is\n");
        assert_eq!(sanitize("a\u{1b}[2J\0".into()), "a\\u{1b}[2J\\u{0}");
        assert_eq!(sanitize("\u{202e}fdp.exe\n".into()), "\\u{202e}fdp.exe\n");
        let cut = sanitize("ä".repeat(MAX_TEXT));
        assert!(cut.len() <= MAX_TEXT && cut.ends_with(" …"), "{} bytes", cut.len());
    }
}
