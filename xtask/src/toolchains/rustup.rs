//! The installed Rust toolchain, usually rustup's.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::system::process;

/// A cargo that uses another compiler with the linkers of rustup's toolchain.
pub(crate) fn cargo_with(rustc: &Path) -> Command {
    let mut cargo = process::cargo();
    let mut path: Vec<PathBuf> = linkers().unwrap_or_default();
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    if let Ok(path) = env::join_paths(path) {
        cargo.env("PATH", path);
    }
    cargo.env("RUSTC", rustc);
    cargo
}

/// A rustc option that keeps a local path out of the output.
pub(crate) fn remap(from: &Path, to: &str) -> OsString {
    let mut option = OsString::from("--remap-path-prefix=");
    option.push(from);
    option.push("=");
    option.push(to);
    option
}

/// Folders of `rust-lld` and `wasm-component-ld`, which every toolchain of rustup includes.
pub(crate) fn linkers() -> Result<Vec<PathBuf>> {
    let version = version()?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc does not report its host")?;
    let sysroot = process::run(rustc().args(["--print", "sysroot"]))?;
    let folder = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin");
    Ok(vec![folder.clone(), folder.join("gcc-ld")])
}

fn rustc() -> Command {
    process::command(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// The output of `rustc -vV`.
pub(crate) fn version() -> Result<String> {
    process::run(rustc().arg("-vV"))
}

/// Whether the standard library for a target is installed.
pub(crate) fn has_target(target: &str) -> Result<bool> {
    let folder = process::run(rustc().args(["--print", "target-libdir", "--target", target]))?;
    let Ok(entries) = fs::read_dir(folder.trim()) else { return Ok(false) };
    Ok(entries.flatten().any(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with("libstd-") && name.to_string_lossy().ends_with(".rlib")
    }))
}

pub(crate) fn cargo_home() -> PathBuf {
    match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => env::home_dir().unwrap_or_default().join(".cargo"),
    }
}
