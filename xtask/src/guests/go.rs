//! Go, whose own compiler makes preview1 modules.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::others::Language;
use super::{pip, toolchain, versions};
use crate::{paths, step};

const COMPILER: &str = "a Go compiler";

pub(super) fn language() -> Language {
    Language {
        name: "go",
        recipe: versions::GO,
        compiler: (COMPILER, versions::GO_MB),
        key: || Ok(versions::GO.to_owned()),
        sources,
        set_up,
        compile,
    }
}

fn sources(name: &str) -> Vec<PathBuf> {
    let module = paths::guest_sources().join("go");
    vec![module.join("go.mod"), module.join(name).join("main.go")]
}

fn set_up() -> Result<PathBuf> {
    let about = format!("{COMPILER} ({}, {} MB to download)", versions::GO, versions::GO_MB);
    toolchain::ensure("go", versions::GO, &about, |folder| pip::install(versions::GO, folder))
}

fn compile(tools: &Path, name: &str, output: &Path) -> Result<()> {
    let root = tools.join("go");
    let program = root.join("bin/go").with_extension(std::env::consts::EXE_EXTENSION);
    let mut go = step::command(program);
    go.current_dir(paths::guest_sources().join("go"));
    go.args(["build", "-trimpath", "-ldflags=-s -w", "-o"]).arg(output).arg(format!("./{name}"));
    go.env("GOROOT", root).env("GOOS", "wasip1").env("GOARCH", "wasm");
    // This compiler and no other, no settings of the user's, and nothing to download: there are no dependencies.
    go.env("GOTOOLCHAIN", "local")
        .env("GOENV", "off")
        .env("GOFLAGS", "")
        .env("GOWORK", "off")
        .env("GOPROXY", "off");
    go.env("GOCACHE", paths::guest_scratch().join("go-cache"))
        .env("GOPATH", paths::guest_scratch().join("go-path"));
    step::run(&mut go)?;
    Ok(())
}
