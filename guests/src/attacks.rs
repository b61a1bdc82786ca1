//! The report of the attack suite: `docs/attacks.md`, and its parts under `target/attacks`.
//!
//! Each test of the suite runs the rows of one letter, in a process of its own. It writes its part and compares it with what
//! is committed; `cargo xtask attacks` puts the parts together. Nothing in it depends on the machine or the day.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Set by `cargo xtask attacks`, which makes the report anew: the parts are then written and not compared.
pub const RENEW: &str = "WASI_SIDECAR_ATTACKS_RENEW";

/// What stands before the first part.
pub const HEAD: &str = "\
# Attacks

What hostile guests, pages, artifacts and a machine in trouble try, and what comes of it. `cargo xtask attacks` makes this page by
trying; the same tests run with `cargo xtask test`, and fail where a line is not what is written here. Each row runs against the
library as an application uses it. After each one the host is looked at: a guest that does its work, a blocking task, a file, a
socket and a thread still work, memory, descriptors, mappings and threads are where they were, nothing outside of the grants has
changed, and nothing has panicked.

*Expected* and *observed* are what the guest, or whoever started it, gets to see: `not-permitted` is WASI's error of that name,
`out of …` a limit, `trap: …` a fault of the guest, `refused: …` an error before anything runs. *Bare engine* is the same attack on
wasmtime-wasi as an embedder gets it who sets nothing, where that can be tried safely and what happens is documented; it is empty
elsewhere. Rows of another system say which; they run there.

How late a guest of case 135 ends, over its 16 calls in two shapes, in one run of a debug build on two cores: after a limit of 10 ms on
its time or CPU time, 4.0 ms in the median and 17 ms at most (64 ends); after a kill, 2.2 ms and 8.4 ms (32 ends). A call of `spawn` or
`start_kill` kept its caller for 1.5 ms in the median and 5.1 ms at most (96 calls) while the guest worked: in that build, with a
thousand entries in the environment of some guests. The test prints these figures.
";

/// The parts there are, in order.
pub const PARTS: &[(char, &str)] = &[
    ('A', "Paths"),
    ('B', "Computing, stack, memory"),
    ('C', "Calls of the host"),
    ('D', "Standard streams"),
    ('E', "Artifacts, compiling, code cache"),
    ('F', "Network"),
    ('G', "Environment and information"),
    ('H', "Pages"),
    ('I', "Faults of the process"),
    ('J', "Work between two interrupts, and memory beside a guest's own"),
];

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number of the case.
    pub case: u16,
    /// What is tried.
    pub attack: String,
    /// What should come of it.
    pub expected: String,
    /// What did.
    pub observed: String,
    /// What comes of it without this library, if that is told.
    pub bare: String,
}

/// A part of the report, from its heading to its last line.
pub fn part(letter: char, lines: &[Line]) -> String {
    let title = PARTS.iter().find(|(part, _)| *part == letter).map_or("", |(_, title)| title);
    let mut text = format!(
        "## {letter}. {title}\n\n| case | attack | expected | observed | bare engine |\n|---|---|---|---|---|\n"
    );
    for line in lines {
        let cells = [&line.attack, &line.expected, &line.observed, &line.bare];
        let cells = cells.map(|cell| cell.replace('|', "\\|").replace('\n', " "));
        // A `String` takes all that is written to it.
        let _ = writeln!(text, "| {} | {} |", line.case, cells.join(" | "));
    }
    text
}

/// Writes a part for `cargo xtask attacks`, and compares it with the committed one unless the report is being renewed.
///
/// # Errors
/// What differs, and how to renew it.
pub fn publish(letter: char, lines: &[Line]) -> Result<(), String> {
    let made = part(letter, lines);
    let place = parts();
    let written = fs::create_dir_all(&place)
        .and_then(|()| fs::write(place.join(letter.to_string()).with_extension("md"), &made));
    written.map_err(|error| format!("the report cannot be written: {error}"))?;
    if std::env::var_os(RENEW).is_some() {
        return Ok(());
    }
    let page = fs::read_to_string(committed()).map_err(|error| error.to_string())?;
    let head = format!("## {letter}. ");
    let found = page.split_inclusive("\n## ").map(|part| part.trim_end_matches("## ").trim_end());
    let found = found.map(|part| format!("## {}", part.trim_start_matches("## ")));
    let found = found.into_iter().find(|part| part.starts_with(&head)).unwrap_or_default();
    if found == made.trim_end() {
        return Ok(());
    }
    let differs = made.lines().find(|line| !found.lines().any(|known| known == *line));
    let differs = differs.or_else(|| found.lines().find(|line| !made.contains(line)));
    Err(format!(
        "part {letter} of docs/attacks.md is not what the attacks give; if that is right, run `cargo xtask attacks` and commit \
         what it writes there. The first line that differs:\n{}",
        differs.unwrap_or("their order")
    ))
}

/// The whole report, of the parts that were written last.
///
/// # Errors
/// When a part is missing.
pub fn report() -> io::Result<String> {
    let mut text = HEAD.to_owned();
    for (letter, _) in PARTS {
        let part = fs::read_to_string(parts().join(letter.to_string()).with_extension("md"))?;
        text.push('\n');
        text.push_str(&part);
    }
    Ok(text)
}

/// Where parts are written.
pub fn parts() -> PathBuf {
    crate::directory().parent().unwrap_or(Path::new(".")).join("attacks")
}

/// The committed report.
pub fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).join("docs/attacks.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_report_is_whole_and_nothing_in_it_came_out_otherwise() {
        let page = fs::read_to_string(committed()).expect("docs/attacks.md is committed");
        assert!(page.starts_with(HEAD), "run `cargo xtask attacks` and commit docs/attacks.md");
        let titles: Vec<_> = page.lines().filter(|line| line.starts_with("## ")).collect();
        let known: Vec<_> =
            PARTS.iter().map(|(letter, title)| format!("## {letter}. {title}")).collect();
        assert_eq!(titles, known);
        let mut rows = 0;
        for line in
            page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| case"))
        {
            let cells: Vec<_> = line.split(" | ").collect();
            assert_eq!(cells.len(), 5, "{line}");
            let elsewhere = cells[3].starts_with("on ");
            assert!(elsewhere || cells[2] == cells[3], "{line}");
            rows += usize::from(!elsewhere);
        }
        assert!(rows >= 110, "{rows} rows run on Linux");
    }

    #[test]
    fn a_cell_cannot_break_the_table() {
        let line = Line {
            case: 1,
            attack: "a | b\nc".into(),
            expected: "x".into(),
            observed: "x".into(),
            bare: String::new(),
        };
        assert!(part('A', &[line]).ends_with("| 1 | a \\| b c | x | x |  |\n"));
    }
}
