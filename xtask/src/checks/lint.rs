//! `cargo xtask check`: formatting, lints, documentation, generated files and dependencies. A failure does not stop the other
//! checks.

use anyhow::{Error, Result, bail};

use crate::build::npm;
use crate::docs::map;
use crate::system::{cargo_tools, console, paths, process};
use crate::webview;

pub(crate) fn run() -> Result<()> {
    webview::packages::install_for_building()?;
    let mut failed = Vec::new();
    let mut check = |name: &str, result: Result<()>| {
        if let Err(error) = result {
            console::step("failed", &format!("{name}: {error:#}"));
            failed.push(name.to_owned());
        }
    };
    check("formatting", process::show(process::cargo().args(["fmt", "--all", "--check"])));
    let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    check("lints", process::show(process::cargo().args(clippy)));
    let mut doc = process::cargo();
    doc.args(["doc", "--no-deps", "--workspace", "--quiet"]).env("RUSTDOCFLAGS", "-Dwarnings");
    check("documentation", process::show(&mut doc));
    check("generated files", generated());
    check("maps", map::check());
    check("book", book());
    check("dependencies", dependencies());
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Checks that committed generated files are up to date.
fn generated() -> Result<()> {
    process::show(process::cargo().args(["test", "--quiet", "--package", "wasi-sidecar-wit"]))?;
    // clippy has built the plugin, whose build script writes permissions and schema; npm builds the script for pages.
    npm::build()?;
    let files = ["host-plugin/api-iife.js", "host-plugin/permissions"];
    let mut git = process::command("git");
    git.args(["status", "--porcelain", "--untracked-files=all", "--"]).args(files);
    let changed = process::run(git.current_dir(paths::workspace()))?;
    if !changed.is_empty() {
        bail!("these generated files differ from the commit; review and commit them:\n{changed}");
    }
    console::step("passed", "permissions, their schema and the script for pages are up to date");
    Ok(())
}

/// Builds the book where mdBook is installed.
fn book() -> Result<()> {
    let mut version = process::command("mdbook");
    if process::run(version.arg("--version")).is_err() {
        console::step("skipped", "the book: mdBook is not installed");
        return Ok(());
    }
    let mut build = process::command("mdbook");
    process::show(build.arg("build").current_dir(paths::workspace()))
}

/// Checks licences, bans and sources against `deny.toml`, and advisories against a database, which has to be downloaded.
fn dependencies() -> Result<()> {
    // Captures pages of warnings about crates with two versions.
    let static_checks = ["--hide-inclusion-graph", "licenses", "bans", "sources"];
    process::run(cargo_tools::deny()?.args(static_checks))?;
    console::step("passed", "licences, bans and sources of the dependencies");
    match process::run(cargo_tools::deny()?.arg("advisories")) {
        Ok(_) => console::step("passed", "no advisory concerns a dependency"),
        // In the workflow nobody reads what was skipped.
        Err(error) => {
            tolerate_offline(error, std::env::var_os("GITHUB_ACTIONS").is_some())?;
            console::step("skipped", "advisories were NOT checked: cannot download their database");
        }
    }
    Ok(())
}

/// Returns the error unless it only says that the database of advisories is out of reach.
fn tolerate_offline(error: Error, required: bool) -> Result<()> {
    let offline = format!("{error:#}").contains("failed to fetch advisory database");
    if offline && !required { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn only_an_unreachable_database_is_tolerated_and_not_in_the_workflow() {
        let offline =
            || anyhow!("`cargo-deny` failed:\nerror: failed to fetch advisory database x");
        assert!(tolerate_offline(offline(), false).is_ok());
        assert!(tolerate_offline(offline(), true).is_err());
        assert!(tolerate_offline(anyhow!("`cargo-deny` failed: a vulnerability"), false).is_err());
    }
}
