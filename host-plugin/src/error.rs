//! What can go wrong, in the form of the shell plugin: an enum for Rust, a plain text for a webview.

use std::{io, path::PathBuf};

use serde::{Serialize, Serializer};
use wasi_sidecar::is_hidden;

use crate::scope;

/// What the fallible functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this plugin. A webview gets its text.
///
/// The texts are those of the shell plugin (its `error.rs`) where the case is the same.
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
    /// Something of the operating system, or a stream whose other end is gone.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The runtime could not do it. The text has all causes.
    #[error("{}", .0.chain())]
    Runtime(#[from] wasi_sidecar::Error),
    /// A call that the scope does not allow.
    #[error(
        "{source}; how the sidecar `{sidecar}` may be started stands in `allow` and `deny` of the window's `wasi-sidecar:` \
         permissions"
    )]
    Scope {
        /// The sidecar that was asked for.
        sidecar: String,
        /// What does not match.
        source: scope::Error,
    },
    /// No sidecar of that name is configured.
    #[error(
        "sidecar not configured under `tauri.conf.json > plugins > wasi-sidecar > sidecars`: {0}"
    )]
    SidecarNotAllowed(PathBuf),
    /// One whose artifact is registered while the app runs, and has not been yet.
    #[error(
        "the sidecar `{0}` has no artifact yet; the app registers one with `Sidecars::register`"
    )]
    NoArtifact(String),
    /// The last part of two configured names.
    #[error("`{0}` is the last part of more than one sidecar's name: {1}; use the whole name")]
    Ambiguous(String, String),
    /// A call that is none to a sidecar.
    #[error(
        "program not allowed on the configured shell scope: {0}; only sidecars are started here: use \
         `Command.sidecar`, or the shell plugin for programs of the system"
    )]
    ProgramNotAllowed(PathBuf),
    /// The `encoding` option is neither `raw` nor the label of an encoding.
    #[error("unknown encoding {0}")]
    UnknownEncoding(String),
    /// A child that does not exist, has ended, or belongs to another webview.
    #[error("no such child: {0}")]
    NoSuchChild(u32),
    /// A grant of the configuration that cannot be given now.
    #[error("the sidecar `{sidecar}` is not started: {}; see `sidecars.{sidecar}.grants`", .source.chain())]
    Grant {
        /// The sidecar that it is granted to.
        sidecar: String,
        /// What is wrong with it.
        source: wasi_sidecar::Error,
    },
    /// An initial directory that no grant covers.
    #[error(
        "the initial directory `{path}` lies in none of the granted directories of the sidecar `{sidecar}`; add a \
         directory to `sidecars.{sidecar}.grants.dirs`, or use the guest path of one that is there"
    )]
    CurrentDir {
        /// The sidecar that was asked for.
        sidecar: String,
        /// Where it was to begin.
        path: String,
    },
    /// An environment entry that a webview may not set.
    #[error(
        "the environment entry `{name}` may not be set from a webview for the sidecar `{sidecar}`; add it to \
         `sidecars.{sidecar}.grants.env`, or to `env` of the scope entry"
    )]
    Env {
        /// The sidecar that was asked for.
        sidecar: String,
        /// The entry.
        name: String,
    },
    /// A webview that has as many children as it may.
    #[error(
        "the sidecar `{sidecar}` is not started: the webview `{webview}` has {limit} children, as many as it may have at \
         once; wait until one has ended (one that hangs in a call of the system counts until that returns), or raise \
         `webviews.maxChildren` under `plugins > wasi-sidecar`"
    )]
    TooManyChildren {
        /// The sidecar that was asked for.
        sidecar: String,
        /// Who asked.
        webview: String,
        /// How many it may have.
        limit: usize,
    },
    /// Input for a child that has not read what came before.
    #[error(
        "{bytes} bytes are not written: the sidecar `{sidecar}` has not read what was written before, and no more than \
         {limit} may wait; wait for the earlier writes, write less at once, or raise `webviews.maxInput` under \
         `plugins > wasi-sidecar`"
    )]
    InputFull {
        /// The sidecar that does not read.
        sidecar: String,
        /// How much was to be written.
        bytes: usize,
        /// How much may wait.
        limit: String,
    },
    /// A webview with as many calls as may wait for an answer.
    #[error(
        "the webview `{webview}` has {limit} calls that wait for an answer, as many as it may have at once; wait for them, or \
         raise `webviews.maxCalls` under `plugins > wasi-sidecar`"
    )]
    TooManyCalls {
        /// Who calls.
        webview: String,
        /// How many may wait.
        limit: usize,
    },
    /// Output for which `execute` has no room, in this webview or in all of them.
    #[error(
        "the sidecar `{sidecar}` was ended: calls of `execute` hold as much output as they may, {each} of the webview \
         `{webview}` or {all} of all webviews; wait for them, use `spawn`, or raise `webviews.maxOutput` under \
         `plugins > wasi-sidecar`"
    )]
    OutputFull {
        /// The sidecar that was run.
        sidecar: String,
        /// Who called.
        webview: String,
        /// How much one webview may hold.
        each: String,
        /// How much all webviews may hold.
        all: String,
    },
    /// A stream of which `execute` collects no more.
    #[error(
        "the sidecar `{sidecar}` was ended: it wrote more than {limit} to one stream, and `execute` collects no more; use \
         `spawn`, and read its output as it comes"
    )]
    TooMuchOutput {
        /// The sidecar that was run.
        sidecar: String,
        /// How much is collected.
        limit: String,
    },
    /// Output that takes too much as JSON.
    #[error(
        "what the sidecar `{sidecar}` wrote takes more than {limit} as JSON; use `spawn`, or the encoding `raw`, which \
         `tauri-plugin-wasi-sidecar-api` gets as bytes"
    )]
    AnswerTooLong {
        /// The sidecar that was run.
        sidecar: String,
        /// How much JSON an answer may be.
        limit: String,
    },
    /// The app is ending, and nothing is started any more.
    #[error("the app is ending; no sidecar is started any more")]
    Ending,
    /// A configuration that cannot be used.
    #[error("{0}")]
    Config(String),
    /// A message of a webview that has another form than it should.
    #[error("{0}")]
    InvalidMessage(String),
    /// Output that is not the text it was asked for as.
    #[error(transparent)]
    Utf8(#[from] std::string::FromUtf8Error),
    /// JSON that could not be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// What refuses, for a log: unlike the text it has nothing in it that a page or an artifact has sent.
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

    /// The configured sidecar that it is about, if there is one. Never a name that only a page has said.
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
        serializer.serialize_str(&short(self.to_string()))
    }
}

