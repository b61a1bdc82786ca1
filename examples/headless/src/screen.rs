//! What goes to the terminal: text to standard output, coloured where that is a terminal, and what is going on right
//! now to standard error, nowhere if that is none.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};

/// Columns that everything fits in.
pub(crate) const WIDTH: usize = 100;

/// Before each line under a heading.
const INDENT: &str = "  ";
/// Between two pictures of the spinner.
const TICK: Duration = Duration::from_millis(100);

const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();

pub(crate) fn heading(text: &str) -> io::Result<()> {
    print("", Style::new(), "")?;
    print("", BOLD, text)
}

pub(crate) fn line(text: &str) -> io::Result<()> {
    print(INDENT, Style::new(), text)
}

/// A longer text.
pub(crate) fn paragraph(text: &str) -> io::Result<()> {
    wrap(text).iter().try_for_each(|text| line(text))
}

/// The first line is that of a table: its heads.
pub(crate) fn table(lines: &[String]) -> io::Result<()> {
    for (number, text) in lines.iter().enumerate() {
        print(INDENT, if number == 0 { Style::new().dimmed() } else { Style::new() }, text)?;
    }
    Ok(())
}

/// Something that was refused, as it should be.
pub(crate) fn refusal(text: &str) -> io::Result<()> {
    wrap(text).iter().try_for_each(|text| print(INDENT, YELLOW, text))
}

pub(crate) fn success(text: &str) -> io::Result<()> {
    print(INDENT, GREEN, text)
}

pub(crate) fn failure(text: &str) -> io::Result<()> {
    print(INDENT, RED, &format!("failed: {text}"))
}

/// The demo itself cannot go on. Standard output may be why.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(anstream::stderr(), "{RED}error{RED:#}: {text}");
}

/// A line that lives while something is going on.
pub(crate) fn progress(text: impl Into<String>) -> Progress {
    let bar = ProgressBar::new_spinner().with_message(text.into());
    if let Ok(style) = ProgressStyle::with_template("  {spinner} {wide_msg} {elapsed}") {
        bar.set_style(style);
    }
    if !bar.is_hidden() {
        bar.enable_steady_tick(TICK);
    }
    Progress(bar)
}

/// See [`progress`]. Clears its line when dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn say(&self, text: String) {
        self.0.set_message(text);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn print(indent: &str, style: Style, text: &str) -> io::Result<()> {
    let mut output = anstream::stdout().lock();
    if text.is_empty() {
        return writeln!(output);
    }
    writeln!(output, "{indent}{style}{text}{style:#}")
}

/// As much of a text as fits on a line.
pub(crate) fn cut(text: &str) -> String {
    let room = WIDTH - INDENT.len();
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room - 1).chain(['…']).collect()
}

/// A text on as many lines as it needs, broken between words.
fn wrap(text: &str) -> Vec<String> {
    let room = WIDTH - INDENT.len();
    if text.chars().count() <= room {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(last) = lines.last_mut() else { break };
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= room {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_or_wrapped() {
        let long = "eleven more ".repeat(20);
        assert_eq!(cut(&long).chars().count(), WIDTH - INDENT.len());
        assert_eq!(cut("short"), "short");
        assert_eq!(wrap("  a  b"), ["  a  b"]);
        let wrapped = wrap(&long);
        assert!(wrapped.iter().all(|line| line.chars().count() <= WIDTH - INDENT.len()));
        assert_eq!(wrapped.join(" "), long);
    }
}
