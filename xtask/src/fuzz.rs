//! `cargo xtask fuzz`: libFuzzer on what parses, and on what decides what a guest may touch.
//!
//! The targets are the programs of the package `fuzz`, which are built only with its feature `libfuzzer`. Instrumentation
//! is LLVM's, asked for by options that a stable compiler has; it is the sanitizers of `cargo fuzz` that need a nightly
//! one, and there is next to no unsafe code here for them. Only our own crates are instrumented: this program stands
//! between cargo and the compiler ([`as_rustc`]) and adds the options. So everything else is what the tests have built
//! already, where a workspace of its own would compile an engine and a webview once more; and an input is new when it took
//! another turn in the code that is looked at, not when the compiler inside did.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{guests, paths, step, webview};

/// Names of crates begin with one of these if they are instrumented: the library, the plugin, and the targets.
const INSTRUMENTED: [&str; 3] = ["wasi_sidecar", "tauri_plugin_wasi_sidecar", "fuzz_"];

/// Counters of each edge, and the operands of comparisons, which libFuzzer puts into its inputs. Optimised, since the
/// number of inputs counts; checks of overflow and assertions stay as they are in development.
const OPTIONS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Copt-level=1",
];

/// Tells this program that cargo has started it as a compiler.
const AS_RUSTC: &str = "XTASK_FUZZ_AS_RUSTC";

/// All targets together, when it is only to be seen that they run and nothing is found at once.
const SMOKE: Duration = Duration::from_secs(60);

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// One minute for all targets together, from the same start in each run
    #[arg(long, conflicts_with = "minutes")]
    smoke: bool,
    /// For all targets together
    #[arg(long, default_value_t = 10.0, value_name = "N")]
    minutes: f64,
    /// Only this one
    target: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if cfg!(windows) {
        bail!("the fuzz targets run on Linux and macOS");
    }
    let mut targets = targets()?;
    if let Some(name) = &arguments.target {
        if !targets.contains(name) {
            bail!("there is no target `{name}`; there are {}", targets.join(", "));
        }
        targets.retain(|target| target == name);
    }
    let whole = match arguments.smoke {
        true => SMOKE,
        false => Duration::try_from_secs_f64(arguments.minutes * 60.0)
            .context("`--minutes` is a number of minutes")?,
    };
    // The plugin is fuzzed too, and is built against a webview.
    webview::set_up_building()?;
    // The guest that tries paths.
    guests::build(&["fs-probe".to_owned()])?;
    let programs = build(&targets)?;
    let each = whole / u32::try_from(targets.len())?;
    let mut found = Vec::new();
    for target in &targets {
        let program = programs.join(program(target));
        if let Err(error) = fuzz(target, &program, each, arguments.smoke) {
            step::line("found", &format!("{error:#}"));
            found.push(target.as_str());
        }
    }
    if !found.is_empty() {
        bail!("failed: {}", found.join(", "));
    }
    Ok(())
}

/// The names of all targets, which are those of their files.
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

fn program(target: &str) -> String {
    format!("fuzz-{target}")
}

/// Builds targets, and returns the folder they are in.
fn build(targets: &[String]) -> Result<PathBuf> {
    step::line("building", "the fuzz targets (what the tests have built is not built again)");
    let start = Instant::now();
    let mut cargo = step::cargo();
    // The whole workspace, so that dependencies have the features that they have for the tests.
    cargo.args(["build", "--workspace", "--features", "wasi-sidecar-fuzz/libfuzzer", "--quiet"]);
    for target in targets {
        cargo.args(["--bin", &program(target)]);
    }
    // Where they are is asked of cargo, which may have been told to build elsewhere.
    cargo.args(["--message-format", "json-render-diagnostics"]).current_dir(paths::workspace());
    let this = env::current_exe().context("this program does not find itself")?;
    let messages = step::run(cargo.env("RUSTC_WORKSPACE_WRAPPER", this).env(AS_RUSTC, "1"))?;
    let executable = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built the fuzz targets and does not say where")?;
    step::line("built", &format!("in {:.1} s", start.elapsed().as_secs_f64()));
    Ok(executable.parent().unwrap_or(Path::new(".")).to_owned())
}

