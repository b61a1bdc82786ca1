//! The hot paths alone, for a profiler to look at: `hot NAME [TIMES]`, where NAME is one of those in [`PATHS`].
//!
//! What they cost beside native programs is measured by `cargo xtask bench`; where it goes, by running this under `perf`.
//! `docs/profile.md` says how, and what was found.

#![allow(clippy::print_stdout, reason = "a time is what it is for")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc::Receiver,
    task::JoinSet,
};
use wasi_sidecar::{
    ArtifactSource, CodeCache, Command, CommandEvent, Component, Engine, EngineConfig, Framing,
    LoadOptions, ambient_authority,
};

/// Name, and how often it is done if nothing is said.
const PATHS: [(&str, usize); 13] = [
    ("load", 500),
    ("spawn", 5_000),
    ("spawns", 20_000),
    ("first-byte", 1_000),
    ("lines", 2_000_000),
    ("lines-each", 1_000_000),
    ("raw", 65_536),
    ("bulk", 65_536),
    ("bulk-events", 65_536),
    ("copy", 16_384),
    ("ping-pong", 200_000),
    ("answers", 200_000),
    ("kill", 2_000),
];

#[tokio::main]
async fn main() -> Result<()> {
    // `--bench` is cargo's own.
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let Some(name) = args.next() else {
        println!("one of: {}", PATHS.map(|(name, _)| name).join(", "));
        return Ok(());
    };
    let usual = PATHS.iter().find(|(path, _)| *path == name).context("no such path")?.1;
    let times = args.next().map_or(Ok(usual), |times| times.parse())?;
    if name == "load" {
        return load(times).await;
    }
    let engine = Engine::new(&EngineConfig::new())?;
    let guest = async |name: &str| -> Result<Component> {
        let path = wasi_sidecar_guests::component(name)?;
        let component = Component::load(
            &engine,
            ArtifactSource::path(path, ambient_authority()),
            LoadOptions::new(),
        )?;
        component.compile().await?;
        Ok(component)
    };
    let command = match &*name {
        "spawn" | "spawns" | "first-byte" => Command::new(guest("args").await?).arg("x").clone(),
        "lines" => Command::new(guest("lines").await?).args([&times.to_string(), "80"]).clone(),
        "lines-each" => {
            Command::new(guest("lines").await?).args([&times.to_string(), "80", "--each"]).clone()
        }
        "raw" => {
            let bytes = (times * 65_536).to_string();
            Command::new(guest("flood").await?).args(["stdout", &bytes, "65536"]).clone()
        }
        "bulk" | "bulk-events" => {
            let bytes = (times * 65_536).to_string();
            Command::new(guest("bulk").await?).args(["write", &bytes, "65536"]).clone()
        }
        "copy" => Command::new(guest("bulk").await?).arg("copy").clone(),
        "ping-pong" | "answers" => Command::new(guest("echo").await?),
        _ => Command::new(guest("spin").await?),
    };
    let begin = Instant::now();
    match &*name {
        "spawn" => spawn(&command, times).await?,
        "spawns" => spawns(&command, times).await?,
        "first-byte" => first_byte(&command, times).await?,
        "lines" | "lines-each" => lines(&command, times).await?,
        "raw" | "bulk" => raw(&command, times).await?,
        "bulk-events" => bulk_events(&command, times).await?,
        "copy" => copy(&command, times).await?,
        "ping-pong" => ping_pong(&command, times).await?,
        "answers" => answers(&command, times).await?,
        "kill" => kill(&command, times).await?,
        _ => bail!("no such path"),
    }
    let one = begin.elapsed() / u32::try_from(times)?;
    println!("{name}: {one:?} each of {times}");
    Ok(())
}

/// An artifact whose machine code is in the cache, loaded and run to its first output.
async fn load(times: usize) -> Result<()> {
    let place = tempfile::tempdir()?;
    let (code, keys) = (place.path().join("code"), place.path().join("keys"));
    let cache = CodeCache::open(&code, &keys, ambient_authority())?;
    let engine = Engine::new(&EngineConfig::new().code_cache(cache))?;
    let path = wasi_sidecar_guests::component("args")?;
    let load = || {
        Component::load(
            &engine,
            ArtifactSource::path(&path, ambient_authority()),
            LoadOptions::new(),
        )
    };
    load()?.compile().await?;
    let begin = Instant::now();
    for _ in 0..times {
        let mut child = Command::new(load()?).arg("x").spawn()?;
        child.stdout.as_mut().context("piped")?.read_exact(&mut [0; 2]).await?;
        child.wait().await?;
    }
    println!("load: {:?} each of {times}", begin.elapsed() / u32::try_from(times)?);
    Ok(())
}

