//! `cargo xtask demo`: the main job on real input, from nothing.
//!
//! The demo itself is a program of its own, `examples/headless`. Here it gets what it needs: the guests it runs, which are
//! not all there are, and a build.

use anyhow::{Context, Result, bail};

use crate::{build, guests, paths, setup, step};

const DEMO: &str = "headless-demo";
const GUESTS: [&str; 7] =
    ["markdown", "word-count", "echo", "fs-probe", "spin", "go/echo", "python/echo"];

pub(crate) fn run(headless_cli: bool) -> Result<()> {
    if !headless_cli {
        step::line(
            "note",
            "the demo in a window comes with the plugin; this is the one of `--headless-cli`",
        );
    }
    // The compilers for Go and Python come as packages of Python's.
    let missing = setup::missing_for_python();
    if !missing.is_empty() {
        setup::install_packages(&missing)?;
    }
    step::line("guests", &format!("from source: {}", GUESTS.join(", ")));
    guests::build(&GUESTS.map(ToOwned::to_owned))?;
    step::line("building", &format!("{DEMO}, for development (some minutes, the first time)"));
    let demo = build::executable(&["build"], "--bin", DEMO)?;
    let mut demo = step::command(demo);
    demo.current_dir(paths::workspace());
    let status = demo.status().context("cannot start the demo")?;
    if !status.success() {
        bail!("the demo did not do all it should ({status}); what went wrong is said above");
    }
    Ok(())
}
