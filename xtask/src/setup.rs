//! Programs from outside of this repository: whether they are there, and getting those that can be got.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::{paths, step};

/// The oldest Node that the JavaScript guests are built with.
const NODE: u32 = 20;

/// The name of a Python 3 on PATH.
pub(crate) fn python() -> Option<&'static str> {
    ["python3", "python"].into_iter().find(|name| {
        let version = step::run(step::command(name).arg("--version"));
        version.is_ok_and(|version| version.starts_with("Python 3."))
    })
}

/// The major version of the Node on PATH.
pub(crate) fn node() -> Option<u32> {
    let version = step::run(step::command("node").arg("--version")).ok()?;
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Whether the JavaScript guests can be built; where not, what to do about it.
pub(crate) fn check_node() -> Result<()> {
    let npm = step::works(step::command("npm").arg("--version"));
    in_the_way(node(), npm).map_or(Ok(()), |text| bail!(text))
}

fn in_the_way(node: Option<u32>, npm: bool) -> Option<String> {
    let found = match node {
        None => "Node is not on PATH".to_owned(),
        Some(major) if major < NODE => format!("Node {major} is too old"),
        Some(_) if !npm => "npm is not on PATH".to_owned(),
        Some(_) => return None,
    };
    Some(format!("{found}: {}", hint_for_node()))
}

fn hint_for_node() -> String {
    format!("install Node {NODE} or newer with npm from nodejs.org")
}

/// What has to be installed so that compilers can be got as Python packages; nothing where Python has all it needs.
fn missing_for_python() -> Vec<&'static str> {
    let Some(python) = python() else { return vec!["python3", "python3-venv"] };
    let pip = step::works(step::command(python).args(["-m", "pip", "--version"]));
    // `venv` itself is always there; what it puts pip in with is a package of its own on Debian.
    let venv = step::works(step::command(python).args(["-c", "import venv, ensurepip"]));
    if pip || venv { Vec::new() } else { vec!["python3-venv"] }
}

/// Python brings the compilers for C, Go and Python.
pub(crate) fn set_up_python() -> Result<()> {
    let missing = missing_for_python();
    if missing.is_empty() { Ok(()) } else { install_packages(&missing) }
}

/// Python and Node build guests, as the compilers for C, Go, Python and JavaScript come as packages of theirs.
pub(crate) fn set_up_languages() -> Result<()> {
    let mut packages = missing_for_python();
    // Beside a Node that is there, however old, the system's packages would put another one.
    if node().is_some() {
        check_node()?;
    } else {
        packages.extend(["nodejs", "npm"]);
    }
    if !packages.is_empty() {
        install_packages(&packages)?;
        // What a system calls its newest Node can still be too old.
        check_node()?;
    }
    Ok(())
}

/// Tests have Linux refuse calls of the program, kill it in one, or stop one of its threads: what nothing but a debugger can.
pub(crate) fn set_up_faults() -> Result<()> {
    if !cfg!(target_os = "linux") || step::works(step::command("strace").arg("--version")) {
        return Ok(());
    }
    install_packages(&["strace"])
}

/// How a person gets a program, by its Debian packages' names.
pub(crate) fn hint(packages: &str) -> String {
    match std::env::consts::OS {
        "macos" => "install it with Homebrew or its own installer (Python 3 and Node 20 or newer are needed)".to_owned(),
        "windows" => "install it with winget or its own installer (Python 3 and Node 20 or newer are needed)".to_owned(),
        _ => {
            // Debian's own Node may be too old, and its npm brings that Node along.
            let (node, others): (Vec<&str>, Vec<&str>) =
                packages.split(' ').partition(|name| matches!(*name, "nodejs" | "npm"));
            let mut advice = Vec::new();
            if !others.is_empty() {
                let others = others.join(" ");
                advice.push(format!("install it (Debian: `sudo apt-get install {others}`)"));
            }
            if !node.is_empty() {
                advice.push(hint_for_node());
            }
            advice.join(", and ")
        }
    }
}

/// Installs packages of the system where it can be done without a question: as root, or with a sudo that asks for none.
pub(crate) fn install_packages(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if !step::works(step::command("apt-get").arg("--version")) {
        bail!("missing: {names}; {}", hint(&names));
    }
    let root = step::run(step::command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root && !step::works(step::command("sudo").args(["-n", "true"])) {
        bail!("missing: {names}; {}", hint(&names));
    }
    let apt = || {
        let mut command = if root { step::command("apt-get") } else { step::command("sudo") };
        if !root {
            command.args(["-n", "apt-get"]);
        }
        command
    };
    step::line("installing", &format!("the system's packages {names}, with apt-get"));
    step::run(apt().arg("update")).context("cannot read the package lists")?;
    let mut install = apt();
    install
        .args(["install", "--yes", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    step::run(&mut install).with_context(|| format!("cannot install {names}"))?;
    Ok(())
}

/// A subcommand of cargo: the one on PATH, or else one that is compiled into `target/tools`. Its first argument is its
/// name without `cargo-`, as cargo would call it.
pub(crate) fn cargo_tool(name: &str, version: &str, features: &[&str]) -> Result<PathBuf> {
    if step::works(step::command(name).args([name.trim_start_matches("cargo-"), "--version"])) {
        return Ok(PathBuf::from(name));
    }
    let root = paths::tools().join(format!("{name}-{version}"));
    let program = root.join("bin").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    if !program.is_file() {
        step::line(
            "installing",
            &format!("{name} {version} into target/tools (some minutes, once)"),
        );
        let mut install = step::cargo();
        // Cargo compiles it in a temporary folder, for which settings meant for this workspace are wrong.
        // Unoptimised, since it is compiled more often than the seconds it works would repay.
        install
            .args(["install", "--quiet", "--locked", "--debug", "--version", version, "--root"])
            .arg(&root);
        install.args(features).arg(name);
        install
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        step::run(&mut install).with_context(|| format!("cannot install {name}"))?;
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_old_or_without_npm_is_not_enough() {
        assert_eq!(in_the_way(Some(NODE), true), None);
        assert_eq!(in_the_way(Some(NODE + 2), true), None);
        for (node, npm, found) in [
            (None, true, "Node is not on PATH"),
            (Some(18), true, "Node 18 is too old"),
            (Some(18), false, "Node 18 is too old"),
            (Some(20), false, "npm is not on PATH"),
        ] {
            let text = in_the_way(node, npm).expect("not enough");
            assert_eq!(text, format!("{found}: install Node 20 or newer with npm from nodejs.org"));
        }
    }
}
