//! JavaScript: componentize-js puts a program and an engine into a component.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::cache::Key;
use super::others::{self, Language};
use super::{toolchain, versions};
use crate::{paths, setup, step};

/// The oldest Node that componentize-js is used with here.
const NODE: u32 = 20;

const COMPILER: &str = "JavaScript for components";

pub(super) fn language() -> Language {
    Language {
        name: "js",
        recipe: "world files",
        compiler: (COMPILER, versions::COMPONENTIZE_JS_MB),
        key,
        sources,
        set_up,
        compile,
    }
}

fn sources(name: &str) -> Vec<PathBuf> {
    let folder = paths::guest_sources().join("js");
    let mut sources = others::wit_sources();
    sources.extend([folder.join(name).with_extension("js"), folder.join("build.mjs"), lock()]);
    sources
}

fn lock() -> PathBuf {
    paths::guest_sources().join("js/package-lock.json")
}

fn key() -> Result<String> {
    Ok(Key::default().file(&lock())?.finish())
}

fn set_up() -> Result<PathBuf> {
    check_node()?;
    let about = format!(
        "{COMPILER} (npm packages of guests/js/package-lock.json, {} MB to download, 400 MB on disk)",
        versions::COMPONENTIZE_JS_MB
    );
    toolchain::ensure("js", &key()?, &about, |folder| {
        for name in ["package.json", "package-lock.json"] {
            let source = paths::guest_sources().join("js").join(name);
            fs::copy(&source, folder.join(name))
                .with_context(|| format!("cannot copy {}", source.display()))?;
        }
        let mut npm = step::command("npm");
        // Not `npm ci`, which refuses a lock file that lacks a package for some other platform. Versions and checksums
        // are those of the lock file all the same. No script of a package is run: what they do is not needed here.
        npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"])
            .current_dir(folder);
        step::run(&mut npm).context("cannot get the packages from npm")?;
        Ok(())
    })
}

fn check_node() -> Result<()> {
    match setup::node() {
        None => bail!("Node is not on PATH: {}", setup::hint("nodejs npm")),
        Some(major) if major < NODE => bail!("Node {major} is too old, {NODE} or newer is needed"),
        Some(_) => {}
    }
    if !step::works(step::command("npm").arg("--version")) {
        bail!("npm is not on PATH: {}", setup::hint("npm"));
    }
    Ok(())
}

fn compile(tools: &Path, name: &str, output: &Path) -> Result<()> {
    let folder = paths::guest_sources().join("js");
    // Node looks for packages beside the file that imports them.
    let build = tools.join("build.mjs");
    fs::copy(folder.join("build.mjs"), &build)
        .with_context(|| format!("cannot write {}", build.display()))?;
    let mut node = step::command("node");
    node.arg(build).arg(others::wit()).arg(folder.join(name).with_extension("js")).arg(output);
    step::run(&mut node)?;
    Ok(())
}
