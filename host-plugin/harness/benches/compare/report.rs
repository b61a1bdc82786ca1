//! The table on the terminal, and the same as JSON.

use crate::{
    measure::Comparison,
    rows::{Bound, Metric},
    side::Side,
};

pub(crate) fn head() {
    println!(
        "{:<44} {:>14} {:>14} {:>8}  {:<16} {:<9} {:<5} {:>14} {:>14} {:>5}",
        "what", "ours", "theirs", "ratio", "10 % to 90 %", "budget", "", "tokio", "bare", "n"
    );
}

pub(crate) fn line(row: &Comparison) {
    let Metric { name, unit, budget, .. } = row.metric;
    let theirs = row.reference.map_or("–".to_owned(), |(_, value)| amount(value, unit));
    let (ratio, spread) = match row.ratio {
        Some([low, median, high]) => {
            (format!("{}×", three(median)), format!("{} to {}", three(low), three(high)))
        }
        None => ("–".to_owned(), String::new()),
    };
    let met = match (budget, met(row)) {
        (None, _) => "",
        (_, true) => "met",
        (_, false) => "MISS",
    };
    let budget = budget.map_or(String::new(), |budget| budget.to_string());
    println!(
        "{name:<44} {:>14} {theirs:>14} {ratio:>8}  {spread:<16} {budget:<9} {met:<5} {:>14} {:>14} {:>5}",
        amount(row.ours, unit),
        other(row, Side::Tokio),
        other(row, Side::Bare),
        row.n,
    );
}

/// Another side's value, and ours to it.
fn other(row: &Comparison, side: Side) -> String {
    let found = row.others.iter().find(|(other, ..)| *other == side);
    found.map_or("–".to_owned(), |(_, value, ratio)| {
        format!("{} ({}×)", three(*value), three(*ratio))
    })
}

/// Whether the budget is met, of the ratio if there is one and of our own value otherwise.
fn met(row: &Comparison) -> bool {
    let value = row.ratio.map_or(row.ours, |[_, median, _]| median);
    match row.metric.budget {
        Some(Bound::AtMost(bound)) => value <= bound,
        Some(Bound::AtLeast(bound)) => value >= bound,
        None => true,
    }
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
    let rows: Vec<_> = rows.iter().map(object).collect();
    format!("{:#}\n", serde_json::Value::from(rows))
}

fn object(row: &Comparison) -> serde_json::Value {
    let mut object = serde_json::json!({
        "name": row.metric.name, "unit": row.metric.unit, "n": row.n, "ours": row.ours,
        "more_is_better": row.metric.rate,
        "budget": row.metric.budget.map(|bound| bound.to_string()),
        "aim": row.metric.aim.map(|bound| bound.to_string()),
        "met": row.metric.budget.map(|_| met(row)),
    });
    if let Some((side, theirs)) = row.reference {
        object["against"] = side.name().into();
        object["theirs"] = theirs.into();
    }
    if let Some([p10, median, p90]) = row.ratio {
        object["ratio_p10"] = p10.into();
        object["ratio_median"] = median.into();
        object["ratio_p90"] = p90.into();
    }
    for (side, value, ratio) in &row.others {
        object[side.key()] = serde_json::json!({ "value": value, "ratio_median": ratio });
    }
    object
}
