//! The table on the terminal, and the same as JSON.

use crate::measure::Comparison;

pub(crate) fn head() {
    println!(
        "{:<34} {:>14} {:>14} {:>9}  {:<17} {:>5}",
        "what", "component", "native", "ratio", "10 % to 90 %", "pairs"
    );
}

pub(crate) fn line(row: &Comparison) {
    let [low, median, high] = row.ratio;
    println!(
        "{:<34} {:>14} {:>14} {:>8}×  {:<17} {:>5}  {}",
        row.name,
        amount(row.ours, row.unit),
        amount(row.theirs, row.unit),
        three(median),
        format!("{} to {}", three(low), three(high)),
        row.n,
        if row.rate { "more is better" } else { "less is better" },
    );
}

fn amount(value: f64, unit: &str) -> String {
    format!("{} {unit}", three(value))
}

/// Three significant digits.
fn three(value: f64) -> String {
    let decimals = match value {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

pub(crate) fn json(rows: &[Comparison]) -> String {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let [p10, median, p90] = row.ratio;
            serde_json::json!({
                "name": row.name, "unit": row.unit, "n": row.n,
                "ours": row.ours, "theirs": row.theirs,
                "ratio_median": median, "ratio_p10": p10, "ratio_p90": p90,
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::from(rows))
}
