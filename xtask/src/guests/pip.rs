//! Compilers that come as Python packages: unpacked into a folder, not installed.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::toolchain;
use crate::{setup, step};

/// A Python that can be started.
pub(super) fn python() -> Result<Command> {
    match setup::python() {
        Some(python) => Ok(step::command(python)),
        None => bail!("Python 3 is not on PATH: {}", setup::hint("python3")),
    }
}

/// Unpacks one package, whose version is pinned by the requirement.
pub(super) fn install(requirement: &str, folder: &Path) -> Result<()> {
    let mut pip = pip()?;
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
    pip.args(["--no-deps", "--only-binary", ":all:", "--no-compile", "--target"])
        .arg(folder)
        .arg(requirement);
    // A user's own configuration may say `user`, which contradicts a target.
    step::run(pip.env("PIP_USER", "0"))
        .with_context(|| format!("cannot get {requirement} from the Python index"))?;
    Ok(())
}

/// A Python that has pip: that of the machine, or an environment of our own, which brings it along.
fn pip() -> Result<Command> {
    let mut python = python()?;
    if step::works(python.args(["-m", "pip", "--version"])) {
        return self::python();
    }
    let home = toolchain::ensure("pip", "venv", "pip, in an environment of its own", |folder| {
        let made = step::run(self::python()?.args(["-m", "venv"]).arg(folder.join("venv")));
        made.with_context(|| {
            format!("Python has neither pip nor venv: {}", setup::hint("python3-venv"))
        })?;
        Ok(())
    })?;
    let inside = if cfg!(windows) { "venv/Scripts/python.exe" } else { "venv/bin/python" };
    Ok(step::command(home.join(inside)))
}
