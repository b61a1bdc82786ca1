//! How often the hot paths allocate: a guard against a copy or a box that creeps into them, which no timing on a shared machine
//! would show.
//!
//! A figure here is what was counted when it was written. One that grows by more than [`MARGIN`] fails; one that shrinks by
//! half fails as well, so that the figure follows. Alone in its test binary: everything in the process is counted.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wasi_sidecar::{
    ArtifactSource, Command, CommandEvent, Component, Engine, EngineConfig, Framing, LoadOptions,
    ambient_authority,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What a count may exceed its figure by: how bytes are split into chunks depends on who was faster.
const MARGIN: f64 = 0.25;

/// Allocations of one spawn, from the command to its collected output.
const SPAWN: f64 = 90.0;

/// Allocations of a line of 80 bytes as an event.
const LINE: f64 = 1.15;

/// Allocations of a line there and back.
const PING_PONG: f64 = 14.0;

#[tokio::test]
async fn hot_paths_allocate_as_often_as_they_did() {
    let engine = Engine::new(&EngineConfig::new()).expect("an engine");
    let command = async |name: &str| {
        let path = wasi_sidecar_guests::component(name).expect("built");
        let component = Component::load(
            &engine,
            ArtifactSource::path(path, ambient_authority()),
            LoadOptions::new(),
        );
        let component = component.expect("loaded");
        component.compile().await.expect("compiled");
        Command::new(component)
    };
    let (mut args, mut lines) = (command("args").await, command("lines").await);
    let echo = command("echo").await;
    args.arg("x");
    lines.args(["13107", "80"]);
    let mut wrong = Vec::new();
    let mut check = |what: &str, counted: f64, figure: f64| {
        if counted > figure * (1.0 + MARGIN) || counted < figure * 0.5 {
            wrong.push(format!(
                "{what}: {counted:.2} allocations, and {figure} were counted before"
            ));
        }
    };

    // The first ones of a kind set up what the others find.
    spawns(&args, 20).await;
    check("a spawn", spawns(&args, 200).await / 200.0, SPAWN);
    one_megabyte(&lines).await;
    check("a line", one_megabyte(&lines).await / 13107.0, LINE);
    ping_pongs(&echo, 100).await;
    check("there and back", ping_pongs(&echo, 1000).await / 1000.0, PING_PONG);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

async fn spawns(command: &Command, times: usize) -> f64 {
    let region = Region::new(ALLOCATOR);
    for _ in 0..times {
        let output = command.output().await.expect("it runs");
        assert_eq!(output.stdout, b"x\n");
    }
    allocations(&region)
}

/// A megabyte of lines, as events.
async fn one_megabyte(command: &Command) -> f64 {
    let region = Region::new(ALLOCATOR);
    let (mut events, _child) = command.spawn().expect("it starts").into_events(Framing::lines());
    let mut seen = 0;
    while let Some(event) = events.recv().await {
        seen += usize::from(matches!(event, CommandEvent::Stdout(_)));
    }
    assert_eq!(seen, 13107);
    allocations(&region)
}

async fn ping_pongs(command: &Command, times: usize) -> f64 {
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    let mut stdout = child.stdout.take().expect("piped");
    let mut answer = [0; 64];
    let region = Region::new(ALLOCATOR);
    for _ in 0..times {
        stdin.write_all(&[b'x'; 64]).await.expect("it reads");
        stdout.read_exact(&mut answer).await.expect("it answers");
    }
    let counted = allocations(&region);
    drop(stdin);
    assert!(child.wait().await.expect("it ends").success());
    counted
}

/// What was allocated or made larger.
fn allocations(region: &Region<'_, System>) -> f64 {
    let change = region.change();
    (change.allocations + change.reallocations) as f64
}
