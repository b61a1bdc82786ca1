//! `cargo xtask bench`: runs the benchmarks and merges their results.

use std::num::NonZero;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use super::{page, results, size};
use crate::build::{cargo, npm};
use crate::system::{console, paths, process, tools};
use crate::{guests, webview};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Measure each row for a shorter time
    #[arg(long)]
    quick: bool,
    /// Run only the rows of a page in a webview
    #[arg(long)]
    webview: bool,
    /// Run only the rows with this name; `size` is the size that the plugin adds to an app
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Write the results to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// How many runs to take the median of
    #[arg(long, value_name = "N", default_value = "1")]
    runs: NonZero<usize>,
    /// Write docs/performance.md from a full run
    #[arg(long, conflicts_with_all = ["quick", "webview", "only"])]
    docs: bool,
    /// With --docs: use the results in this file instead of a new run
    #[arg(long, value_name = "FILE", requires = "docs")]
    from: Option<PathBuf>,
}

pub(crate) fn run(options: &Arguments) -> Result<()> {
    let count = options.runs.get();
    if let Some(file) = &options.from {
        return page::write(&results::read(file)?, count);
    }
    if options.only.as_deref() == Some(size::NAME) {
        return write(options, &size::measure()?);
    }
    guests::build(&["rust", "python"].map(ToOwned::to_owned))?;
    let compare = (!options.webview).then(build_comparison).transpose()?;
    let harness = if options.only.is_some() && !options.webview { None } else { build_harness()? };
    let mut runs = Vec::new();
    for run in 1..=count {
        if count > 1 {
            console::step("run", &format!("{run} of {count}"));
        }
        let mut rows = Vec::new();
        if let Some(compare) = &compare {
            rows.extend(run_comparison(compare, options)?);
        }
        if let Some(harness) = &harness {
            rows.extend(run_in_webview(harness, options)?);
        }
        runs.push(rows);
    }
    let mut rows = results::median(runs);
    if compare.is_some() && !options.quick && options.only.is_none() {
        // Measuring the size takes longest. If it fails, `--docs --from` still writes these results.
        results::write(&scratch("bench-runs.json"), &rows)?;
        rows.extend(size::measure()?);
    }
    write(options, &rows)
}

fn write(options: &Arguments, rows: &[results::Row]) -> Result<()> {
    if let Some(file) = &options.json {
        results::write(file, rows)?;
    }
    if options.docs {
        page::write(rows, options.runs.get())?;
    }
    Ok(())
}

fn build_comparison() -> Result<PathBuf> {
    webview::packages::install_for_building()?;
    console::step("building", "the benchmark, optimised (takes many minutes the first time)");
    cargo::executable(&["bench", "--no-run"], "--bench", "compare")
}

/// Builds the app with both plugins; `None` if no webview can be driven.
fn build_harness() -> Result<Option<PathBuf>> {
    if !webview::packages::can_be_driven() {
        console::step("skipped", "rows of the webview: only WebKitGTK on Linux has a WebDriver");
        return Ok(None);
    }
    tools::install_languages()?;
    webview::packages::install_for_driving()?;
    // The harness registers all guests and reports missing ones when it starts.
    guests::build(&[])?;
    npm::build()?;
    console::step("building", "the harness, optimised (takes many minutes the first time)");
    cargo::executable(&["build", "--profile", "bench"], "--bin", "webview-harness").map(Some)
}

fn scratch(name: &str) -> PathBuf {
    paths::workspace().join("target").join(name)
}

fn run_comparison(program: &Path, options: &Arguments) -> Result<Vec<results::Row>> {
    let file = scratch("bench-compare.json");
    let mut compare = process::command(program);
    compare.arg("--json").arg(&file);
    if options.quick {
        compare.arg("--quick");
    }
    if let Some(only) = &options.only {
        compare.args(["--only", only]);
    }
    process::show(&mut compare)?;
    results::read(&file)
}

fn run_in_webview(harness: &Path, options: &Arguments) -> Result<Vec<results::Row>> {
    let file = scratch("bench-webview.json");
    let mut settings = vec![("BENCH_JSON", file.to_string_lossy().into_owned())];
    if options.quick {
        settings.push(("BENCH_QUICK", "1".to_owned()));
    }
    if let Some(only) = &options.only {
        settings.push(("BENCH_ONLY", only.clone()));
    }
    webview::driver::bench(harness, &settings)?;
    results::read(&file)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn parsed(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        Command::try_parse_from([&["bench"], arguments].concat()).map(|command| command.arguments)
    }

    #[test]
    fn docs_need_a_full_run() {
        assert!(parsed(&["--docs", "--runs", "3"]).is_ok_and(|options| options.runs.get() == 3));
        for arguments in [["--docs", "--quick"], ["--docs", "--webview"], ["--runs", "0"]] {
            assert!(parsed(&arguments).is_err(), "{arguments:?}");
        }
        assert!(parsed(&["--from", "a.json"]).is_err());
    }
}
