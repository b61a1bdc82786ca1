//! Packages of the operating system, installed with apt-get if this needs no question: as root or by a sudo without a password.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{console, process};

/// Node's minimum version is that of componentize-js.
pub(crate) const NODE_HINT: &str = "install Node 20 or newer with npm from nodejs.org";

pub(crate) fn is_debian() -> bool {
    cfg!(target_os = "linux") && process::works(process::command("dpkg-query").arg("--version"))
}

pub(crate) fn is_installed(package: &str) -> bool {
    let mut query = process::command("dpkg-query");
    process::run(query.args(["-W", "-f=${db:Status-Status}", package]))
        .is_ok_and(|status| status == "installed")
}

/// Fails if [`install`] would fail for want of apt-get or of rights.
pub(crate) fn check_installable(packages: &[&str]) -> Result<()> {
    if packages.is_empty() { Ok(()) } else { apt_get(packages).map(drop) }
}

/// Installs packages; does nothing for an empty list.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let apt_get = apt_get(packages)?;
    let names = packages.join(" ");
    console::step("installing", &format!("system packages, with apt-get: {names}"));
    process::run(apt_get().arg("update")).context("cannot read the package lists")?;
    let mut install = apt_get();
    install
        .args(["install", "--yes", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    process::run(&mut install).with_context(|| format!("cannot install {names}"))?;
    Ok(())
}

/// A command that runs apt-get as root; without one, an error that says how to install these packages.
fn apt_get(packages: &[&str]) -> Result<fn() -> Command> {
    if process::works(process::command("apt-get").arg("--version")) {
        if process::run(process::command("id").arg("-u")).is_ok_and(|id| id.trim() == "0") {
            return Ok(|| process::command("apt-get"));
        }
        if process::works(process::command("sudo").args(["-n", "true"])) {
            return Ok(|| {
                let mut sudo = process::command("sudo");
                sudo.args(["-n", "apt-get"]);
                sudo
            });
        }
    }
    let names = packages.join(" ");
    bail!("missing: {names}; {}", hint(&names));
}

/// How to install packages by hand, by their Debian names.
pub(crate) fn hint(packages: &str) -> String {
    if cfg!(not(target_os = "linux")) {
        let installer = if cfg!(windows) { "winget" } else { "Homebrew" };
        return format!(
            "install it with {installer} or its own installer (Python 3 and Node 20 or newer are needed)"
        );
    }
    // Debian's Node may be too old, and its npm depends on it.
    let (node, others): (Vec<&str>, Vec<&str>) =
        packages.split(' ').partition(|name| matches!(*name, "nodejs" | "npm"));
    let mut advice = Vec::new();
    if !others.is_empty() {
        advice.push(format!("install it (Debian: `sudo apt-get install {}`)", others.join(" ")));
    }
    if !node.is_empty() {
        advice.push(NODE_HINT.to_owned());
    }
    advice.join(", and ")
}
