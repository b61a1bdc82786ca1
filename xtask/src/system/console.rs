//! The lines that the commands print: a verb in a right-aligned column, as cargo prints it, and a text.

use std::io::Write;
use std::time::Duration;

/// Prints `verb  text`.
pub(crate) fn step(verb: &str, text: &str) {
    // A closed pipe must not end the work.
    let _ = writeln!(std::io::stdout(), "{verb:>12}  {text}");
}

/// Formats a duration: `45 s`, `2 min 5 s`.
pub(crate) fn duration(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..90 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
