//! Chooses the Rust compiler for a target: the installed one if it has the target's standard library, else one from Debian's
//! packages.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::{rust_from_debian, rustup};
use crate::system::process;

/// A compiler and a target that it can compile for.
pub(crate) struct Rustc {
    /// `None` is cargo's default.
    program: Option<PathBuf>,
    /// `None` is this machine.
    pub(crate) target: Option<&'static str>,
    /// The output of `rustc -vV`.
    pub(crate) version: String,
}

impl Rustc {
    pub(crate) fn host() -> Result<Rustc> {
        Ok(Rustc { program: None, target: None, version: rustup::version()? })
    }

    pub(crate) fn for_target(target: &'static str) -> Result<Rustc> {
        if rustup::has_target(target)? {
            return Ok(Rustc { program: None, target: Some(target), version: rustup::version()? });
        }
        let program = rust_from_debian::build::rustc().with_context(|| {
            format!("no standard library for {target}; `rustup target add wasm32-wasip2 wasm32-wasip1` installs it")
        })?;
        let version = process::run(process::command(&program).arg("-vV"))?;
        Ok(Rustc { program: Some(program), target: Some(target), version })
    }

    /// Whether a compiler for this target is installed.
    pub(crate) fn is_installed(target: &str) -> bool {
        rustup::has_target(target).unwrap_or(false) || rust_from_debian::build::is_installed()
    }

    /// A cargo that uses this compiler and flags.
    pub(crate) fn cargo(&self, flags: &[&str]) -> Command {
        let mut cargo = match &self.program {
            None => process::cargo(),
            Some(program) => rustup::cargo_with(program),
        };
        if self.target.is_some() {
            // Replaces flags from the environment, which are meant for this machine.
            let mut all = rustup::remap(&rustup::cargo_home(), "/cargo");
            for flag in flags {
                all.push("\x1f");
                all.push(flag);
            }
            cargo.env("CARGO_ENCODED_RUSTFLAGS", all);
        }
        cargo
    }
}
