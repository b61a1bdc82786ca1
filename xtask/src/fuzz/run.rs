//! Runs the fuzz targets. New inputs are kept in `target/fuzz`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::build;
use crate::system::{console, paths, process};
use crate::{guests, webview};

/// The time of `--smoke`, for all targets together.
const SMOKE: Duration = Duration::from_secs(60);

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Run all targets for one minute together, always from the same start
    #[arg(long, conflicts_with = "minutes")]
    smoke: bool,
    /// How many minutes to run all targets together
    #[arg(long, default_value_t = 10.0, value_name = "N")]
    minutes: f64,
    /// Run only this target
    target: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if cfg!(windows) {
        bail!("the fuzz targets run on Linux and macOS");
    }
    let mut targets = targets()?;
    if let Some(name) = &arguments.target {
        if !targets.contains(name) {
            bail!("there is no target `{name}`; the targets are {}", targets.join(", "));
        }
        targets.retain(|target| target == name);
    }
    let total = match arguments.smoke {
        true => SMOKE,
        false => Duration::try_from_secs_f64(arguments.minutes * 60.0)
            .context("`--minutes` needs a positive number")?,
    };
    // One of the targets is the plugin, which is built with a webview.
    webview::packages::install_for_building()?;
    // The target for paths runs this guest.
    guests::build(&["fs-probe".to_owned()])?;
    let programs = build::build(&targets)?;
    let each = total / u32::try_from(targets.len())?;
    let mut failed = Vec::new();
    for target in &targets {
        let program = programs.join(build::program(target));
        if let Err(error) = fuzz(target, &program, each, arguments.smoke) {
            console::step("found", &format!("{error:#}"));
            failed.push(target.as_str());
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// The names of all targets.
fn targets() -> Result<Vec<String>> {
    let folder = package().join("targets");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.path().file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

fn fuzz(target: &str, program: &Path, time: Duration, smoke: bool) -> Result<()> {
    let folder = |kind: &str| paths::workspace().join("target/fuzz").join(kind).join(target);
    let (corpus, found) = (folder(if smoke { "smoke" } else { "corpus" }), folder("found"));
    for folder in [&corpus, &found] {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let seconds = time.as_secs().max(1);
    console::step("fuzzing", &format!("{target} for {seconds} s"));
    let mut fuzzer = process::command(program);
    // A hang is a failure. On a busy machine a fuzzer may wait half a minute for the processor, so the timeout is longer.
    fuzzer.args(["-timeout=120", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    // Most inputs are lists, and short lists reach little code.
    fuzzer.args(["-max_len=1024", "-len_control=0"]);
    fuzzer.arg(format!("-max_total_time={seconds}"));
    fuzzer.arg(format!("-artifact_prefix={}/", found.display()));
    if smoke {
        // Always starts the same, so that a new failure belongs to the change under test.
        fs::remove_dir_all(&corpus).and_then(|()| fs::create_dir(&corpus))?;
        fuzzer.arg("-seed=1");
    }
    // libFuzzer writes new inputs to the first folder and only reads the second.
    fuzzer.arg(&corpus).arg(seeds(target));
    let output = fuzzer.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output();
    let output = output.with_context(|| format!("cannot start {}", program.display()))?;
    let log = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let lines: Vec<&str> = log.lines().filter(|line| !is_progress(line)).collect();
        bail!(
            "{}\nthe input is in target/fuzz/found/{target}; `{}` with its path reproduces the failure",
            process::failure(&fuzzer, &lines.join("\n")),
            program.display()
        );
    }
    console::step("passed", &summary(&log));
    Ok(())
}

/// Whether a line reports a new input. A log has hundreds of them.
fn is_progress(line: &str) -> bool {
    line.starts_with('#') || line.trim_start().starts_with("NEW_FUNC")
}

/// The committed inputs of a target.
fn seeds(target: &str) -> PathBuf {
    package().join("corpus").join(target)
}

/// The totals at the end of libFuzzer's log.
fn summary(log: &str) -> String {
    let number = |name: &str| {
        let line = log.lines().rev().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()).unwrap_or("?").to_owned()
    };
    let covered = log.lines().rev().find_map(|line| line.split_once("cov: ")).map(|(_, rest)| rest);
    format!(
        "{} inputs, {} edges, {} MB at most",
        number("stat::number_of_executed_units"),
        covered.and_then(|rest| rest.split(' ').next()).unwrap_or("?"),
        number("stat::peak_rss_mb"),
    )
}

fn package() -> PathBuf {
    paths::workspace().join("fuzz")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_inputs_edges_and_memory() {
        let log = "#8192\tpulse  cov: 20 ft: 30 corp: 4/9b\n#9000\tDONE   cov: 21 ft: 31 corp: 5/9b\n\
                    stat::number_of_executed_units: 9000\nstat::peak_rss_mb:              36\n";
        assert_eq!(summary(log), "9000 inputs, 21 edges, 36 MB at most");
        assert_eq!(summary(""), "? inputs, ? edges, ? MB at most");
    }

    #[test]
    fn every_target_has_seeds_and_a_program() {
        let targets = targets().expect("the folder can be read");
        assert!(targets.len() >= 9, "{targets:?}");
        let manifest = fs::read_to_string(package().join("Cargo.toml")).expect("the manifest");
        for target in targets {
            let count = fs::read_dir(seeds(&target)).map(Iterator::count).unwrap_or(0);
            assert!(count > 0, "`{target}` has no seeds");
            assert!(
                manifest.contains(&format!("name = \"fuzz-{target}\"")),
                "`{target}` is no [[bin]]"
            );
        }
    }
}
