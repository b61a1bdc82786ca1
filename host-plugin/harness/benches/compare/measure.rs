//! Runs the sides of a row in turn and takes ratios pair by pair.

use anyhow::{Context, Result};

use crate::{
    rows::{Metric, Row},
    side::{Bench, Side},
};

/// What a metric gave: the median of each side, or the largest if that is what it is about, and how ours relates to the others.
pub(crate) struct Comparison {
    pub(crate) metric: &'static Metric,
    pub(crate) ours: f64,
    /// The side that the budget is about, and its median.
    pub(crate) reference: Option<(Side, f64)>,
    /// Ours to the reference: at 10 %, 50 % and 90 % of the pairs.
    pub(crate) ratio: Option<[f64; 3]>,
    /// Every other side: its median, and the median of ours to it.
    pub(crate) others: Vec<(Side, f64, f64)>,
    pub(crate) n: usize,
}

pub(crate) async fn compare(
    row: &'static Row,
    bench: &Bench,
    samples: usize,
    ours_alone: bool,
) -> Result<Vec<Comparison>> {
    let sides = if ours_alone { &row.sides[..1] } else { row.sides };
    // By side, by sample, by metric.
    let mut values: Vec<Vec<Vec<f64>>> = vec![Vec::with_capacity(samples); sides.len()];
    for sample in 0..samples + row.warm_up {
        for (side, values) in sides.iter().zip(&mut values) {
            let measured = row.work.run(bench, *side).await;
            let measured = measured
                .with_context(|| format!("row `{}`, {}", row.metrics[0].name, side.name()))?;
            if sample >= row.warm_up {
                values.push(measured);
            }
        }
    }
    Ok(row.metrics.iter().enumerate().map(|(at, metric)| one(sides, metric, at, &values)).collect())
}

fn one(sides: &[Side], metric: &'static Metric, at: usize, values: &[Vec<Vec<f64>>]) -> Comparison {
    let column = |side: usize| -> Vec<f64> { values[side].iter().map(|all| all[at]).collect() };
    let ours = column(0);
    let ratios = |theirs: &[f64]| -> Vec<f64> {
        ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect()
    };
    let told = if metric.slowest { 1.0 } else { 0.5 };
    let mut compared = Comparison {
        metric,
        ours: part(&ours, told),
        reference: None,
        ratio: None,
        others: Vec::new(),
        n: ours.len(),
    };
    for (index, side) in sides.iter().enumerate().skip(1) {
        let theirs = column(index);
        let ratios = ratios(&theirs);
        if index == 1 {
            compared.reference = Some((*side, part(&theirs, told)));
            let ratio = [0.1, 0.5, 0.9].map(|at| part(&ratios, at));
            // The slowest of one side has nothing to do with the slowest of the other.
            compared.ratio = (!metric.slowest).then_some(ratio);
        } else {
            compared.others.push((*side, part(&theirs, told), part(&ratios, 0.5)));
        }
    }
    compared
}

/// The value that this part of all values does not exceed.
fn part(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}
