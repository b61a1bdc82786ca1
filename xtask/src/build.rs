//! Building one program of the workspace and finding it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::{paths, step};

/// Builds one target and returns where it is.
///
/// The whole workspace is selected, although one target is built: so dependencies get the same features whichever
/// command builds them, and the engine, which takes minutes, is built once and not once for each command.
pub(crate) fn executable(command: &[&str], kind: &str, name: &str) -> Result<PathBuf> {
    built(command, &["--workspace", kind, name], name)
}

/// Builds a program of one package, with the features that this package asks for and no others: as an application has it,
/// where [`executable`] brings along what the tools of this workspace ask for.
pub(crate) fn executable_alone(command: &[&str], package: &str, name: &str) -> Result<PathBuf> {
    built(command, &["--package", package, "--bin", name], name)
}

fn built(command: &[&str], what: &[&str], name: &str) -> Result<PathBuf> {
    let mut cargo = step::cargo();
    cargo.args(command).args(what).arg("--quiet");
    cargo.args(["--message-format", "json-render-diagnostics"]).current_dir(paths::workspace());
    let output = cargo.stderr(std::process::Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start cargo to build `{name}`"))?;
    if !output.status.success() {
        bail!("`{name}` does not build; why is said above");
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .with_context(|| format!("cargo built `{name}` and does not say where"))
}
