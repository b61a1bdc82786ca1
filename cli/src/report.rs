//! Where text leaves the program: results to standard output, everything else to standard error.
//!
//! Colours appear only on a terminal, and not when `NO_COLOR` is set. Nothing here panics when a stream is closed.

use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use wasi_sidecar::is_hidden;

use crate::code;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// For the names in front of values.
pub(crate) const LABEL: Style = AnsiColor::Cyan.on_default();
/// For the title of a block.
pub(crate) const TITLE: Style = Style::new().bold();

/// Writes a result to standard output, all of it or an error.
pub(crate) fn output(text: &str) -> io::Result<()> {
    let mut stream = anstream::stdout().lock();
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// Writes to standard error. When that is closed there is nobody left to tell.
pub(crate) fn note(text: &str) {
    let mut stream = anstream::stderr().lock();
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// One line for something that went wrong and does not stop us.
pub(crate) fn warning(text: &str) {
    note(&format!("{WARNING}warning:{WARNING:#} {}\n", line(text)));
}

/// One line for what stops us.
pub(crate) fn error(text: &str) {
    note(&format!("{ERROR}error:{ERROR:#} {}\n", line(text)));
}

/// Says why something could not be done, with its causes in one line, and gives the code to exit with.
pub(crate) fn failure(error: &anyhow::Error) -> u8 {
    if is_broken_pipe(error) {
        return code::BROKEN_PIPE;
    }
    self::error(&chain(error));
    code::COULD_NOT_RUN
}

/// Whether it is our own output that nobody reads any more: a native program would end without a word.
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

/// Names of files can hold anything, and this goes to a terminal.
pub(crate) fn line(text: &str) -> String {
    let escape = |character: char| match is_hidden(character) {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Shows the library's events, for `--verbose`.
pub(crate) fn show_events() {
    use tracing_subscriber::{
        Layer as _, filter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
    };

    // The engine below has events of its own, thousands for one compilation.
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
