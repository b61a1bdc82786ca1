//! `cargo xtask test`: everything, from nothing. Sets up what is missing, builds the guests, runs all tests.

use anyhow::{Result, bail};

use crate::{guests, paths, setup, step};

const CARGO_NEXTEST: &str = "0.9.151";
/// Leaves out its own updating, and with it half of what it is compiled from.
const WITHOUT_UPDATE: [&str; 3] = ["--no-default-features", "--features", "default-no-update"];
/// The oldest Node that the tests are run with.
const NODE: u32 = 20;

pub(crate) fn run() -> Result<()> {
    set_up_languages()?;
    let nextest = setup::cargo_tool("cargo-nextest", CARGO_NEXTEST, &WITHOUT_UPDATE)?;
    guests::build(&[])?;
    let mut tests = step::command(nextest);
    // The guests are what tests are made with; as test targets they would be linked and found empty, one by one.
    tests.args(["nextest", "run", "--workspace", "--exclude", "guest-programs"]);
    step::show(tests.current_dir(paths::workspace()))?;
    // nextest does not run the examples in documentation.
    let mut examples = step::cargo();
    step::show(examples.args(["test", "--doc", "--workspace"]).current_dir(paths::workspace()))
}

/// Python and Node build guests, as the compilers for C, Go, Python and JavaScript come as packages of theirs.
fn set_up_languages() -> Result<()> {
    let mut packages = setup::missing_for_python();
    match setup::node() {
        None => packages.push("nodejs"),
        Some(major) if major < NODE => {
            bail!("Node {major} is too old: the JavaScript guests need {NODE} or newer")
        }
        Some(_) => {}
    }
    if !step::works(step::command("npm").arg("--version")) {
        packages.push("npm");
    }
    if packages.is_empty() {
        return Ok(());
    }
    setup::install_packages(&packages)
}
