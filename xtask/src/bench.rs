//! `cargo xtask bench`: components against native programs, side by side in one run.

use anyhow::Result;

use crate::{build, guests, step};

/// The guests that the rows run.
const GUESTS: [&str; 6] = ["args", "lines", "flood", "upper", "spin", "echo"];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    guests::build(&GUESTS.map(ToOwned::to_owned))?;
    step::line("building", "the benchmark, optimised (some minutes, the first time)");
    let bench = build::executable(&["bench", "--no-run"], "--bench", "compare")?;
    step::show(step::command(bench).args(arguments))
}
