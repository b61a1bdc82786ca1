//! `cargo xtask attacks`: runs the attack suite and writes its report to `target/attacks.md` and `docs/attacks.md`. The second
//! is committed; the tests compare with it.

use anyhow::{Context, Result};
use wasi_sidecar_guests::attacks;

use crate::system::{cargo_tools, console, paths, process};
use crate::{guests, webview};

/// nextest's filter for the tests of the suite.
const SUITE: &str = "test(/attacks::[a-j]_/) or test(attacks_h_pages)";

pub(crate) fn run() -> Result<()> {
    // Attacks by pages are in the plugin's harness, which is built with a webview.
    webview::packages::install_for_building()?;
    guests::build(&["rust".to_owned()])?;
    let mut suite = cargo_tools::nextest()?;
    suite.args(["--workspace", "--exclude", "guest-programs", "-E", SUITE, "--no-fail-fast"]);
    suite.env(attacks::RENEW, "1");
    let passed = process::show(&mut suite);
    let report = attacks::report().context("a part of the report is missing")?;
    let file = paths::workspace().join("target/attacks.md");
    std::fs::write(&file, &report)?;
    console::step("report", &file.display().to_string());
    passed.context("an attack had an unexpected outcome")?;
    let committed = attacks::committed();
    if std::fs::read_to_string(&committed).is_ok_and(|text| text == report) {
        console::step("unchanged", &committed.display().to_string());
    } else {
        std::fs::write(&committed, &report)?;
        console::step("changed", &format!("{}; review and commit it", committed.display()));
    }
    Ok(())
}
