//! The npm packages of this repository: getting what they need, building and testing them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{paths, setup, step};

/// The plugin's package, and the example app's page, which uses it.
const PACKAGES: [&str; 2] = ["host-plugin", "examples/app"];

/// What npm downloads for both.
const MEGABYTES: u32 = 60;

/// Builds all packages.
pub(crate) fn build() -> Result<()> {
    setup::check_node()?;
    for package in PACKAGES {
        let folder = paths::workspace().join(package);
        install(&folder)?;
        step::line("building", &format!("the npm package of {package}"));
        step::run(npm(&folder).args(["run", "--silent", "build"]))?;
    }
    Ok(())
}

/// Checks and tests all packages; they have been built.
pub(crate) fn test() -> Result<()> {
    step::show(npm(&plugin()).args(["run", "--silent", "typecheck"]))?;
    for package in PACKAGES {
        step::show(npm(&paths::workspace().join(package)).args(["run", "--silent", "test"]))?;
    }
    Ok(())
}

/// The plugin's package as it would be published; it has been built.
pub(crate) fn pack(into: &Path) -> Result<PathBuf> {
    let mut pack = npm(&plugin());
    pack.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(into);
    let name = step::run(&mut pack)?;
    Ok(into.join(name.trim()))
}

/// The folder of the plugin's package.
pub(crate) fn plugin() -> PathBuf {
    paths::workspace().join("host-plugin")
}

/// Megabytes that a first [`build`] downloads; nothing where all is there.
pub(crate) fn download() -> Option<u32> {
    PACKAGES
        .iter()
        .any(|package| !is_installed(&paths::workspace().join(package)))
        .then_some(MEGABYTES)
}

/// Whether what a package needs is there: the lock file is older than what npm made of it.
fn is_installed(folder: &Path) -> bool {
    let changed = |file: &str| folder.join(file).metadata().and_then(|file| file.modified()).ok();
    let (wanted, there) =
        (changed("package-lock.json"), changed("node_modules/.package-lock.json"));
    wanted.is_some() && wanted <= there
}

/// Gets what a package needs, unless that is there already.
fn install(folder: &Path) -> Result<()> {
    if is_installed(folder) {
        return Ok(());
    }
    step::line("getting", &format!("the npm packages of {}", folder.display()));
    let mut install = npm(folder);
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]);
    step::run(&mut install).context("cannot get the packages from npm")?;
    Ok(())
}

/// npm in a folder.
pub(crate) fn npm(folder: &Path) -> std::process::Command {
    let mut npm = step::command("npm");
    npm.current_dir(folder);
    npm
}
