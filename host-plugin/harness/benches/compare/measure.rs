//! Runs the two sides of a row in turn and takes the ratio pair by pair.

use anyhow::{Context, Result};

use crate::rows::{Bench, Row, Side};

/// What a row gave: medians of both sides, and how their ratio spread.
pub(crate) struct Comparison {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// More is better: the ratio is ours to theirs all the same.
    pub(crate) rate: bool,
    pub(crate) ours: f64,
    pub(crate) theirs: f64,
    pub(crate) ratio: [f64; 3],
    pub(crate) n: usize,
}

/// Pairs that are run first and not counted: caches fill, threads start.
const WARM_UP: usize = 2;

pub(crate) async fn compare(row: &Row, bench: &Bench, samples: usize) -> Result<Comparison> {
    let mut pairs = Vec::with_capacity(samples);
    for pair in 0..samples + WARM_UP {
        let ours = row.run(bench, Side::Component).await;
        let theirs = row.run(bench, Side::Native).await;
        let context = || format!("row `{}`", row.name);
        let (ours, theirs) = (ours.with_context(context)?, theirs.with_context(context)?);
        if pair >= WARM_UP {
            pairs.push((ours, theirs));
        }
    }
    let sorted = |value: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = pairs.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let at =
        |values: &[f64], part: f64| values[((values.len() - 1) as f64 * part).round() as usize];
    let ratios = sorted(|(ours, theirs)| ours / theirs);
    Ok(Comparison {
        name: row.name,
        unit: row.unit,
        rate: row.rate,
        ours: at(&sorted(|pair| pair.0), 0.5),
        theirs: at(&sorted(|pair| pair.1), 0.5),
        ratio: [at(&ratios, 0.1), at(&ratios, 0.5), at(&ratios, 0.9)],
        n: samples,
    })
}
