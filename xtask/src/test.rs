//! `cargo xtask test`: everything, from nothing. Sets up what is missing, builds the guests, runs all tests.

use anyhow::Result;

use crate::{guests, paths, setup, step};

const CARGO_NEXTEST: &str = "0.9.151";
/// Leaves out its own updating, and with it half of what it is compiled from.
const WITHOUT_UPDATE: [&str; 3] = ["--no-default-features", "--features", "default-no-update"];

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
    // Beside a Node that is there, however old, the system's packages would put another one.
    if setup::node().is_some() {
        setup::check_node()?;
    } else {
        packages.extend(["nodejs", "npm"]);
    }
    if !packages.is_empty() {
        setup::install_packages(&packages)?;
        // What a system calls its newest Node can still be too old.
        setup::check_node()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

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
