//! Python: componentize-py makes a component of a program and an interpreter.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Language;
use super::language::{wit, wit_sources};
use crate::system::{paths, process};
use crate::toolchains::{pip, versions::COMPONENTIZE_PY};

/// Starts componentize-py. The package has no `__main__`, and its script is not on every system's PATH.
const START: &str = "from componentize_py import script; script()";

pub(crate) fn language() -> Language {
    Language {
        name: "python",
        recipe: COMPONENTIZE_PY.requirement,
        compiler: (COMPONENTIZE_PY.about, COMPONENTIZE_PY.megabytes),
        key: || Ok(COMPONENTIZE_PY.requirement.to_owned()),
        sources,
        install: || pip::ensure(&COMPONENTIZE_PY),
        compile,
    }
}

fn sources(name: &str) -> Vec<PathBuf> {
    let mut sources = wit_sources();
    sources.push(folder().join(module(name)).with_extension("py"));
    sources
}

fn folder() -> PathBuf {
    paths::guest_sources().join("python")
}

/// Names of Python modules have no hyphens.
fn module(name: &str) -> String {
    name.replace('-', "_")
}

fn compile(compiler: &Path, name: &str, output: &Path) -> Result<()> {
    let mut python = pip::python()?;
    python.args(["-c", START, "-d"]).arg(wit());
    python.args(["-w", "files", "componentize", "-p"]).arg(folder()).arg(module(name));
    python.arg("-o").arg(output);
    python.env("PYTHONPATH", compiler).env("PYTHONDONTWRITEBYTECODE", "1");
    process::run(&mut python)?;
    Ok(())
}
