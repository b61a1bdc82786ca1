//! C, with the compiler in the Zig package: `zig cc` brings its own WASI C library. The same compiler is lent to Rust
//! guests that have parts in C.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::others::Language;
use super::{pip, toolchain, versions};
use crate::{paths, step};

const OPTIONS: [&str; 8] =
    ["-target", "wasm32-wasi", "-std=gnu11", "-O2", "-s", "-Wall", "-Wextra", "-Werror"];

const COMPILER: &str = "a C compiler for WASI";

pub(super) fn language() -> Language {
    Language {
        name: "c",
        recipe: versions::ZIGLANG,
        compiler: (COMPILER, versions::ZIGLANG_MB),
        key: || Ok(versions::ZIGLANG.to_owned()),
        sources,
        set_up,
        compile,
    }
}

fn sources(name: &str) -> Vec<PathBuf> {
    vec![paths::guest_sources().join("c").join(name).with_extension("c")]
}

fn set_up() -> Result<PathBuf> {
    let about =
        format!("{COMPILER} ({}, {} MB to download)", versions::ZIGLANG, versions::ZIGLANG_MB);
    toolchain::ensure("c", versions::ZIGLANG, &about, |folder| {
        pip::install(versions::ZIGLANG, folder)
    })
}

fn compile(tools: &Path, name: &str, output: &Path) -> Result<()> {
    let mut zig = pip::python()?;
    zig.args(["-m", "ziglang", "cc"]).args(OPTIONS).arg("-o").arg(output).args(sources(name));
    step::run(caching(zig.env("PYTHONPATH", tools)))?;
    Ok(())
}

/// Has a cargo compile the C of its dependencies for a WASI target, whose objects are the same for modules and for
/// components.
pub(super) fn for_cargo(cargo: &mut Command, target: &str) -> Result<()> {
    let tools = set_up()?;
    // A cargo that uses a compiler of ours has a path of its own already.
    let path = cargo.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, path)| path);
    let path = path.map(ToOwned::to_owned).or_else(|| env::var_os("PATH")).unwrap_or_default();
    let mut folders = vec![tools.join("ziglang")];
    folders.extend(env::split_paths(&path));
    cargo.env("PATH", env::join_paths(folders).context("a folder of PATH cannot be named in it")?);
    // Found by PATH, since the name of a folder with a space in it would be taken apart.
    let target = target.replace('-', "_");
    cargo.env(format!("CC_{target}"), "zig cc").env(format!("AR_{target}"), "zig ar");
    cargo.env(format!("CFLAGS_{target}"), "-target wasm32-wasi -O2");
    // What the crate `cc` would add is named in a way that Zig does not know.
    caching(cargo.env("CRATE_CC_NO_DEFAULTS", "1"));
    Ok(())
}

/// Its C library is compiled on first use and kept there.
fn caching(zig: &mut Command) -> &mut Command {
    let scratch = paths::guest_scratch().join("zig");
    zig.env("ZIG_GLOBAL_CACHE_DIR", &scratch).env("ZIG_LOCAL_CACHE_DIR", &scratch)
}
