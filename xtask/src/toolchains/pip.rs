//! Compilers in Python packages, which pip unpacks into a folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::install;
use super::versions::PythonPackage;
use crate::system::{packages, process, tools};

/// A command for Python.
pub(crate) fn python() -> Result<Command> {
    match tools::python() {
        Some(python) => Ok(process::command(python)),
        None => bail!("Python 3 is not on PATH: {}", packages::hint("python3")),
    }
}

/// Installs a compiler and returns its folder.
pub(crate) fn ensure(package: &PythonPackage) -> Result<PathBuf> {
    let PythonPackage { folder, requirement, about, megabytes } = package;
    let about = format!("{about} ({requirement}, {megabytes} MB to download)");
    install::ensure(folder, requirement, &about, |folder| unpack(requirement, folder))
}

/// Unpacks the package of a requirement, which pins the version.
fn unpack(requirement: &str, folder: &Path) -> Result<()> {
    let mut pip = pip()?;
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
    pip.args(["--no-deps", "--only-binary", ":all:", "--no-compile", "--target"])
        .arg(folder)
        .arg(requirement);
    // A user's configuration may set `user`, which conflicts with `--target`.
    process::run(pip.env("PIP_USER", "0"))
        .with_context(|| format!("cannot download {requirement} from the Python index"))?;
    Ok(())
}

/// A Python with pip: the machine's, or that of a new virtual environment.
fn pip() -> Result<Command> {
    let mut python = python()?;
    if process::works(python.args(["-m", "pip", "--version"])) {
        return self::python();
    }
    let home = install::ensure("pip", "venv", "pip in a virtual environment", |folder| {
        let created = process::run(self::python()?.args(["-m", "venv"]).arg(folder.join("venv")));
        created.with_context(|| {
            format!("Python has neither pip nor venv: {}", packages::hint("python3-venv"))
        })?;
        Ok(())
    })?;
    let inside = if cfg!(windows) { "venv/Scripts/python.exe" } else { "venv/bin/python" };
    Ok(process::command(home.join(inside)))
}
