//! `cargo xtask attacks`: runs the attack suite, and makes its report.
//!
//! The report goes to `target/attacks.md`, and to `docs/attacks.md`, which is committed and which the tests compare with.

use anyhow::{Context, Result};
use wasi_sidecar_guests::attacks;

use crate::{guests, paths, setup, step, test, webview};

/// The tests of the suite: one for each part.
const SUITE: &str = "test(/attacks::[a-j]_/) or test(attacks_h_pages)";

pub(crate) fn run() -> Result<()> {
    // The suite has a part in the plugin's harness, which is built against a webview.
    webview::set_up_building()?;
    guests::build(&["rust".to_owned()])?;
    let nextest = setup::cargo_tool("cargo-nextest", test::CARGO_NEXTEST, &test::WITHOUT_UPDATE)?;
    let mut suite = step::command(nextest);
    suite.args(["nextest", "run", "--workspace", "--exclude", "guest-programs", "-E", SUITE]);
    suite.arg("--no-fail-fast").env(attacks::RENEW, "1").current_dir(paths::workspace());
    let passed = step::show(&mut suite);
    let report = attacks::report().context("a part of the report is missing")?;
    let made = paths::workspace().join("target/attacks.md");
    std::fs::write(&made, &report)?;
    step::line("report", &made.display().to_string());
    passed.context("an attack did not come out as it should")?;
    let committed = attacks::committed();
    if std::fs::read_to_string(&committed).is_ok_and(|text| text == report) {
        step::line("unchanged", &committed.display().to_string());
    } else {
        std::fs::write(&committed, &report)?;
        step::line("changed", &format!("{}; look at it, and commit it", committed.display()));
    }
    Ok(())
}
