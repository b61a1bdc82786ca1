//! JavaScript: componentize-js makes a component of a program and a JavaScript engine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Language;
use super::language::{wit, wit_sources};
use crate::guests::cache::Key;
use crate::system::{paths, process, tools};
use crate::toolchains::{install, versions};

const COMPILER: &str = "JavaScript for components";

pub(crate) fn language() -> Language {
    Language {
        name: "js",
        recipe: "world files",
        compiler: (COMPILER, versions::COMPONENTIZE_JS_MB),
        key,
        sources,
        install,
        compile,
    }
}

fn folder() -> PathBuf {
    paths::guest_sources().join("js")
}

fn sources(name: &str) -> Vec<PathBuf> {
    let mut sources = wit_sources();
    let files = [&format!("{name}.js"), "build.mjs", "package-lock.json"];
    sources.extend(files.map(|file| folder().join(file)));
    sources
}

fn key() -> Result<String> {
    Ok(Key::default().file(&folder().join("package-lock.json"))?.finish())
}

fn install() -> Result<PathBuf> {
    tools::check_node()?;
    let about = format!(
        "{COMPILER} (npm packages of guests/js/package-lock.json, {} MB to download, 400 MB on disk)",
        versions::COMPONENTIZE_JS_MB
    );
    install::ensure("js", &key()?, &about, |target| {
        for name in ["package.json", "package-lock.json"] {
            copy(name, target)?;
        }
        let mut npm = process::command("npm");
        // Not `npm ci`, which refuses a lock file that lacks a package for another platform. `npm install` uses the versions and
        // checksums of the lock file, too.
        npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"])
            .current_dir(target);
        process::run(&mut npm).context("cannot download the packages from npm")?;
        Ok(())
    })
}

fn compile(compiler: &Path, name: &str, output: &Path) -> Result<()> {
    // Node looks for packages beside the file that imports them.
    copy("build.mjs", compiler)?;
    let mut node = process::command("node");
    let program = folder().join(name).with_extension("js");
    node.arg(compiler.join("build.mjs")).arg(wit()).arg(program).arg(output);
    process::run(&mut node)?;
    Ok(())
}

fn copy(name: &str, target: &Path) -> Result<()> {
    fs::copy(folder().join(name), target.join(name))
        .with_context(|| format!("cannot copy guests/js/{name} to {}", target.display()))?;
    Ok(())
}
