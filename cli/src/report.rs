//! Writes all text of this program: results to standard output, everything else to standard error.
//!
//! Colours appear only on a terminal, and only if `NO_COLOR` is not set. Nothing here panics when a stream is closed.

use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use wasi_sidecar::is_hidden;

use crate::{code, spelling};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Style of labels in front of values.
pub(crate) const LABEL: Style = AnsiColor::Cyan.on_default();
/// Style of block titles.
pub(crate) const TITLE: Style = Style::new().bold();

/// Writes a result to standard output, completely or with an error.
pub(crate) fn output(text: &str) -> io::Result<()> {
    let mut stream = anstream::stdout().lock();
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// Writes to standard error. If that is closed, there is nobody left to tell.
pub(crate) fn note(text: &str) {
    let mut stream = anstream::stderr().lock();
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Writes a one-line warning.
pub(crate) fn warning(text: &str) {
    note(&format!("{WARNING}warning:{WARNING:#} {}\n", line(text)));
}

/// Writes a one-line error.
pub(crate) fn error(text: &str) {
    note(&format!("{ERROR}error:{ERROR:#} {}\n", line(&spelling::respell(text))));
}

/// Reports a failure with its causes in one line, and returns the exit code.
pub(crate) fn failure(error: &anyhow::Error) -> u8 {
    if is_broken_pipe(error) {
        return code::BROKEN_PIPE;
    }
    self::error(&chain(error));
    code::COULD_NOT_RUN
}

/// Whether our own output is closed: a native program would end silently.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The text and the causes below it, each once.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for part in error.chain() {
        let part = part.to_string();
        if text.contains(&part) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&part);
    }
    text
}

/// Escapes characters for the terminal: a file name can contain anything.
pub(crate) fn line(text: &str) -> String {
    let escape = |character: char| match is_hidden(character) {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Shows the library's log events, for `--verbose`.
pub(crate) fn show_events() {
    use tracing_subscriber::{
        Layer as _, filter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
    };

    // wasmtime logs thousands of events per compilation. Show only ours.
    let ours = filter::Targets::new().with_target("wasi_sidecar", filter::LevelFilter::DEBUG);
    let layer =
        fmt::layer().with_writer(io::stderr).with_ansi(false).without_time().with_target(false);
    tracing_subscriber::registry().with(layer.with_filter(ours)).init();
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn causes_are_told_once_and_in_one_line() {
        let error = Err::<(), _>(io::Error::other("disk on fire"))
            .context("failed to write `a\nb`: disk on fire")
            .context("failed to compile")
            .unwrap_err();
        let text = line(&chain(&error));
        assert_eq!(text, r"failed to compile: failed to write `a\nb`: disk on fire");
    }

    #[test]
    fn what_changes_the_order_of_a_line_is_escaped() {
        assert_eq!(line("a\u{202e}b\u{1b}[2J"), r"a\u{202e}b\u{1b}[2J");
    }

    #[test]
    fn a_closed_output_is_no_error_to_talk_about() {
        let error = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure(&error), code::BROKEN_PIPE);
    }
}
