//! `cargo xtask test`: installs what is missing, builds the guests and runs all tests.

use anyhow::Result;
use clap::ValueEnum;

use super::new_app;
use crate::build::{cargo, example_app, npm};
use crate::system::{cargo_tools, console, paths, process, tools};
use crate::{guests, webview};

/// A part of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The npm packages
    Js,
    /// Rust, with the examples in its documentation
    Rust,
    /// Both plugins and the example app, in a real webview
    Webview,
    /// The packaged plugin, in a newly created app
    NewApp,
}

pub(crate) fn run(part: Option<Part>) -> Result<()> {
    let wanted = |one: Part| part.is_none_or(|part| part == one);
    tools::install_languages()?;
    webview::packages::install_for_driving()?;
    guests::build(&[])?;
    // The example app bundles guests, so they must be in place before cargo builds the workspace.
    example_app::stage()?;
    npm::build()?;
    if wanted(Part::Js) {
        npm::test()?;
    }
    if wanted(Part::Rust) {
        rust()?;
    }
    if wanted(Part::Webview) {
        in_webview()?;
    }
    if wanted(Part::NewApp) {
        new_app::test()?;
    }
    Ok(())
}

fn rust() -> Result<()> {
    tools::install_strace()?;
    // Guests have no tests of their own, and linking each as a test takes time.
    let selection = ["--workspace", "--exclude", "guest-programs"];
    process::show(cargo_tools::nextest()?.args(selection))?;
    // nextest does not run the examples in documentation.
    process::show(process::cargo().args(["test", "--doc", "--workspace"]))?;
    without_compiler()
}

/// Tests the library without its compiler, as in an app that bundles machine code.
fn without_compiler() -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        console::step(
            "skipped",
            "the library without its compiler: its test runs on Linux on x86-64",
        );
        return Ok(());
    }
    console::step("testing", "the library without its compiler");
    let cli = cargo::executable(&["build"], "--bin", "wasi-sidecar")?;
    let folder = paths::workspace().join("target/left-out");
    std::fs::create_dir_all(&folder)?;
    let mut compile = process::command(cli);
    compile.arg("compile").arg(wasi_sidecar_guests::component("args")?);
    compile.args(["--target", "x86_64-unknown-linux-gnu", "-o"]).arg(folder.join("args.code"));
    process::run(&mut compile)?;
    let selection = ["--package", "wasi-sidecar", "--no-default-features", "--test", "left_out"];
    process::show(cargo_tools::nextest()?.args(selection))
}

fn in_webview() -> Result<()> {
    if !webview::packages::can_be_driven() {
        console::step("skipped", "tests in a webview: only WebKitGTK on Linux has a WebDriver");
        return Ok(());
    }
    let harness = cargo::executable(&["build"], "--bin", "webview-harness")?;
    webview::driver::test(&harness, &example_app::build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Run in this order, CI finds a command that works only after a later one.
    #[test]
    fn ci_runs_the_commands_of_the_readme_in_its_order() {
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
}
