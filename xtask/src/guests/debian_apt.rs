//! apt with lists, cache and sources of its own, so that neither rights nor a changed system are needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::debian_sources;
use crate::step;

/// Every machine that runs cargo has them, and mixed versions of them would not work.
const BASE: [&str; 4] = ["libc6", "libgcc-s1", "libstdc++6", "libc-dev"];

pub(super) struct Apt {
    configuration: PathBuf,
    archives: PathBuf,
}

impl Apt {
    /// Reads the lists of a release of Debian with its security, update and backport suites, from where the machine has
    /// its own packages from.
    pub(super) fn new(folder: &Path, release: &str) -> Result<Apt> {
        for name in ["state/lists/partial", "cache/archives/partial", "archives"] {
            fs::create_dir_all(folder.join(name))?;
        }
        let sources = folder.join("debian.sources");
        fs::write(&sources, debian_sources::derive(&debian_sources::read()?, release)?)?;
        let configuration = folder.join("apt.conf");
        fs::write(&configuration, configured(folder, &sources))?;
        let apt = Apt { configuration, archives: folder.join("archives") };
        let mut update = apt.command("apt-get");
        // Without this, a list that cannot be had is a warning.
        update.args(["-o", "APT::Update::Error-Mode=any", "update"]);
        step::run(&mut update).context("cannot read Debian's package lists")?;
        Ok(apt)
    }

    /// The libraries that a package needs in the end and this machine has not.
    pub(super) fn missing_libraries(&self, package: &str) -> Result<Vec<String>> {
        let mut depends = self.command("apt-cache");
        depends.args(["depends", "--recurse", "--no-recommends", "--no-suggests", "--no-enhances"]);
        depends.args(["--no-conflicts", "--no-breaks", "--no-replaces", package]);
        let names = libraries(&step::run(&mut depends)?, package);
        ensure!(!names.is_empty(), "Debian's {package} depends on no library");
        Ok(names.into_iter().filter(|name| !is_installed(name)).collect())
    }

    /// The downloaded archives. apt has verified their signatures.
    pub(super) fn download(&self, packages: &[String]) -> Result<Vec<PathBuf>> {
        let mut download = self.command("apt-get");
        download.current_dir(&self.archives).arg("download").args(packages);
        step::run(&mut download).context("cannot download Debian's packages")?;
        let archives = fs::read_dir(&self.archives)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>>>()?;
        let archives: Vec<_> = archives
            .into_iter()
            .filter(|path| path.extension().is_some_and(|e| e == "deb"))
            .collect();
        ensure!(
            archives.len() == packages.len(),
            "apt-get left {} of {} archives",
            archives.len(),
            packages.len()
        );
        Ok(archives)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = step::command(program);
        // Its texts are read here.
        command.arg("-c").arg(&self.configuration).env("LC_ALL", "C.UTF-8");
        command
    }
}

fn configured(folder: &Path, sources: &Path) -> String {
    let folder = folder.display();
    // The hooks are for the lists and archives of the system. The sandbox user could not enter our folder.
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

/// The names of libraries in the output of `apt-cache depends --recurse`, where a package's own line is not indented.
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

fn is_installed(package: &str) -> bool {
    let mut query = step::command("dpkg-query");
    let state = step::run(query.args(["-W", "-f=${db:Status-Status}", package]));
    state.is_ok_and(|state| state == "installed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_the_packages_own_lines() {
        let depends = "libstd-dev\n  Depends: libstd-1.96\nlibstd-1.96\n  Depends: libc6\n  Depends: libllvm22\nlibc6\n\
                       libllvm22\n  Depends: <virtual>\n<virtual>\ngcc-12-base\nlibllvm22\n";
        assert_eq!(libraries(depends, "libstd-dev"), ["libllvm22", "libstd-1.96"]);
    }
}
