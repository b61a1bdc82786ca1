//! `cargo xtask bench`: components against native programs, side by side in one run, and in one page of a webview; and
//! what the library adds to an app.

mod chart;
mod page;
mod results;
mod size;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

pub(crate) use page::machine;

use crate::{build, e2e, guests, javascript, paths, setup, step, webview};

/// What was asked for.
#[derive(Debug, Default)]
struct Options {
    quick: bool,
    webview: bool,
    only: Option<String>,
    json: Option<PathBuf>,
    /// How often all of it is run; what is told is the median.
    runs: usize,
    /// Whether `docs/performance.md` is written.
    docs: bool,
    /// What an earlier run said, to write the page of it again.
    from: Option<PathBuf>,
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let options = options(arguments)?;
    if let Some(file) = &options.from {
        return page::write(&results::read(file)?, options.runs);
    }
    if options.only.as_deref() == Some(size::NAME) {
        return tell(&options, &size::measure()?);
    }
    guests::build(&["rust", "python"].map(ToOwned::to_owned))?;
    let compare = (!options.webview).then(build_comparison).transpose()?;
    // Where no page can be driven the rows of the webview are missing, which the page says.
    let harness = if options.only.is_some() && !options.webview { None } else { build_harness()? };
    let mut runs = Vec::new();
    for run in 1..=options.runs {
        if options.runs > 1 {
            step::line("run", &format!("{run} of {}", options.runs));
        }
        let mut rows = Vec::new();
        if let Some(compare) = &compare {
            rows.extend(compared(compare, &options)?);
        }
        if let Some(harness) = &harness {
            rows.extend(in_a_webview(harness, &options)?);
        }
        runs.push(rows);
    }
    let mut rows = results::median(runs);
    if compare.is_some() && !options.quick && options.only.is_none() {
        // What follows takes longest, and what was measured is not lost with it: `--docs --from` takes it.
        results::write(&scratch("bench-runs.json"), &rows)?;
        rows.extend(size::measure()?);
    }
    tell(&options, &rows)
}

/// Writes what was asked for.
fn tell(options: &Options, rows: &[results::Row]) -> Result<()> {
    if let Some(file) = &options.json {
        results::write(file, rows)?;
    }
    if options.docs {
        page::write(rows, options.runs)?;
    }
    Ok(())
}

fn options(arguments: &[String]) -> Result<Options> {
    let mut options = Options { runs: 1, ..Options::default() };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().cloned().with_context(|| format!("`{argument}` needs a value"));
        match argument.as_str() {
            "--quick" => options.quick = true,
            "--webview" => options.webview = true,
            "--docs" => options.docs = true,
            "--only" => options.only = Some(value()?),
            "--json" => options.json = Some(std::path::absolute(value()?)?),
            "--from" => options.from = Some(std::path::absolute(value()?)?),
            "--runs" => options.runs = value()?.parse().context("`--runs` needs a number")?,
            _ => bail!(
                "`{argument}` is not known; there are --quick, --webview, --only NAME, --json FILE, --runs N, --docs [--from FILE]"
            ),
        }
    }
    if options.docs && (options.quick || options.webview || options.only.is_some()) {
        bail!("`--docs` tells of a full run; leave out --quick, --webview and --only");
    }
    if options.from.is_some() && !options.docs {
        bail!("`--from` is for `--docs`");
    }
    if options.runs == 0 {
        bail!("`--runs` needs a number above 0");
    }
    Ok(options)
}

fn build_comparison() -> Result<PathBuf> {
    webview::set_up_building()?;
    step::line("building", "the benchmark, optimised (many minutes, the first time)");
    build::executable(&["bench", "--no-run"], "--bench", "compare")
}

/// The app with both plugins; nothing where there is no way to drive it.
fn build_harness() -> Result<Option<PathBuf>> {
    if !webview::can_be_driven() {
        step::line(
            "skipped",
            "rows of the webview: there is a driver for WebKitGTK only, on Linux",
        );
        return Ok(None);
    }
    setup::set_up_languages()?;
    webview::set_up_driving()?;
    // The harness knows all guests, and says at its start which are missing.
    guests::build(&[])?;
    javascript::build()?;
    step::line("building", "the harness, optimised (many minutes, the first time)");
    build::executable(&["build", "--profile", "bench"], "--bin", "webview-harness").map(Some)
}

fn scratch(name: &str) -> PathBuf {
    paths::workspace().join("target").join(name)
}

fn compared(program: &Path, options: &Options) -> Result<Vec<results::Row>> {
    let file = scratch("bench-compare.json");
    let mut compare = step::command(program);
    compare.arg("--json").arg(&file);
    if options.quick {
        compare.arg("--quick");
    }
    if let Some(only) = &options.only {
        compare.args(["--only", only]);
    }
    step::show(&mut compare)?;
    results::read(&file)
}

fn in_a_webview(harness: &Path, options: &Options) -> Result<Vec<results::Row>> {
    let file = scratch("bench-webview.json");
    let mut settings = vec![("BENCH_JSON", file.to_string_lossy().into_owned())];
    if options.quick {
        settings.push(("BENCH_QUICK", "1".to_owned()));
    }
    if let Some(only) = &options.only {
        settings.push(("BENCH_ONLY", only.clone()));
    }
    e2e::bench(harness, &settings)?;
    results::read(&file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(arguments: &[&str]) -> Result<Options> {
        options(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn a_page_is_written_of_a_full_run_only() {
        assert!(asked(&["--docs", "--runs", "3"]).is_ok_and(|options| options.runs == 3));
        for arguments in [["--docs", "--quick"], ["--docs", "--webview"], ["--runs", "0"]] {
            assert!(asked(&arguments).is_err(), "{arguments:?}");
        }
        let error = asked(&["--fast"]).expect_err("there is no such thing");
        assert!(error.to_string().contains("--quick"), "{error}");
    }
}
