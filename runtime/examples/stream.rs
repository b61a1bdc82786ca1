//! Starts a sidecar and takes what it writes as events, line by line.
//!
//! `cargo run -p wasi-sidecar --example stream [FILE.wasm [ARGUMENT…]]`
//!
//! With `tokio::process` one reads two pipes and waits for an end; here the three are one stream of events, and
//! `Terminated` is the last of them.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::path::{Path, absolute};

use anyhow::Context;
use wasi_sidecar::{
    ArtifactSource, Command, CommandEvent, Component, Dir, Engine, EngineConfig, Framing,
    LoadOptions, ambient_authority,
};

/// Writes numbered lines to standard output and standard error in turn.
const GUEST: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/guests/component/interleave.wasm");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args_os().skip(1);
    let (file, args) = match args.next() {
        Some(file) => (file, args.collect()),
        None => (GUEST.into(), vec!["3".into()]),
    };
    // One engine per application: it owns the compiler's settings and the threads guests run on.
    let engine = Engine::new(&EngineConfig::new())?;
    let component = load(&engine, Path::new(&file))?;

    let (mut events, mut child) =
        Command::new(component).args(args).spawn()?.into_events(Framing::lines());
    child.close_stdin();
    while let Some(event) = events.recv().await {
        match event {
            CommandEvent::Stdout(line) => print!("stdout: {}", String::from_utf8_lossy(&line)),
            CommandEvent::Stderr(line) => print!("stderr: {}", String::from_utf8_lossy(&line)),
            CommandEvent::Error(text) => println!("error: {text}"),
            CommandEvent::Terminated(end) => {
                println!("code {:?}, signal {:?}", end.code, end.signal)
            }
            _ => {}
        }
    }
    Ok(())
}

/// Loads a component from its file. Opening the folder is the one step that uses its user's rights.
fn load(engine: &Engine, path: &Path) -> anyhow::Result<Component> {
    let path = absolute(path)?;
    let (folder, name) = path.parent().zip(path.file_name()).context("give a .wasm file")?;
    let hint = || format!("{} (`cargo xtask guests` builds the guests)", path.display());
    let folder = Dir::open_ambient_dir(folder, ambient_authority()).with_context(hint)?;
    Component::load(engine, ArtifactSource::file(&folder, name), LoadOptions::new())
        .with_context(hint)
}
