//! `cargo xtask check`: what needs no test to be seen. All checks run; the first failure is not the last word.

use std::process::Command;

use anyhow::{Error, Result, bail};

use crate::{javascript, paths, setup, step, webview};

pub(crate) const CARGO_DENY: &str = "0.20.2";

pub(crate) fn run() -> Result<()> {
    webview::set_up_building()?;
    let mut failed = Vec::new();
    let mut check = |name: &str, result: Result<()>| {
        if let Err(error) = result {
            step::line("failed", &format!("{name}: {error:#}"));
            failed.push(name.to_owned());
        }
    };
    check("formatting", step::show(&mut cargo(&["fmt", "--all", "--check"])));
    let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    check("lints", step::show(&mut cargo(&clippy)));
    let mut doc = cargo(&["doc", "--no-deps", "--workspace", "--quiet"]);
    check("documentation", step::show(doc.env("RUSTDOCFLAGS", "-Dwarnings")));
    check("generated files", generated());
    let mut left_out = None;
    check("dependencies", dependencies().map(|text| left_out = text));
    // At the very end, since that is the line people read.
    if let Some(text) = left_out {
        step::line("skipped", text);
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Files that are made of others and committed are what would be made now.
fn generated() -> Result<()> {
    step::show(&mut cargo(&["test", "--quiet", "--package", "wasi-sidecar-wit"]))?;
    // The build of the plugin makes permissions and their schema anew, that of its npm package the script for pages.
    javascript::build()?;
    let made = ["host-plugin/api-iife.js", "host-plugin/permissions"];
    let mut git = step::command("git");
    git.args(["status", "--porcelain", "--untracked-files=all", "--"]).args(made);
    let changed = step::run(git.current_dir(paths::workspace()))?;
    if !changed.is_empty() {
        bail!("these are not what is committed; build, look at them, and commit them:\n{changed}");
    }
    step::line(
        "passed",
        "permissions, their schema and the script for pages are what is committed",
    );
    Ok(())
}

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = step::cargo();
    cargo.args(arguments).current_dir(paths::workspace());
    cargo
}

/// Licences, bans and sources are checked against `deny.toml` alone; advisories against a database that has to be
/// fetched, which is the one thing that may be out of reach. Says what was left out for that.
fn dependencies() -> Result<Option<&'static str>> {
    let program = setup::cargo_tool("cargo-deny", CARGO_DENY, &[])?;
    let deny = |checks: &[&str]| {
        let mut deny = step::command(&program);
        deny.args(["deny", "check"]).args(checks).current_dir(paths::workspace());
        deny
    };
    // Its warnings, a page of crates that are there in two versions, are shown only beside an error.
    step::run(&mut deny(&["--hide-inclusion-graph", "licenses", "bans", "sources"]))?;
    step::line("passed", "licences, bans and sources of the dependencies");
    let Err(error) = step::run(&mut deny(&["advisories"])) else {
        step::line("passed", "no advisory concerns a dependency");
        return Ok(None);
    };
    // Where the workflow runs the database is always in reach, and nobody reads what was skipped.
    let required = std::env::var_os("GITHUB_ACTIONS").is_some();
    unchecked(error, required).map(Some)
}

/// What is said in place of a failure, when only the database of advisories was missing and that may be so.
fn unchecked(error: Error, required: bool) -> Result<&'static str> {
    // What cargo-deny says when it never came to look at a dependency.
    if required || !format!("{error:#}").contains("failed to fetch advisory database") {
        return Err(error);
    }
    Ok("advisories were NOT checked: their database could not be fetched")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn only_a_database_out_of_reach_is_let_pass_and_not_in_the_workflow() {
        let offline =
            || anyhow!("`cargo-deny` failed:\nerror: failed to fetch advisory database x");
        assert!(unchecked(offline(), false).is_ok_and(|text| text.contains("NOT checked")));
        assert!(unchecked(offline(), true).is_err());
        assert!(unchecked(anyhow!("`cargo-deny` failed: a vulnerability"), false).is_err());
    }
}
