//! The rows that the benchmarks write as JSON, and the median of several runs.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

/// A row: `name`, `unit`, `n`, `ours`, and the sides that it is compared with.
#[derive(Clone, Debug)]
pub(crate) struct Row(pub(crate) Map<String, Value>);

impl Row {
    pub(crate) fn name(&self) -> &str {
        self.text("name")
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64()
    }

    /// A number of a side other than `theirs`: `tokio` or `bare`.
    pub(crate) fn other(&self, side: &str, key: &str) -> Option<f64> {
        self.0.get(side)?.get(key)?.as_f64()
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        self.0.get(key)?.as_bool()
    }

    /// The value that runs are ordered by: the ratio, or our own value if there is no other side.
    fn value(&self) -> Option<f64> {
        self.number("ratio_median").or_else(|| self.number("ours"))
    }
}

pub(crate) fn read(file: &Path) -> Result<Vec<Row>> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the results `{}`", file.display()))?;
    let rows: Vec<Map<String, Value>> =
        serde_json::from_str(&text).context("the results are not JSON")?;
    Ok(rows.into_iter().map(Row).collect())
}

pub(crate) fn write(file: &Path, rows: &[Row]) -> Result<()> {
    let rows: Vec<_> = rows.iter().map(|row| Value::Object(row.0.clone())).collect();
    fs::write(file, format!("{:#}\n", Value::Array(rows)))
        .with_context(|| format!("cannot write `{}`", file.display()))
}

/// For each row, the whole row of the median run, so that its numbers belong together.
pub(crate) fn median(runs: Vec<Vec<Row>>) -> Vec<Row> {
    let order: Vec<String> = runs
        .first()
        .map_or_else(Vec::new, |run| run.iter().map(|row| row.name().to_owned()).collect());
    let mut by_name: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in runs.into_iter().flatten() {
        by_name.entry(row.name().to_owned()).or_default().push(row);
    }
    let middle = |mut rows: Vec<Row>| {
        rows.sort_by(|one, other| {
            let value = |row: &Row| row.value().unwrap_or_default();
            value(one).total_cmp(&value(other))
        });
        let at = (rows.len() - 1) / 2;
        rows.swap_remove(at)
    };
    order.iter().filter_map(|name| by_name.remove(name)).map(middle).collect()
}

/// Formats a number with three significant digits.
pub(crate) fn three(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, ratio: f64, ours: f64) -> Row {
        let row = serde_json::json!({ "name": name, "ratio_median": ratio, "ours": ours });
        Row(row.as_object().expect("an object").clone())
    }

    #[test]
    fn the_median_is_taken_row_by_row() {
        let runs = vec![
            vec![row("a", 3.0, 30.0), row("b", 1.0, 1.0)],
            vec![row("a", 1.0, 99.0), row("b", 9.0, 2.0)],
            vec![row("a", 2.0, 20.0), row("b", 5.0, 3.0)],
        ];
        let rows = median(runs);
        let values: Vec<_> =
            rows.iter().map(|row| (row.name(), row.number("ours").expect("a number"))).collect();
        assert_eq!(values, [("a", 20.0), ("b", 3.0)]);
    }
}
