//! The npm packages of this repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::system::{console, paths, process, tools};

/// The plugin's package, and the example app's page, which uses it.
const PACKAGES: [&str; 2] = ["host-plugin", "examples/app"];

/// Download size of both packages' dependencies.
pub(crate) const MEGABYTES: u32 = 60;

/// Installs dependencies and builds all packages.
pub(crate) fn build() -> Result<()> {
    tools::check_node()?;
    for package in PACKAGES {
        let folder = paths::workspace().join(package);
        install(&folder)?;
        console::step("building", &format!("the npm package of {package}"));
        process::run(npm(&folder).args(["run", "--silent", "build"]))?;
    }
    Ok(())
}

/// Type-checks and tests all packages; they must be built.
pub(crate) fn test() -> Result<()> {
    process::show(npm(&paths::plugin()).args(["run", "--silent", "typecheck"]))?;
    for package in PACKAGES {
        process::show(npm(&paths::workspace().join(package)).args(["run", "--silent", "test"]))?;
    }
    Ok(())
}

/// Packs the plugin's package as for publishing and returns the archive; the package must be built.
pub(crate) fn pack(into: &Path) -> Result<PathBuf> {
    let mut pack = npm(&paths::plugin());
    pack.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(into);
    let name = process::run(&mut pack)?;
    Ok(into.join(name.trim()))
}

/// npm in a folder.
pub(crate) fn npm(folder: &Path) -> Command {
    let mut npm = process::command("npm");
    npm.current_dir(folder);
    npm
}

/// Whether all dependencies are installed.
pub(crate) fn is_installed() -> bool {
    PACKAGES.iter().all(|package| is_current(&paths::workspace().join(package)))
}

/// Whether npm has installed what the lock file of a package says.
fn is_current(folder: &Path) -> bool {
    let changed = |file: &str| folder.join(file).metadata().and_then(|file| file.modified()).ok();
    let (lock, installed) =
        (changed("package-lock.json"), changed("node_modules/.package-lock.json"));
    lock.is_some() && lock <= installed
}

fn install(folder: &Path) -> Result<()> {
    if is_current(folder) {
        return Ok(());
    }
    console::step("downloading", &format!("the npm packages of {}", folder.display()));
    let mut install = npm(folder);
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]);
    process::run(&mut install).context("cannot download the packages from npm")?;
    Ok(())
}
