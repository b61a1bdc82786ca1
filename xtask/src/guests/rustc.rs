//! Which Rust compiler to use for a target: the installed one if it has the target's standard library, else one that
//! is put together from Debian's packages, else a message.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::debian;
use crate::step;

/// A compiler and a target that it has the standard library of.
pub(super) struct Rustc {
    /// `None`: the one cargo would take.
    program: Option<PathBuf>,
    /// `None`: this machine.
    target: Option<&'static str>,
    version: String,
}

impl Rustc {
    pub(super) fn host() -> Result<Rustc> {
        Ok(Rustc { program: None, target: None, version: version()? })
    }

    pub(super) fn for_target(target: &'static str) -> Result<Rustc> {
        if is_installed(target)? {
            return Ok(Rustc { program: None, target: Some(target), version: version()? });
        }
        let program = debian::rustc().with_context(|| {
            format!("no standard library for {target}; `rustup target add wasm32-wasip2 wasm32-wasip1` installs it")
        })?;
        let version = step::run(step::command(&program).arg("-vV"))?;
        Ok(Rustc { program: Some(program), target: Some(target), version })
    }

    /// Whether nothing has to be downloaded for [`for_target`](Self::for_target).
    pub(super) fn is_there(target: &str) -> bool {
        is_installed(target).unwrap_or(false) || debian::is_there()
    }

    /// All that `rustc -vV` says.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn target(&self) -> Option<&'static str> {
        self.target
    }

    /// A cargo that uses this compiler, with flags for what it makes.
    pub(super) fn cargo(&self, flags: &[&str]) -> Command {
        let mut cargo = match &self.program {
            None => step::cargo(),
            Some(program) => cargo_with(program),
        };
        if self.target.is_some() {
            // In place of flags for this machine, which would not suit the target.
            let mut all = remap(&cargo_home(), "/cargo");
            for flag in flags {
                all.push("\x1f");
                all.push(flag);
            }
            cargo.env("CARGO_ENCODED_RUSTFLAGS", all);
        }
        cargo
    }
}

/// A cargo that uses a compiler outside of its own toolchain; linkers are still those of the toolchain.
pub(super) fn cargo_with(rustc: &Path) -> Command {
    let mut cargo = step::cargo();
    let mut path: Vec<PathBuf> = linkers().unwrap_or_default();
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    if let Ok(path) = env::join_paths(path) {
        cargo.env("PATH", path);
    }
    cargo.env("RUSTC", rustc);
    cargo
}

/// An option that keeps a path of this machine out of what is built.
pub(super) fn remap(from: &Path, to: &str) -> OsString {
    let mut option = OsString::from("--remap-path-prefix=");
    option.push(from);
    option.push("=");
    option.push(to);
    option
}

/// `rust-lld` and `wasm-component-ld` come with every toolchain of rustup, with or without a target that uses them.
pub(super) fn linkers() -> Result<Vec<PathBuf>> {
    let version = version()?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc does not tell its host")?;
    let sysroot = step::run(installed().args(["--print", "sysroot"]))?;
    let folder = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin");
    Ok(vec![folder.clone(), folder.join("gcc-ld")])
}

fn installed() -> Command {
    step::command(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

fn version() -> Result<String> {
    step::run(installed().arg("-vV"))
}

fn is_installed(target: &str) -> Result<bool> {
    let folder = step::run(installed().args(["--print", "target-libdir", "--target", target]))?;
    let Ok(entries) = fs::read_dir(folder.trim()) else { return Ok(false) };
    Ok(entries.flatten().any(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with("libstd-") && name.to_string_lossy().ends_with(".rlib")
    }))
}

fn cargo_home() -> PathBuf {
    match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => env::home_dir().unwrap_or_default().join(".cargo"),
    }
}
