//! Starting and ending.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tokio::task::JoinSet;
use wasi_sidecar::{
    ArtifactSource, CodeCache, CodeOrigin, Command, Component, Engine, EngineConfig, LoadOptions,
    ambient_authority,
};

use super::micros;
use crate::side::{Bench, Side, Take, guest, ours, shell, tokio as processes};

/// What a guest is given, so that it says something at once.
fn arguments(guest: &str) -> &'static [&'static str] {
    match guest {
        "args" => &["x"],
        "sqlite" => &["--hello"],
        _ => &[],
    }
}

pub(super) async fn first_byte(bench: &Bench, side: Side, guest: &str) -> Result<f64> {
    bench.warm(side, guest)?;
    let begin = Instant::now();
    let mut running = bench.start(side, guest, arguments(guest), Take::Lines)?;
    ensure!(running.next().await?.is_some(), "it says nothing");
    let elapsed = micros(begin);
    running.end().await?;
    Ok(elapsed)
}

pub(super) async fn from_disk(bench: &Bench, side: Side) -> Result<f64> {
    if side != Side::Ours {
        return first_byte(bench, side, "args").await;
    }
    let wasm = guest("args")?.wasm;
    let open = || {
        let folder = bench.files.path();
        let cache =
            CodeCache::open(&folder.join("code"), &folder.join("keys"), ambient_authority())?;
        Engine::new(&EngineConfig::new().code_cache(cache))
    };
    let load = |engine: &Engine| {
        Component::load(
            engine,
            ArtifactSource::path(&wasm, ambient_authority()),
            LoadOptions::new(),
        )
    };
    // Fills the cache the first time.
    load(&open()?)?.compile().await?;
    let engine = open()?;
    let begin = Instant::now();
    let component = load(&engine)?;
    let mut child = Command::new(component.clone()).args(arguments("args")).spawn()?;
    let mut stdout = child.stdout.take().context("piped")?;
    ensure!(stdout.chunk().await?.is_some(), "it says nothing");
    let elapsed = micros(begin);
    ensure!(child.wait().await?.success(), "it failed");
    ensure!(component.code_origin() == Some(CodeOrigin::Cache), "it was compiled");
    Ok(elapsed)
}

pub(super) async fn spawns(bench: &Bench, side: Side) -> Result<f64> {
    const COUNT: usize = 480;
    const IN_FLIGHT: usize = 16;
    bench.warm(side, "args")?;
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    let mut started = 0;
    while started < COUNT || !tasks.is_empty() {
        while started < COUNT && tasks.len() < IN_FLIGHT {
            start_one(bench, side, &mut tasks)?;
            started += 1;
        }
        if let Some(output) = tasks.join_next().await {
            // The shell plugin adds a line end of its own.
            ensure!(output??.starts_with(b"x\n"), "it said something else");
        }
    }
    Ok(COUNT as f64 / begin.elapsed().as_secs_f64())
}

fn start_one(bench: &Bench, side: Side, tasks: &mut JoinSet<Result<Vec<u8>>>) -> Result<()> {
    match side {
        Side::Ours => {
            let command = ours::command(bench, "args", &["x"])?;
            tasks.spawn(async { Ok(command.output().await?.stdout) });
        }
        Side::Shell => {
            let command = shell::command(bench, &guest("args")?, &["x"]);
            tasks.spawn(async { Ok(command.output().await?.stdout) });
        }
        Side::Tokio => {
            let mut command = processes::command(&guest("args")?, &["x"]);
            tasks.spawn(async move { Ok(command.output().await?.stdout) });
        }
        Side::Bare => {
            let mut running = bench.start(side, "args", &["x"], Take::Lines)?;
            tasks.spawn(async move {
                let line = running.text().await?;
                running.end().await?;
                Ok(format!("{line}\n").into_bytes())
            });
        }
    }
    Ok(())
}

pub(super) async fn kill(bench: &Bench, side: Side) -> Result<f64> {
    let mut running = bench.start(side, "spin", &[], Take::Lines)?;
    ensure!(running.next().await?.is_some(), "it says nothing");
    let begin = Instant::now();
    running.kill().await?;
    Ok(micros(begin))
}
