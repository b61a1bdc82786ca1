//! Driving real webviews: the harness and the example app, by the tests in `host-plugin/harness/e2e`.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::{app, build, javascript, paths, step, webview};

/// What the demo drives the app with: as soon as one sidecar is built; when all in Rust are; when all are.
pub(crate) const DEMO: [&str; 3] = ["app-first.test.ts", "app.test.ts", "app-arrival.test.ts"];

/// Runs all tests in a webview. The npm packages have been built.
pub(crate) fn test() -> Result<()> {
    if !webview::can_be_driven() {
        step::line("skipped", "tests in a webview: there is a driver for WebKitGTK only, on Linux");
        return Ok(());
    }
    let harness = build::executable(&["build"], "--bin", "webview-harness")?;
    let app = app::build()?;
    let mut tests = vitest("harness/e2e/vitest.config.ts");
    step::show(tests.env("HARNESS", harness).env("APP", app))
}

/// Drives the example app once through one of [`DEMO`], and leaves pictures of it.
pub(crate) fn demo(app: &Path, pictures: &Path, script: &str) -> Result<()> {
    let mut tests = vitest("harness/e2e/vitest.config.ts");
    // The whole path of one file: part of a name would be found in the path of the repository as well.
    tests.arg(format!("harness/e2e/{script}")).env("APP", app).env("PICTURES", pictures);
    step::run(&mut tests).map(drop)
}

/// Compares both plugins in a webview.
pub(crate) fn bench(harness: &Path, arguments: &[(&str, String)]) -> Result<()> {
    let mut bench = vitest("harness/e2e/bench.config.ts");
    for (name, value) in arguments {
        bench.env(name, value);
    }
    step::show(bench.env("HARNESS", harness))
}

/// The test runner of the plugin's package, on a display of its own, with the user's folders out of reach.
pub(crate) fn vitest(config: &str) -> Command {
    let mut vitest = webview::on_a_display("node");
    vitest
        .args(["node_modules/vitest/vitest.mjs", "run", "--config", config])
        .env("TARGET", paths::workspace().join("target"))
        .current_dir(javascript::plugin());
    vitest
}
