//! cargo subcommands that the checks use: cargo-nextest and cargo-deny.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{console, paths, process};

// `.github/workflows/ci.yml` installs the same versions; a test compares them.
const CARGO_NEXTEST: &str = "0.9.151";
const CARGO_DENY: &str = "0.20.2";

/// The command `cargo nextest run`.
pub(crate) fn nextest() -> Result<Command> {
    // Without its self-update, which takes half of its compile time.
    let features = ["--no-default-features", "--features", "default-no-update"];
    command(&install("cargo-nextest", CARGO_NEXTEST, &features)?, ["nextest", "run"])
}

/// The command `cargo deny check`.
pub(crate) fn deny() -> Result<Command> {
    command(&install("cargo-deny", CARGO_DENY, &[])?, ["deny", "check"])
}

fn command(program: &Path, arguments: [&str; 2]) -> Result<Command> {
    let mut command = process::command(program);
    command.args(arguments).current_dir(paths::workspace());
    Ok(command)
}

/// The program on PATH, or one that is compiled into `target/tools`. Its first argument must be its name without `cargo-`.
fn install(name: &str, version: &str, features: &[&str]) -> Result<PathBuf> {
    if process::works(process::command(name).args([name.trim_start_matches("cargo-"), "--version"]))
    {
        return Ok(PathBuf::from(name));
    }
    let root = paths::tools().join(format!("{name}-{version}"));
    let program = root.join("bin").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    if !program.is_file() {
        console::step(
            "installing",
            &format!("{name} {version} into target/tools (takes minutes, once)"),
        );
        let mut install = process::cargo();
        // A debug build: optimising takes longer than it saves.
        install
            .args(["install", "--quiet", "--locked", "--debug", "--version", version, "--root"])
            .arg(&root);
        install.args(features).arg(name);
        // Settings for this workspace do not suit the temporary folder that cargo compiles in.
        for setting in ["CARGO_TARGET_DIR", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            install.env_remove(setting);
        }
        process::run(&mut install).with_context(|| format!("cannot install {name}"))?;
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workflow_installs_the_same_versions() {
        let file = paths::workspace().join(".github/workflows/ci.yml");
        let text = std::fs::read_to_string(file).expect("the workflow can be read");
        for (tool, version) in [("nextest", CARGO_NEXTEST), ("cargo-deny", CARGO_DENY)] {
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
