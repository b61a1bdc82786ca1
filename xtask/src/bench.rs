//! `cargo xtask bench`: components against native programs, side by side in one run.

use anyhow::{Context, Result, bail};

use crate::{build, e2e, guests, javascript, setup, step, webview};

/// The guests that the rows run.
const GUESTS: [&str; 6] = ["args", "lines", "flood", "upper", "spin", "echo"];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "--webview") {
        return in_a_webview(arguments);
    }
    guests::build(&GUESTS.map(ToOwned::to_owned))?;
    step::line("building", "the benchmark, optimised (some minutes, the first time)");
    let bench = build::executable(&["bench", "--no-run"], "--bench", "compare")?;
    step::show(step::command(bench).args(arguments))
}

/// The plugin against the shell plugin, in one page.
fn in_a_webview(arguments: &[String]) -> Result<()> {
    if !webview::can_be_driven() {
        bail!("there is a driver for WebKitGTK only, so this benchmark runs on Linux");
    }
    let mut settings = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().cloned().with_context(|| format!("`{argument}` needs a value"));
        match argument.as_str() {
            "--webview" => {}
            "--quick" => settings.push(("BENCH_QUICK", "1".to_owned())),
            "--only" => settings.push(("BENCH_ONLY", value()?)),
            "--json" => {
                let file = std::path::absolute(value()?).context("no such place")?;
                settings.push(("BENCH_JSON", file.to_string_lossy().into_owned()));
            }
            _ => bail!(
                "`{argument}` is not known; there are --webview, --quick, --only NAME, --json FILE"
            ),
        }
    }
    setup::set_up_languages()?;
    webview::set_up_driving()?;
    // The harness knows all Rust guests, and says at its start which are missing.
    guests::build(&["rust".to_owned()])?;
    javascript::build()?;
    step::line("building", "the harness, optimised (many minutes, the first time)");
    let harness = build::executable(&["build", "--release"], "--bin", "webview-harness")?;
    e2e::bench(&harness, &settings)
}
