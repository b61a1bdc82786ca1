//! `cargo xtask check`: what needs no test to be seen. All checks run; the first failure is not the last word.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{paths, setup, step};

const CARGO_DENY: &str = "0.20.2";

pub(crate) fn run() -> Result<()> {
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
    check(
        "generated files",
        step::show(&mut cargo(&["test", "--quiet", "--package", "wasi-sidecar-wit"])),
    );
    check("dependencies", dependencies());
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = step::cargo();
    cargo.args(arguments).current_dir(paths::workspace());
    cargo
}

/// Licences, bans and sources are checked against `deny.toml` alone; advisories against a database that has to be
/// fetched, which is the one thing that may be out of reach.
fn dependencies() -> Result<()> {
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
        return Ok(());
    };
    // What cargo-deny says when it never came to look at a dependency.
    let text = format!("{error:#}");
    if text.contains("failed to fetch advisory database") {
        step::line("skipped", "advisories were NOT checked: their database could not be fetched");
        return Ok(());
    }
    Err(error)
}
