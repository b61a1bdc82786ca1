//! What the benchmarks say of each row, and the median of several runs.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

/// A row as it is in the JSON: `name, unit, n, ours`, and what it is compared with.
#[derive(Clone, Debug)]
pub(super) struct Row(pub(super) Map<String, Value>);

impl Row {
    pub(super) fn name(&self) -> &str {
        self.text("name")
    }

    pub(super) fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64()
    }

    /// A number of one of the further sides.
    pub(super) fn other(&self, side: &str, key: &str) -> Option<f64> {
        self.0.get(side)?.get(key)?.as_f64()
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.0.get(key)?.as_bool()
    }

    /// What a budget is about: the ratio, and our own value where nothing is compared.
    fn value(&self) -> Option<f64> {
        self.number("ratio_median").or_else(|| self.number("ours"))
    }
}

pub(super) fn read(file: &Path) -> Result<Vec<Row>> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("the benchmark left no `{}`", file.display()))?;
    let rows: Vec<Map<String, Value>> = serde_json::from_str(&text).context("it is JSON")?;
    Ok(rows.into_iter().map(Row).collect())
}

pub(super) fn write(file: &Path, rows: &[Row]) -> Result<()> {
    let rows: Vec<_> = rows.iter().map(|row| Value::Object(row.0.clone())).collect();
    fs::write(file, format!("{:#}\n", Value::Array(rows)))
        .with_context(|| format!("cannot write `{}`", file.display()))
}

/// Of each row the run whose value lies in the middle, whole: its numbers belong together.
pub(super) fn median(runs: Vec<Vec<Row>>) -> Vec<Row> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, ratio: f64, ours: f64) -> Row {
        let row = serde_json::json!({ "name": name, "ratio_median": ratio, "ours": ours });
        Row(row.as_object().expect("an object").clone())
    }

    #[test]
    fn of_three_runs_the_one_in_the_middle_is_told_row_by_row() {
        let runs = vec![
            vec![row("a", 3.0, 30.0), row("b", 1.0, 1.0)],
            vec![row("a", 1.0, 99.0), row("b", 9.0, 2.0)],
            vec![row("a", 2.0, 20.0), row("b", 5.0, 3.0)],
        ];
        let rows = median(runs);
        let told: Vec<_> =
            rows.iter().map(|row| (row.name(), row.number("ours").expect("a number"))).collect();
        assert_eq!(told, [("a", 20.0), ("b", 3.0)]);
    }
}
