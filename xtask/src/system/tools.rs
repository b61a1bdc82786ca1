//! Programs that must be on PATH: Python and Node, whose packages include the compilers for guests, and strace.

use anyhow::{Result, bail};

use super::{packages, process};

/// The oldest Node that componentize-js supports.
const NODE: u32 = 20;

/// The name of a Python 3 on PATH.
pub(crate) fn python() -> Option<&'static str> {
    ["python3", "python"].into_iter().find(|name| {
        let version = process::run(process::command(name).arg("--version"));
        version.is_ok_and(|version| version.starts_with("Python 3."))
    })
}

/// The major version of the Node on PATH.
fn node() -> Option<u32> {
    let version = process::run(process::command("node").arg("--version")).ok()?;
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Fails, with advice, unless a recent Node with npm is installed.
pub(crate) fn check_node() -> Result<()> {
    let npm = process::works(process::command("npm").arg("--version"));
    node_problem(node(), npm).map_or(Ok(()), |text| bail!(text))
}

fn node_problem(node: Option<u32>, npm: bool) -> Option<String> {
    let found = match node {
        None => "Node is not on PATH".to_owned(),
        Some(major) if major < NODE => format!("Node {major} is too old"),
        Some(_) if !npm => "npm is not on PATH".to_owned(),
        Some(_) => return None,
    };
    Some(format!("{found}: {}", packages::NODE_HINT))
}

/// System packages that Python lacks for installing compilers.
fn missing_for_python() -> Vec<&'static str> {
    let Some(python) = python() else { return vec!["python3", "python3-venv"] };
    let pip = process::works(process::command(python).args(["-m", "pip", "--version"]));
    // `venv` is part of Python; Debian packages the pip that it installs, `ensurepip`, separately.
    let venv = process::works(process::command(python).args(["-c", "import venv, ensurepip"]));
    if pip || venv { Vec::new() } else { vec!["python3-venv"] }
}

/// System packages that provide Python and Node. Fails if the installed Node is too old: the system's Node would conflict with
/// it.
pub(crate) fn missing_packages() -> Result<Vec<&'static str>> {
    let mut packages = missing_for_python();
    if node().is_some() {
        check_node()?;
    } else {
        packages.extend(["nodejs", "npm"]);
    }
    Ok(packages)
}

/// Installs Python, whose packages include the compilers for C, Go and Python.
pub(crate) fn install_python() -> Result<()> {
    packages::install(&missing_for_python())
}

/// Installs Python and Node, whose packages include all compilers but Rust's.
pub(crate) fn install_languages() -> Result<()> {
    packages::install(&missing_packages()?)?;
    // The system's newest Node can be too old.
    check_node()
}

/// Installs strace, with which tests on Linux make system calls fail and stop or kill a thread.
pub(crate) fn install_strace() -> Result<()> {
    if !cfg!(target_os = "linux") || process::works(process::command("strace").arg("--version")) {
        return Ok(());
    }
    packages::install(&["strace"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_or_one_without_npm_is_refused() {
        assert_eq!(node_problem(Some(NODE), true), None);
        assert_eq!(node_problem(Some(NODE + 2), true), None);
        for (node, npm, found) in [
            (None, true, "Node is not on PATH"),
            (Some(18), true, "Node 18 is too old"),
            (Some(18), false, "Node 18 is too old"),
            (Some(20), false, "npm is not on PATH"),
        ] {
            let text = node_problem(node, npm).expect("a problem");
            assert_eq!(text, format!("{found}: install Node 20 or newer with npm from nodejs.org"));
        }
    }
}
