//! Writes the results of a full run to `docs/performance.md`, with a chart.

use std::fs;

use anyhow::Result;
use serde_json::Value;

use super::chart;
use super::results::{Row, three};
use crate::docs::{machine, section};
use crate::system::{console, paths};

pub(crate) fn write(rows: &[Row], runs: usize) -> Result<()> {
    let text = page(rows, runs, &machine::describe());
    section::replace("docs/performance.md", "cargo xtask bench --docs", &text)?;
    fs::write(paths::workspace().join("docs/images/performance.svg"), chart::svg(rows))?;
    console::step("wrote", "docs/images/performance.svg");
    Ok(())
}

fn page(rows: &[Row], runs: usize, machine: &str) -> String {
    let mut text = format!(
        "Measured on {machine}. Of {runs} full {}, each row shows the one in the middle.\n\n![How many times better, row by row](images/performance.svg)\n\n",
        if runs == 1 { "run" } else { "runs" }
    );
    text.push_str("| what | ours | theirs | ratio | 10 % to 90 % | budget | `tokio::process` | bare wasmtime-wasi | n |\n");
    text.push_str("|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    for row in rows {
        text.push_str(&line(row));
    }
    let crates = rows.iter().find_map(|row| row.0.get("crates")?.as_array());
    if let Some(crates) = crates {
        text.push_str("\nWhere the size of the app with the plugin comes from, by crate, in KB of code and constants:\n\n");
        text.push_str("| crate | KB |\n|---|--:|\n");
        for row in crates {
            let name = row.get("name").and_then(Value::as_str).unwrap_or_default();
            let kb = row.get("kb").and_then(Value::as_u64).unwrap_or_default();
            text.push_str(&format!("| `{name}` | {kb} |\n"));
        }
    }
    text
}

fn line(row: &Row) -> String {
    let unit = row.text("unit");
    let amount = |value: Option<f64>| {
        value.map_or("–".to_owned(), |value| format!("{} {unit}", three(value)))
    };
    let theirs = match row.text("against") {
        "" => "–".to_owned(),
        "tauri-plugin-shell" => amount(row.number("theirs")),
        against => format!("{} ({against})", amount(row.number("theirs"))),
    };
    let ratio =
        row.number("ratio_median").map_or("–".to_owned(), |ratio| format!("{}×", three(ratio)));
    let spread = match (row.number("ratio_p10"), row.number("ratio_p90")) {
        (Some(low), Some(high)) => format!("{} to {}", three(low), three(high)),
        _ => String::new(),
    };
    let budget = match (row.text("budget"), row.flag("met")) {
        ("", _) => String::new(),
        (budget, Some(true)) => format!("{budget} ✓"),
        (budget, _) => format!("{budget} **missed**"),
    };
    let other = |side: &str| {
        let value = row.other(side, "value")?;
        Some(format!("{} ({}×)", three(value), three(row.other(side, "ratio_median")?)))
    };
    format!(
        "| {} | {} | {theirs} | {ratio} | {spread} | {budget} | {} | {} | {} |\n",
        row.name(),
        amount(row.number("ours")),
        other("tokio").unwrap_or_default(),
        other("bare").unwrap_or_default(),
        row.number("n").unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_a_missed_budget_and_the_other_side() {
        let row = serde_json::json!({
            "name": "kill", "unit": "µs", "n": 5, "ours": 100.0, "theirs": 50.0, "against": "tokio::process",
            "ratio_median": 2.0, "ratio_p10": 1.5, "ratio_p90": 2.5, "budget": "≤ 1.5", "met": false,
            "bare": { "value": 10.0, "ratio_median": 10.0 },
        });
        let line = line(&Row(row.as_object().expect("an object").clone()));
        let expected = "| kill | 100 µs | 50.0 µs (tokio::process) | 2.00× | 1.50 to 2.50 | ≤ 1.5 **missed** |  | 10.0 (10.0×) | 5 |\n";
        assert_eq!(line, expected);
    }
}
