//! `cargo xtask test`: everything, from nothing. Sets up what is missing, builds the guests, runs all tests.

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;

use crate::{app, build, e2e, guests, javascript, new_app, paths, setup, step, webview};

pub(crate) const CARGO_NEXTEST: &str = "0.9.151";
/// Leaves out its own updating, and with it half of what it is compiled from.
pub(crate) const WITHOUT_UPDATE: [&str; 3] =
    ["--no-default-features", "--features", "default-no-update"];

/// What there is to test, each part for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The npm packages
    Js,
    /// Rust, and the examples in its documentation
    Rust,
    /// Both plugins and the example app in a real webview
    Webview,
    /// The packaged plugin in a newly created app
    NewApp,
}

/// Tests everything, or one part.
pub(crate) fn run(part: Option<Part>) -> Result<()> {
    let wanted = |one: Part| part.is_none_or(|part| part == one);
    setup::set_up_languages()?;
    webview::set_up_driving()?;
    guests::build(&[])?;
    // What the example app bundles has to be there before anything of the workspace is built.
    app::stage()?;
    javascript::build()?;
    if wanted(Part::Js) {
        javascript::test()?;
    }
    if wanted(Part::Rust) {
        rust()?;
    }
    if wanted(Part::Webview) {
        e2e::test()?;
    }
    if wanted(Part::NewApp) {
        new_app::test()?;
    }
    Ok(())
}

fn rust() -> Result<()> {
    setup::set_up_faults()?;
    let nextest = setup::cargo_tool("cargo-nextest", CARGO_NEXTEST, &WITHOUT_UPDATE)?;
    let mut tests = step::command(&nextest);
    // The guests are what tests are made with; as test targets they would be linked and found empty, one by one.
    tests.args(["nextest", "run", "--workspace", "--exclude", "guest-programs"]);
    step::show(tests.current_dir(paths::workspace()))?;
    // nextest does not run the examples in documentation.
    let mut examples = step::cargo();
    step::show(examples.args(["test", "--doc", "--workspace"]).current_dir(paths::workspace()))?;
    without_compiler(&nextest)
}

/// The library as an app has it that brings all of its code along.
fn without_compiler(nextest: &Path) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        step::line(
            "skipped",
            "the library without its compiler: its test has code for Linux on x86-64",
        );
        return Ok(());
    }
    step::line("testing", "the library without its compiler");
    let cli = build::executable(&["build"], "--bin", "wasi-sidecar")?;
    let place = paths::workspace().join("target/left-out");
    std::fs::create_dir_all(&place)?;
    let mut compile = step::command(cli);
    compile.arg("compile").arg(wasi_sidecar_guests::component("args")?);
    compile.args(["--target", "x86_64-unknown-linux-gnu", "-o"]).arg(place.join("args.code"));
    step::run(&mut compile)?;
    let mut tests = step::command(nextest);
    tests.args([
        "nextest",
        "run",
        "--package",
        "wasi-sidecar",
        "--no-default-features",
        "--test",
        "left_out",
    ]);
    step::show(tests.current_dir(paths::workspace()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    /// A command that works only after another one is found by running them in the order in which a reader does.
    #[test]
    fn a_change_has_to_pass_the_commands_of_the_readme_in_its_order() {
        let read = |file: &str| std::fs::read_to_string(paths::workspace().join(file)).expect(file);
        let (readme, script) = (read("README.md"), read(".ci/run"));
        let part = readme.split("## Try it").nth(1).and_then(|rest| rest.split("\n## ").next());
        let block = part.and_then(|part| part.split("```").nth(1)).expect("a block of commands");
        let commands = block.lines().filter_map(|line| line.strip_prefix("$ "));
        let commands: Vec<&str> =
            commands.map(|line| line.split('#').next().unwrap_or(line).trim()).collect();
        let runs: Vec<&str> = script
            .lines()
            .filter(|line| !line.starts_with(['#', ' ']) && !line.starts_with("step="))
            .filter_map(|line| Some(&line[line.find("cargo xtask")?..]))
            .collect();
        assert!(commands.len() >= 3, "{commands:?}");
        assert_eq!(runs.get(..commands.len()), Some(commands.as_slice()), "{runs:?}");
    }

    #[test]
    fn the_workflow_installs_the_tools_that_are_compiled_here() {
        let file = paths::workspace().join(".github/workflows/ci.yml");
        let text = std::fs::read_to_string(file).expect("the workflow can be read");
        for (tool, version) in [("nextest", CARGO_NEXTEST), ("cargo-deny", check::CARGO_DENY)] {
            let found: Vec<&str> = text
                .split(&format!("{tool}@"))
                .skip(1)
                .map(|rest| rest.split([',', '\n', '\r', ' ']).next().unwrap_or_default())
                .collect();
            assert!(!found.is_empty(), "the workflow does not install {tool}");
            assert!(found.iter().all(|it| *it == version), "{tool}: {found:?}, here {version}");
        }
    }
}
