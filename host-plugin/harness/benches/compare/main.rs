//! Components against native programs built from the same source, started by `tauri-plugin-shell`.
//!
//! `cargo xtask bench [--quick] [--ours] [--only NAME] [--json FILE]`. All sides of a row run in turn in one process, and ratios are
//! taken pair by pair: an absolute time says little on a machine that does other things as well. Two more columns say
//! what the best a native child can do is ([`tokio::process`]), and what an embedder gets of wasmtime-wasi when it adds
//! nothing. `--ours` runs our side alone, for a profiler to look at.

#![allow(
    clippy::disallowed_methods,
    reason = "the other side of the comparison, and its own files"
)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table is what it is for")]

mod measure;
mod report;
mod rows;
mod side;
mod work;

use anyhow::{Context, Result, bail};

/// What was asked for on the command line.
#[derive(Default)]
struct Options {
    quick: bool,
    ours: bool,
    only: Option<String>,
    json: Option<String>,
}

fn options() -> Result<Options> {
    let mut options = Options::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match &*arg {
            "--quick" => options.quick = true,
            "--ours" => options.ours = true,
            "--only" => options.only = Some(args.next().context("`--only` needs a name")?),
            "--json" => options.json = Some(args.next().context("`--json` needs a file")?),
            // Cargo's own.
            "--bench" => {}
            other => {
                bail!(
                    "unknown argument `{other}`; there are --quick, --ours, --only NAME, --json FILE"
                )
            }
        }
    }
    Ok(options)
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    // Both plugins run what they start on this runtime, and not on one more.
    tauri::async_runtime::set(tokio::runtime::Handle::current());
    match run().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let options = options()?;
    let wanted = |row: &&rows::Row| {
        options
            .only
            .as_ref()
            .is_none_or(|only| row.metrics.iter().any(|metric| metric.name.contains(only.as_str())))
    };
    let wanted: Vec<_> = rows::ROWS.iter().filter(wanted).collect();
    if wanted.is_empty() {
        let names = rows::ROWS.iter().flat_map(|row| row.metrics).map(|metric| metric.name);
        bail!("no row has that name; there are: {}", names.collect::<Vec<_>>().join(", "));
    }
    let bench = side::Bench::new()?;
    let mut results = Vec::new();
    report::head();
    for row in wanted {
        let samples = if options.quick { row.quick } else { row.full };
        for result in measure::compare(row, &bench, samples, options.ours).await? {
            report::line(&result);
            results.push(result);
        }
    }
    if let Some(file) = options.json {
        std::fs::write(&file, report::json(&results)).with_context(|| format!("write `{file}`"))?;
    }
    Ok(())
}
