//! The grants of `run`: their options, and what they grant.

use std::{path::PathBuf, str::FromStr};

use anyhow::Result;
use wasi_sidecar::{Command, DirGrant, Grants, NetworkRule, ambient_authority};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Grants")]
pub(crate) struct GrantArgs {
    /// Grant a directory: the guest sees HOST as GUEST, for reading and writing, or with `:ro` for reading only
    ///
    /// GUEST is an absolute path. The guest cannot leave the directory, not even through links. May be given several
    /// times. The directory of FILE and those above it can only be granted with `:ro`: a guest that can change what the
    /// host loads has left the sandbox.
    #[arg(long, value_name = "HOST::GUEST[:ro]")]
    dir: Vec<DirGrant>,

    /// Grant a directory that `--dir` refuses: a file system root, a whole home directory, `/proc`, `/sys`, `/dev`
    ///
    /// The guest can then reach nearly as much as you can.
    #[arg(long, value_name = "HOST::GUEST[:ro]")]
    dangerous_dir: Vec<DirGrant>,

    /// Set an environment entry, or with `--env NAME` pass on the host's own
    ///
    /// If the host has no such entry, neither has the guest. May be given several times.
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<EnvGrant>,

    /// Grant connections to HOST at PORT, and look-ups of HOST; with `udp://` in front, datagrams
    ///
    /// HOST is a name like `api.example.com`, `*.example.com` for all names below it, an address, or a range like `10.0.0.0/8` or
    /// `[fd00::/8]`. PORT is one port, a range like `8000-8010`, or `*`. A name covers public addresses only; private ones are
    /// granted by address. The guest cannot listen. May be given several times.
    #[arg(long, value_name = "HOST:PORT")]
    net: Vec<NetworkRule>,

    /// Start in this directory: a guest path in a granted directory
    ///
    /// For programs that follow it: Go's, and components that ask WASI for `initial-cwd`. For all others, which start
    /// in `/`, it is refused: grant their start directory as `/` instead.
    #[arg(long, value_name = "GUESTDIR")]
    cwd: Option<PathBuf>,
}

impl GrantArgs {
    /// Opens what is granted.
    pub(crate) fn grants(&self) -> Result<Grants> {
        let dangerous = self.dangerous_dir.iter().map(|dir| dir.clone().dangerous(true));
        let mut grants = Grants::new();
        for dir in self.dir.iter().cloned().chain(dangerous) {
            grants = grants.add(dir, ambient_authority())?;
        }
        for entry in &self.env {
            if let EnvGrant::Pass(name) = entry {
                grants = grants.env(name)?;
            }
        }
        for rule in &self.net {
            grants = grants.network(rule.clone())?;
        }
        Ok(grants)
    }

    /// Gives the command what only this run has: entries with a value, and the initial directory.
    pub(crate) fn apply(&self, command: &mut Command) {
        for entry in &self.env {
            if let EnvGrant::Set(name, value) = entry {
                command.env(name, value);
            }
        }
        if let Some(path) = &self.cwd {
            command.current_dir(path);
        }
    }
}

/// `NAME` or `NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum EnvGrant {
    /// The host's entry of this name.
    Pass(String),
    /// An entry with this value.
    Set(String, String),
}

impl FromStr for EnvGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, grant) = match text.split_once('=') {
            Some((name, value)) => (name, Self::Set(name.to_owned(), value.to_owned())),
            None => (text, Self::Pass(text.to_owned())),
        };
        match name {
            "" => Err("no name; write `NAME` to pass on the host's entry, or `NAME=VALUE`".into()),
            _ => Ok(grant),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_entries_are_read_as_documented() {
        let set = |name: &str, value: &str| Some(EnvGrant::Set(name.into(), value.into()));
        let rows = [
            ("LANG", Some(EnvGrant::Pass("LANG".into()))),
            ("MODE=fast", set("MODE", "fast")),
            ("EMPTY=", set("EMPTY", "")),
            ("A=b=c", set("A", "b=c")),
            ("=x", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(text.parse::<EnvGrant>().ok(), expected, "{text}");
        }
    }
}
