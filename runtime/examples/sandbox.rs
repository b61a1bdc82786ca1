//! Grants a sidecar one directory to read, tries what else it can reach, and lets it run into a limit.
//!
//! `cargo run -p wasi-sidecar --example sandbox [FILE.wasm]`, where FILE.wasm is a build of the guest `fs-probe`.
//!
//! A process of `tokio::process` has all of its user's rights; a component has what is written down here.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{path::Path, time::Duration};

use anyhow::Context;
use wasi_sidecar::{
    Access, ArtifactSource, Command, CompileChild, Component, Dir, Engine, EngineConfig, Grants,
    Limits, LoadOptions, Termination, ambient_authority,
};

/// Does the file operations it is told, and reports each as a line of JSON.
const GUEST: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/guests/component/fs-probe.wasm");
/// What it may read.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

fn main() -> anyhow::Result<()> {
    // FILE.wasm may be anybody's. It is compiled by another instance of this program, within limits, which begins here.
    CompileChild::enter_if_asked();
    tokio::runtime::Runtime::new()?.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let file = std::env::args_os().nth(1).unwrap_or_else(|| GUEST.into());
    let file = std::path::absolute(Path::new(&file))?;
    let child = CompileChild::this_program(ambient_authority())?;
    let engine = Engine::new(&EngineConfig::new().compile_isolated(child))?;
    let (folder, name) = file.parent().zip(file.file_name()).context("give a .wasm file")?;
    let folder = Dir::open_ambient_dir(folder, ambient_authority())
        .context("`cargo xtask guests` builds the guests")?;
    let component =
        Component::load(&engine, ArtifactSource::file(&folder, name), LoadOptions::new())?;

    let mut command = Command::new(component);
    // The guest knows the directory as `/src`, and never learns where it is on the host.
    let capabilities = Grants::new();
    command.grants(capabilities.dir(FOLDER, "/src", Access::ReadOnly, ambient_authority())?);
    command.limits(Limits::new().memory(32 << 20).time(Duration::from_secs(2)));

    for operation in [["list", "/src"], ["create", "/src/new.txt"], ["read", "/etc/passwd"]] {
        let output = command.clone().args(operation).output().await?;
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }

    // Without arguments it reads operations from its input, which stays open here and never says one.
    let mut child = command.spawn()?;
    let _input = child.stdin.take();
    match child.wait().await?.termination() {
        Termination::OutOf(limit) => println!("stopped: out of {limit}"),
        other => println!("{other}"),
    }
    Ok(())
}
