//! C, compiled by Zig to preview1 modules.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Language;
use crate::system::{paths, process};
use crate::toolchains::{pip, versions::ZIG, zig};

const OPTIONS: [&str; 8] =
    ["-target", "wasm32-wasi", "-std=gnu11", "-O2", "-s", "-Wall", "-Wextra", "-Werror"];

pub(crate) fn language() -> Language {
    Language {
        name: "c",
        recipe: ZIG.requirement,
        compiler: (ZIG.about, ZIG.megabytes),
        key: || Ok(ZIG.requirement.to_owned()),
        sources,
        install: || pip::ensure(&ZIG),
        compile,
    }
}

fn sources(name: &str) -> Vec<PathBuf> {
    vec![paths::guest_sources().join("c").join(name).with_extension("c")]
}

fn compile(compiler: &Path, name: &str, output: &Path) -> Result<()> {
    let mut zig = pip::python()?;
    zig.args(["-m", "ziglang", "cc"]).args(OPTIONS).arg("-o").arg(output).args(sources(name));
    process::run(zig::set_cache(zig.env("PYTHONPATH", compiler)))?;
    Ok(())
}
