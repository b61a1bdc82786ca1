//! Python: componentize-py puts a program and an interpreter into a component.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::others::{self, Language};
use super::{pip, toolchain, versions};
use crate::{paths, step};

/// The package has no `__main__`, and the script that it installs is not found on every system.
const START: &str = "from componentize_py import script; script()";

const COMPILER: &str = "Python for components";

pub(super) fn language() -> Language {
    Language {
        name: "python",
        recipe: versions::COMPONENTIZE_PY,
        compiler: (COMPILER, versions::COMPONENTIZE_PY_MB),
        key: || Ok(versions::COMPONENTIZE_PY.to_owned()),
        sources,
        set_up,
        compile,
    }
}

fn sources(name: &str) -> Vec<PathBuf> {
    let mut sources = others::wit_sources();
    sources.push(folder().join(module(name)).with_extension("py"));
    sources
}

fn folder() -> PathBuf {
    paths::guest_sources().join("python")
}

/// A Python module's name has no hyphens.
fn module(name: &str) -> String {
    name.replace('-', "_")
}

fn set_up() -> Result<PathBuf> {
    let about = format!(
        "{COMPILER} ({}, {} MB to download)",
        versions::COMPONENTIZE_PY,
        versions::COMPONENTIZE_PY_MB
    );
    toolchain::ensure("python", versions::COMPONENTIZE_PY, &about, |folder| {
        pip::install(versions::COMPONENTIZE_PY, folder)
    })
}

fn compile(tools: &Path, name: &str, output: &Path) -> Result<()> {
    let mut python = pip::python()?;
    python
        .args(["-c", START, "-d"])
        .arg(others::wit())
        .args(["-w", "files", "componentize", "-p"])
        .arg(folder());
    python
        .arg(module(name))
        .arg("-o")
        .arg(output)
        .env("PYTHONPATH", tools)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    step::run(&mut python)?;
    Ok(())
}
