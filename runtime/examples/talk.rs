//! Talks to a sidecar: writes a line, reads the answer, and again; then ends its input and waits.
//!
//! `cargo run -p wasi-sidecar --example talk [FILE.wasm]`
//!
//! `Child` has the shape of `tokio::process::Child`, and its streams are `AsyncRead` and `AsyncWrite`: whatever works
//! on a process works on a component.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::path::{Path, absolute};

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use wasi_sidecar::{
    ArtifactSource, Command, Component, Dir, Engine, EngineConfig, LoadOptions, ambient_authority,
};

/// Answers each line with the same line in upper case, until the end of its input.
const GUEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/guests/component/upper.wasm");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let file = std::env::args_os().nth(1).unwrap_or_else(|| GUEST.into());
    let engine = Engine::new(&EngineConfig::new())?;
    let component = load(&engine, Path::new(&file))?;

    // Returns at once: compiling goes on behind the streams, which take bytes meanwhile.
    let mut child = Command::new(component).kill_on_drop(true).spawn()?;
    let mut stdin = child.stdin.take().context("the input is a pipe")?;
    let stdout = child.stdout.take().context("the output is a pipe")?;
    let mut answers = BufReader::new(stdout).lines();

    for line in ["ping", "one more", "enough"] {
        stdin.write_all(format!("{line}\n").as_bytes()).await?;
        let answer = answers.next_line().await?.context("it ended before it answered")?;
        println!("{line} -> {answer}");
    }

    drop(stdin); // The guest reads the end of its input, and ends.
    let status = child.wait().await?;
    println!("{status}");
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
