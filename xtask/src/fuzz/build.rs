//! Builds the fuzz targets: the programs of the package `fuzz`, with its feature `libfuzzer`.
//!
//! A stable compiler can insert LLVM's coverage counters; only the sanitizers of `cargo fuzz` need a nightly one. Only our own
//! crates are instrumented. For that this program is cargo's compiler wrapper ([`as_rustc`]) and adds the options. So
//! dependencies are not rebuilt, and coverage counts our code and not the compiler inside wasmtime.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::system::{console, process};

/// Prefixes of the names of instrumented crates: the library, the plugin and the targets.
const INSTRUMENTED: [&str; 3] = ["wasi_sidecar", "tauri_plugin_wasi_sidecar", "fuzz_"];

/// Edge counters, and compared values, which libFuzzer copies into inputs. Optimised a little, since speed finds more.
const OPTIONS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Copt-level=1",
];

/// Set if cargo starts this program as its compiler.
const AS_RUSTC: &str = "XTASK_FUZZ_AS_RUSTC";

/// The name of a target's program.
pub(crate) fn program(target: &str) -> String {
    format!("fuzz-{target}")
}

/// Builds targets and returns their folder.
pub(crate) fn build(targets: &[String]) -> Result<PathBuf> {
    console::step("building", "the fuzz targets; dependencies are shared with the tests");
    let start = Instant::now();
    let mut cargo = process::cargo();
    // The whole workspace, so that dependencies have the same features as for the tests.
    cargo.args(["build", "--workspace", "--features", "wasi-sidecar-fuzz/libfuzzer", "--quiet"]);
    for target in targets {
        cargo.args(["--bin", &program(target)]);
    }
    // Asks cargo for the path, because cargo may be configured to build elsewhere.
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let this = env::current_exe().context("cannot find the path of this program")?;
    let messages = process::run(cargo.env("RUSTC_WORKSPACE_WRAPPER", this).env(AS_RUSTC, "1"))?;
    let executable = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built the fuzz targets but did not report their path")?;
    console::step("built", &format!("in {:.1} s", start.elapsed().as_secs_f64()));
    Ok(executable.parent().unwrap_or(Path::new(".")).to_owned())
}

/// Runs rustc if cargo has started this program as its compiler, and returns the exit code.
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

/// Whether rustc compiles one of our crates; build scripts have other names.
fn is_instrumented(arguments: &[impl AsRef<str>]) -> bool {
    let mut arguments = arguments.iter().map(AsRef::as_ref);
    arguments.any(|argument| argument == "--crate-name")
        && arguments
            .next()
            .is_some_and(|name| INSTRUMENTED.iter().any(|ours| name.starts_with(ours)))
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
}
