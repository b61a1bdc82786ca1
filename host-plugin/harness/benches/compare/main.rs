//! Components against native programs built from the same source, started by [`tokio::process`].
//!
//! `cargo xtask bench [--quick] [--only NAME] [--json FILE]`. Both sides run in turn in one process, and the
//! ratio is taken pair by pair: an absolute time says little on a machine that does other things as well.

#![allow(
    clippy::disallowed_methods,
    reason = "the other side of the comparison, and its own files"
)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table is what it is for")]

mod measure;
mod report;
mod rows;

use anyhow::{Context, Result, bail};

/// What was asked for on the command line.
#[derive(Default)]
struct Options {
    quick: bool,
    only: Option<String>,
    json: Option<String>,
}

fn options() -> Result<Options> {
    let mut options = Options::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match &*arg {
            "--quick" => options.quick = true,
            "--only" => options.only = Some(args.next().context("`--only` needs a name")?),
            "--json" => options.json = Some(args.next().context("`--json` needs a file")?),
            // Cargo's own.
            "--bench" => {}
            other => {
                bail!("unknown argument `{other}`; there are --quick, --only NAME, --json FILE")
            }
        }
    }
    Ok(options)
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
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
    let bench = rows::Bench::new()?;
    let mut results = Vec::new();
    report::head();
    for row in rows::ROWS {
        if options.only.as_ref().is_some_and(|only| !row.name.contains(only.as_str())) {
            continue;
        }
        let samples = if options.quick { row.quick } else { row.full };
        let result = measure::compare(row, &bench, samples).await?;
        report::line(&result);
        results.push(result);
    }
    if results.is_empty() {
        bail!(
            "no row has that name; there are: {}",
            rows::ROWS.each_ref().map(|row| row.name).join(", ")
        );
    }
    if let Some(file) = options.json {
        std::fs::write(&file, report::json(&results)).with_context(|| format!("write `{file}`"))?;
    }
    Ok(())
}
