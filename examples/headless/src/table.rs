//! The table of what was measured: one row per program and backend, in 100 columns.

use wasi_sidecar::{
    Backend,
    units::{size, time},
};

use crate::measure::Facts;

/// One program on one backend.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) program: String,
    pub(crate) backend: Backend,
    /// `None`: there is no such program.
    pub(crate) facts: Option<Facts>,
}

const HEADS: [&str; COLUMNS] =
    ["program", "backend", "1st byte", "total", "cpu", "memory", "bytes out", "end"];
const COLUMNS: usize = 8;
/// Where numbers stand, which are aligned on the right.
const NUMBERS: std::ops::RangeInclusive<usize> = 2..=6;
/// What is not there, or not known.
const NOTHING: &str = "–";

/// The heads and a line per row; nothing for no rows.
pub(crate) fn lay_out(rows: &[Row]) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let cells: Vec<[String; COLUMNS]> =
        std::iter::once(HEADS.map(ToOwned::to_owned)).chain(rows.iter().map(cells)).collect();
    let mut widths = [0; COLUMNS];
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    cells.iter().map(|row| line(row, &widths)).collect()
}

fn line(row: &[String; COLUMNS], widths: &[usize; COLUMNS]) -> String {
    let padded = row.iter().zip(widths).enumerate().map(|(column, (cell, &width))| {
        if NUMBERS.contains(&column) {
            format!("{cell:>width$}")
        } else {
            format!("{cell:<width$}")
        }
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

fn cells(row: &Row) -> [String; COLUMNS] {
    let nothing = || NOTHING.to_owned();
    let (program, backend) = (row.program.clone(), row.backend.to_string());
    let Some(facts) = &row.facts else {
        let none = format!("{NOTHING} (no native fallback)");
        return [program, backend, nothing(), nothing(), nothing(), nothing(), nothing(), none];
    };
    [
        program,
        backend,
        facts.first_byte.map_or_else(nothing, time),
        time(facts.total),
        facts.cpu.map_or_else(nothing, time),
        facts.memory.map_or_else(nothing, size),
        count(facts.bytes),
        facts.end(),
    ]
}

/// A number with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn columns_are_aligned() {
        let row = |program: &str| Row {
            program: program.to_owned(),
            backend: Backend::Native,
            facts: None,
        };
        let lines = lay_out(&[row("echo"), row("a-longer-name")]);
        let column = |line: &String| line.find("native").map(|at| line[..at].chars().count());
        assert_eq!(lines.len(), 3);
        assert_eq!(column(&lines[1]), Some(15));
        assert_eq!(column(&lines[1]), column(&lines[2]));
        assert!(lay_out(&[]).is_empty());
    }
}
