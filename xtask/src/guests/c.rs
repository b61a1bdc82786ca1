//! C, with the compiler in the Zig package: `zig cc` brings its own WASI C library.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::others::Language;
use super::{pip, toolchain, versions};
use crate::{paths, step};

const OPTIONS: [&str; 8] =
    ["-target", "wasm32-wasi", "-std=gnu11", "-O2", "-s", "-Wall", "-Wextra", "-Werror"];

pub(super) fn language() -> Language {
    Language { name: "c", recipe: versions::ZIGLANG, sources, set_up, compile }
}

fn sources(name: &str) -> Vec<PathBuf> {
    vec![paths::guest_sources().join("c").join(name).with_extension("c")]
}

fn set_up() -> Result<PathBuf> {
    let about = format!("a C compiler for WASI ({}, 100 MB to download)", versions::ZIGLANG);
    toolchain::ensure("c", versions::ZIGLANG, &about, |folder| {
        pip::install(versions::ZIGLANG, folder)
    })
}

fn compile(tools: &Path, name: &str, output: &Path) -> Result<()> {
    let scratch = paths::guest_scratch().join("zig");
    let mut zig = pip::python()?;
    zig.args(["-m", "ziglang", "cc"]).args(OPTIONS).arg("-o").arg(output).args(sources(name));
    // Its C library is compiled on first use and kept there.
    zig.env("PYTHONPATH", tools)
        .env("ZIG_GLOBAL_CACHE_DIR", &scratch)
        .env("ZIG_LOCAL_CACHE_DIR", &scratch);
    step::run(&mut zig)?;
    Ok(())
}