/// Longest text that goes to a page, in bytes. Parts of it can be what the page itself sent.
const MAX_TEXT: usize = 4096;

/// The text, cut at a character if it is longer than anybody reads, and without what steers a terminal or changes the order of
/// a line: it ends in logs too.
pub(crate) fn short(text: String) -> String {
    const ELLIPSIS: &str = " …";
    let plain = !text.chars().any(|character| is_hidden(character) && character != '\n');
    if plain && text.len() <= MAX_TEXT {
        return text;
    }
    let mut shown = String::new();
    for character in text.chars() {
        let before = shown.len();
        match character {
            '\n' => shown.push('\n'),
            _ if is_hidden(character) => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
        if shown.len() > MAX_TEXT - ELLIPSIS.len() {
            shown.truncate(before);
            shown.push_str(ELLIPSIS);
            break;
        }
    }
    shown
}

/// A child that no longer reads, in the words of the operating system, which are those callers of the shell plugin know.
pub(crate) fn broken_pipe() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "Broken pipe")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_for_a_page_is_short_and_steers_nothing() {
        assert_eq!(short("as it is\n".into()), "as it is\n");
        assert_eq!(short("a\u{1b}[2J\0".into()), "a\\u{1b}[2J\\u{0}");
        assert_eq!(short("\u{202e}fdp.exe\n".into()), "\\u{202e}fdp.exe\n");
        let cut = short("ä".repeat(MAX_TEXT));
        assert!(cut.len() <= MAX_TEXT && cut.ends_with(" …"), "{} bytes", cut.len());
    }
}
