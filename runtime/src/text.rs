//! Makes text from artifacts and guests safe to show.
//!
//! Names in an artifact, trap messages and paths end up in logs, terminals and web pages. So their length is bounded,
//! and characters that control a terminal or reorder a line are escaped.

use std::fmt;

/// Longest text shown, in bytes. A guest chooses the length of its function names: raw wasmtime messages of 1.8 MB were
/// seen.
pub(crate) const MAX_TEXT: usize = 4096;

/// Longest name shown, in bytes. Longer than any interface or function name that tool chains produce.
const MAX_NAME: usize = 256;

/// One line of at most [`MAX_TEXT`] bytes, without control or reordering characters.
pub(crate) fn line(text: &str) -> String {
    escape(text, false, MAX_TEXT)
}

/// A name from an artifact, short enough to leave room for the sentence around it.
pub(crate) fn name(text: &str) -> String {
    escape(text, false, MAX_NAME)
}

/// Like [`line`], but keeps line breaks and tabs, as a backtrace needs them.
pub(crate) fn block(text: &str) -> String {
    escape(text, true, MAX_TEXT)
}

/// The first [`MAX_TEXT`] bytes of what `text` displays. Formatting stops there, so a name that expands to megabytes
/// costs no more than its beginning.
pub(crate) fn bounded(text: impl fmt::Display) -> String {
    let mut beginning = Beginning(String::new());
    // An error means that the text was cut.
    let _ = fmt::write(&mut beginning, format_args!("{text}"));
    beginning.0
}

struct Beginning(String);

impl fmt::Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_TEXT - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        Err(fmt::Error)
    }
}

fn escape(text: &str, keep_breaks: bool, max: usize) -> String {
    const ELLIPSIS: &str = " …";
    let mut shown = String::with_capacity(text.len().min(max));
    for character in text.chars() {
        let before = shown.len();
        if keep_breaks && matches!(character, '\n' | '\t') {
            shown.push(character);
        } else if is_hidden(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
        if shown.len() > max - ELLIPSIS.len() {
            shown.truncate(before);
            shown.push_str(ELLIPSIS);
            break;
        }
    }
    shown
}

/// Whether a character from untrusted text should be escaped: control characters, which steer a terminal, and invisible
/// ones that change the order or the look of their neighbours. A guest chooses the names of its files.
///
/// ```
/// use wasi_sidecar::is_hidden;
///
/// let name = "\u{202e}fdp.exe"; // shown as "exe.pdf"
/// let shown: String = name
///     .chars()
///     .map(|c| if is_hidden(c) { c.escape_default().to_string() } else { c.to_string() })
///     .collect();
/// assert_eq!(shown, "\\u{202e}fdp.exe");
/// ```
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_at_a_character() {
        let cut = line(&"ä".repeat(MAX_TEXT));
        assert!(cut.len() <= MAX_TEXT, "{} bytes", cut.len());
        assert!(cut.ends_with(" …"));
    }

    #[test]
    fn a_text_that_goes_on_and_on_is_not_written_to_its_end() {
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("ä bit more, ")?;
                }
            }
        }
        let text = bounded(Endless);
        assert!((MAX_TEXT - 4..=MAX_TEXT).contains(&text.len()), "{} bytes", text.len());
        assert_eq!(bounded(format_args!("{}", 7)), "7");
    }

    #[test]
    fn a_block_keeps_its_lines_and_nothing_else() {
        assert_eq!(block("a\n\tb\x1b[1m\r"), "a\n\tb\\u{1b}[1m\\r");
        assert_eq!(line("a\n\tb"), "a\\n\\tb");
    }
}
