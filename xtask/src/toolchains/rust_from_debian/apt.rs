//! apt with its own lists, cache and sources, so it needs no rights and does not change the system.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::sources;
use crate::system::{packages, process};

/// Libraries that every machine with cargo has. Other versions of them would not work.
const BASE: [&str; 4] = ["libc6", "libgcc-s1", "libstdc++6", "libc-dev"];

pub(crate) struct Apt {
    configuration: PathBuf,
    archives: PathBuf,
}

impl Apt {
    /// Downloads the package lists of a Debian release, with its security, update and backport suites, from the machine's
    /// own mirrors.
    pub(crate) fn new(folder: &Path, release: &str) -> Result<Apt> {
        for name in ["state/lists/partial", "cache/archives/partial", "archives"] {
            fs::create_dir_all(folder.join(name))?;
        }
        let list = folder.join("debian.sources");
        fs::write(&list, sources::derive(&sources::read()?, release)?)?;
        let configuration = folder.join("apt.conf");
        fs::write(&configuration, configuration_text(folder, &list))?;
        let apt = Apt { configuration, archives: folder.join("archives") };
        let mut update = apt.command("apt-get");
        // By default a failed download is only a warning.
        update.args(["-o", "APT::Update::Error-Mode=any", "update"]);
        process::run(&mut update).context("cannot read Debian's package lists")?;
        Ok(apt)
    }

    /// The libraries that a package depends on, directly or not, and that are not installed.
    pub(crate) fn missing_libraries(&self, package: &str) -> Result<Vec<String>> {
        let mut depends = self.command("apt-cache");
        depends.args(["depends", "--recurse", "--no-recommends", "--no-suggests", "--no-enhances"]);
        depends.args(["--no-conflicts", "--no-breaks", "--no-replaces", package]);
        let names = libraries(&process::run(&mut depends)?, package);
        ensure!(!names.is_empty(), "Debian's {package} depends on no library");
        Ok(names.into_iter().filter(|name| !packages::is_installed(name)).collect())
    }

    /// Downloads packages and returns their archives. apt verifies their signatures.
    pub(crate) fn download(&self, packages: &[String]) -> Result<Vec<PathBuf>> {
        let mut download = self.command("apt-get");
        download.current_dir(&self.archives).arg("download").args(packages);
        process::run(&mut download).context("cannot download Debian's packages")?;
        let mut archives = Vec::new();
        for entry in fs::read_dir(&self.archives)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                archives.push(path);
            }
        }
        let (found, wanted) = (archives.len(), packages.len());
        ensure!(found == wanted, "apt-get left {found} of {wanted} archives");
        Ok(archives)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = process::command(program);
        // `libraries` parses its output.
        command.arg("-c").arg(&self.configuration).env("LC_ALL", "C.UTF-8");
        command
    }
}

fn configuration_text(folder: &Path, sources: &Path) -> String {
    let folder = folder.display();
    // The hooks are for the system's own lists. The sandbox user may not be able to read this folder.
    format!(
        "#clear APT::Update::Post-Invoke;\n\
         #clear APT::Update::Post-Invoke-Success;\n\
         Dir::State \"{folder}/state\";\n\
         Dir::State::lists \"lists\";\n\
         Dir::Cache \"{folder}/cache\";\n\
         Dir::Cache::archives \"archives\";\n\
         Dir::Etc::sourcelist \"{}\";\n\
         Dir::Etc::sourceparts \"/dev/null\";\n\
         Acquire::Languages \"none\";\n\
         APT::Sandbox::User \"\";\n",
        sources.display()
    )
}

/// The libraries in the output of `apt-cache depends --recurse`, which does not indent the names of packages.
fn libraries(depends: &str, except: &str) -> Vec<String> {
    let mut names: Vec<String> = depends
        .lines()
        .filter(|line| line.starts_with("lib") && !line.contains(':'))
        .filter(|name| !BASE.contains(name) && *name != except)
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_not_indented() {
        let depends = "libstd-dev\n  Depends: libstd-1.96\nlibstd-1.96\n  Depends: libc6\n  Depends: libllvm22\nlibc6\n\
                       libllvm22\n  Depends: <virtual>\n<virtual>\ngcc-12-base\nlibllvm22\n";
        assert_eq!(libraries(depends, "libstd-dev"), ["libllvm22", "libstd-1.96"]);
    }
}
