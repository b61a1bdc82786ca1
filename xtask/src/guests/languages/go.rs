//! Go, compiled by its own compiler to preview1 modules.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Language;
use crate::system::{paths, process};
use crate::toolchains::{pip, versions::GO};

pub(crate) fn language() -> Language {
    Language {
        name: "go",
        recipe: GO.requirement,
        compiler: (GO.about, GO.megabytes),
        key: || Ok(GO.requirement.to_owned()),
        sources,
        install: || pip::ensure(&GO),
        compile,
    }
}

fn sources(name: &str) -> Vec<PathBuf> {
    let module = paths::guest_sources().join("go");
    vec![module.join("go.mod"), module.join(name).join("main.go")]
}

fn compile(compiler: &Path, name: &str, output: &Path) -> Result<()> {
    let root = compiler.join("go");
    let program = root.join("bin/go").with_extension(std::env::consts::EXE_EXTENSION);
    let mut go = process::command(program);
    go.current_dir(paths::guest_sources().join("go"));
    go.args(["build", "-trimpath", "-ldflags=-s -w", "-o"]).arg(output).arg(format!("./{name}"));
    go.env("GOROOT", root).env("GOOS", "wasip1").env("GOARCH", "wasm");
    // Only this compiler, without the user's settings. The guests have no dependencies to download.
    let isolated = [("GOTOOLCHAIN", "local"), ("GOENV", "off"), ("GOFLAGS", ""), ("GOWORK", "off")];
    go.envs(isolated).env("GOPROXY", "off");
    go.env("GOCACHE", paths::guest_scratch().join("go-cache"))
        .env("GOPATH", paths::guest_scratch().join("go-path"));
    process::run(&mut go)?;
    Ok(())
}
