//! Runs the tests in `host-plugin/harness/e2e`, which drive real webviews by WebDriver.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::system::{paths, process};

const TESTS: &str = "harness/e2e/vitest.config.ts";

/// The demo's scripts: for the first sidecar, for all Rust sidecars, and for all sidecars.
pub(crate) const DEMO: [&str; 3] = ["app-first.test.ts", "app.test.ts", "app-arrival.test.ts"];

/// Runs all tests. The npm packages must be built.
pub(crate) fn test(harness: &Path, app: &Path) -> Result<()> {
    process::show(vitest(TESTS).env("HARNESS", harness).env("APP", app))
}

/// Runs one of the [`DEMO`] scripts, which saves pictures of the example app.
pub(crate) fn demo(app: &Path, pictures: &Path, script: &str) -> Result<()> {
    let mut tests = vitest(TESTS);
    // The whole path, because vitest would also match a part of the name against the repository's path.
    tests.arg(format!("harness/e2e/{script}")).env("APP", app).env("PICTURES", pictures);
    process::run(&mut tests).map(drop)
}

/// Runs the benchmark of both plugins in one page.
pub(crate) fn bench(harness: &Path, settings: &[(&str, String)]) -> Result<()> {
    let mut bench = vitest("harness/e2e/bench.config.ts");
    bench.envs(settings.iter().map(|(name, value)| (name, value)));
    process::show(bench.env("HARNESS", harness))
}

/// vitest on a display of its own.
pub(crate) fn vitest(config: &str) -> Command {
    let mut vitest = process::command("xvfb-run");
    vitest
        .args(["-a", "-s", "-screen 0 1280x900x24", "dbus-run-session", "--"])
        .args(["node", "node_modules/vitest/vitest.mjs", "run", "--config", config])
        .env("TARGET", paths::workspace().join("target"))
        .current_dir(paths::plugin());
    vitest
}