/// Does the work of the compiler if cargo has started this program as one, and returns how it ended.
pub(crate) fn as_rustc() -> Option<ExitCode> {
    env::var_os(AS_RUSTC)?;
    let mut arguments = env::args_os().skip(1);
    let mut rustc = Command::new(arguments.next()?);
    let arguments: Vec<_> = arguments.collect();
    let texts: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    rustc.args(&arguments);
    if is_instrumented(&texts) {
        rustc.args(OPTIONS);
    }
    match rustc.status() {
        Ok(status) if status.success() => Some(ExitCode::SUCCESS),
        _ => Some(ExitCode::FAILURE),
    }
}

/// By its name; build scripts have another. Nothing would take what they count.
fn is_instrumented(arguments: &[impl AsRef<str>]) -> bool {
    let mut arguments = arguments.iter().map(AsRef::as_ref);
    arguments.any(|argument| argument == "--crate-name")
        && arguments
            .next()
            .is_some_and(|name| INSTRUMENTED.iter().any(|ours| name.starts_with(ours)))
}

fn fuzz(target: &str, program: &Path, time: Duration, smoke: bool) -> Result<()> {
    let place = |kind: &str| paths::workspace().join("target/fuzz").join(kind).join(target);
    let (corpus, found) = (place(if smoke { "smoke" } else { "corpus" }), place("found"));
    for folder in [&corpus, &found] {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let seconds = time.as_secs().max(1);
    step::line("fuzzing", &format!("{target} for {seconds} s"));
    let mut fuzzer = step::command(program);
    // An input that never ends is as much of a find as one that ends the program. It is told from a machine that had other
    // things to do: half a minute without a turn has been seen.
    fuzzer.args(["-timeout=120", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    // Of this size from the beginning: most inputs are lists, of which the short ones hold next to nothing.
    fuzzer.args(["-max_len=1024", "-len_control=0"]);
    fuzzer.arg(format!("-max_total_time={seconds}"));
    fuzzer.arg(format!("-artifact_prefix={}/", found.display()));
    if smoke {
        // The same start each time: what is found belongs to the change that is looked at.
        fs::remove_dir_all(&corpus).and_then(|()| fs::create_dir(&corpus))?;
        fuzzer.arg("-seed=1");
    }
    // libFuzzer writes what is new to the first folder, where the next run finds it, and only reads the second.
    fuzzer.arg(&corpus).arg(seeds(target));
    let output = fuzzer.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output();
    let output = output.with_context(|| format!("cannot start {}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let told: Vec<&str> = said.lines().filter(|line| !is_progress(line)).collect();
        bail!(
            "{}\nthe input is in target/fuzz/found/{target}; `{}` with its path repeats it",
            step::failure(&fuzzer, &told.join("\n")),
            program.display()
        );
    }
    step::line("passed", &summary(&said));
    Ok(())
}

/// A line about an input that reached something new, of which there are hundreds before one that fails.
fn is_progress(line: &str) -> bool {
    line.starts_with('#') || line.trim_start().starts_with("NEW_FUNC")
}

/// What is committed to begin with.
fn seeds(target: &str) -> PathBuf {
    package().join("corpus").join(target)
}

/// How much was tried, from what libFuzzer says at its end.
fn summary(said: &str) -> String {
    let number = |name: &str| {
        let line = said.lines().rev().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()).unwrap_or("?").to_owned()
    };
    let covered =
        said.lines().rev().find_map(|line| line.split_once("cov: ")).map(|(_, rest)| rest);
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
    fn only_our_crates_are_instrumented() {
        let rustc = |name| is_instrumented(&["--crate-name", name, "--edition=2024"]);
        assert!(rustc("wasi_sidecar"));
        assert!(rustc("fuzz_lines"));
        assert!(!rustc("build_script_build"));
        assert!(!rustc("wasmtime"));
        assert!(!is_instrumented(&["-vV"]), "cargo asks for the version first");
    }

    #[test]
    fn what_was_tried_is_told() {
        let said = "#8192\tpulse  cov: 20 ft: 30 corp: 4/9b\n#9000\tDONE   cov: 21 ft: 31 corp: 5/9b\n\
                    stat::number_of_executed_units: 9000\nstat::peak_rss_mb:              36\n";
        assert_eq!(summary(said), "9000 inputs, 21 edges, 36 MB at most");
        assert_eq!(summary(""), "? inputs, ? edges, ? MB at most");
    }

    #[test]
    fn every_target_has_seeds_and_is_built() {
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