/// One after the other, to the first output and the end.
async fn spawn(command: &Command, times: usize) -> Result<()> {
    for _ in 0..times {
        let (mut events, _child) = command.spawn()?.into_events(Framing::lines());
        ensure!(matches!(events.recv().await, Some(CommandEvent::Stdout(_))), "it says nothing");
        while events.recv().await.is_some() {}
    }
    Ok(())
}

/// To the first output, when the process has had nothing to do for a moment: what a start costs that somebody asked for.
async fn first_byte(command: &Command, times: usize) -> Result<()> {
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let begin = Instant::now();
        let (mut events, _child) = command.spawn()?.into_events(Framing::lines());
        ensure!(matches!(events.recv().await, Some(CommandEvent::Stdout(_))), "it says nothing");
        taken.push(begin.elapsed());
        while events.recv().await.is_some() {}
    }
    taken.sort();
    println!(
        "first-byte: half within {:?}, 90 % within {:?}",
        taken[times / 2],
        taken[times * 9 / 10]
    );
    Ok(())
}

/// Sixteen at once.
async fn spawns(command: &Command, times: usize) -> Result<()> {
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let command = command.clone();
        tasks.spawn(async move {
            for _ in 0..times / 16 {
                ensure!(command.output().await?.stdout == b"x\n", "it says something else");
            }
            Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(())
}

async fn lines(command: &Command, times: usize) -> Result<()> {
    let (mut events, _child) = command.spawn()?.into_events(Framing::lines());
    let mut seen = 0;
    while let Some(event) = events.recv().await {
        seen += usize::from(matches!(event, CommandEvent::Stdout(_)));
    }
    ensure!(seen == times, "{seen} lines");
    Ok(())
}

async fn raw(command: &Command, times: usize) -> Result<()> {
    let mut child = command.spawn()?;
    let mut stdout = child.stdout.take().context("piped")?;
    let mut seen = 0;
    while let Some(chunk) = stdout.chunk().await? {
        seen += chunk.len();
    }
    ensure!(seen == times * 65_536, "{seen} bytes");
    Ok(())
}

/// How many bytes the events of standard output have, to the end.
async fn bytes_of(events: &mut Receiver<CommandEvent>) -> usize {
    let mut seen = 0;
    while let Some(event) = events.recv().await {
        if let CommandEvent::Stdout(bytes) = event {
            seen += bytes.len();
        }
    }
    seen
}

async fn bulk_events(command: &Command, times: usize) -> Result<()> {
    let (mut events, _child) = command.spawn()?.into_events(Framing::Raw);
    let seen = bytes_of(&mut events).await;
    ensure!(seen == times * 65_536, "{seen} bytes");
    Ok(())
}

/// Into the guest and out of it again, written by a task of its own.
async fn copy(command: &Command, times: usize) -> Result<()> {
    let (mut events, mut child) = command.spawn()?.into_events(Framing::Raw);
    let writing = tokio::spawn(async move {
        let block = vec![b'x'; 65_536];
        for _ in 0..times {
            child.write(&block).await?;
        }
        anyhow::Ok(())
    });
    let seen = bytes_of(&mut events).await;
    writing.await??;
    ensure!(seen == times * 65_536, "{seen} bytes");
    Ok(())
}

async fn ping_pong(command: &Command, times: usize) -> Result<()> {
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take().context("piped")?;
    let mut stdout = child.stdout.take().context("piped")?;
    let mut answer = [0; 64];
    for _ in 0..times {
        stdin.write_all(&[b'x'; 64]).await?;
        stdout.read_exact(&mut answer).await?;
    }
    Ok(())
}

/// A line there and back, as events: what most of them take, and what a few do.
async fn answers(command: &Command, times: usize) -> Result<()> {
    let (mut events, mut child) = command.spawn()?.into_events(Framing::lines());
    let mut line = [b'x'; 64];
    line[63] = b'\n';
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let begin = Instant::now();
        child.write(&line).await?;
        ensure!(matches!(events.recv().await, Some(CommandEvent::Stdout(_))), "no answer");
        taken.push(begin.elapsed());
    }
    taken.sort();
    let part = |of: usize| taken[times * of / 1000];
    println!(
        "answers: half within {:?}, 99 % within {:?}, 99.9 % within {:?}",
        part(500),
        part(990),
        part(999)
    );
    Ok(())
}

async fn kill(command: &Command, times: usize) -> Result<()> {
    for _ in 0..times {
        let mut child = command.spawn()?;
        child.stdout.as_mut().context("piped")?.read_exact(&mut [0; 9]).await?;
        child.kill().await?;
    }
    Ok(())
}
