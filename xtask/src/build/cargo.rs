//! Builds one program of the workspace with cargo and returns its path.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, bail};

use super::progress::Progress;
use crate::system::process;

/// Builds one target, with the features that the whole workspace asks for. All commands build dependencies with the same
/// features this way, so wasmtime, which takes minutes, is built once.
pub(crate) fn executable(command: &[&str], kind: &str, name: &str) -> Result<PathBuf> {
    build(command, &["--workspace", kind, name], name)
}

/// Builds a program of one package with the features that only this package asks for, as an application would.
pub(crate) fn executable_alone(command: &[&str], package: &str, name: &str) -> Result<PathBuf> {
    build(command, &["--package", package, "--bin", name], name)
}

fn build(command: &[&str], selection: &[&str], name: &str) -> Result<PathBuf> {
    let mut cargo = process::cargo();
    cargo.args(command).args(selection);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    // `Progress` reads cargo's progress bar.
    cargo.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "200");
    cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        cargo.spawn().with_context(|| format!("cannot start cargo to build `{name}`"))?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        bail!("cargo was started without pipes");
    };
    let progress = Progress::default();
    let (ended, end) = mpsc::channel::<()>();
    let (errors, executable) = thread::scope(|scope| {
        let progress = &progress;
        let errors = scope.spawn(|| progress.read(stderr));
        scope.spawn(move || progress.print(name, &end));
        let executable = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok())
            .filter(|message| message["target"]["name"] == name)
            .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
            .last();
        drop(ended);
        (errors.join().unwrap_or_default(), executable)
    });
    if !child.wait()?.success() {
        eprint!("{errors}");
        bail!("`{name}` does not build, see above");
    }
    executable.with_context(|| format!("cargo built `{name}` but did not report its path"))
}
