//! The rows: what is measured, on both sides in the same way.

use std::{path::PathBuf, process::Stdio, time::Instant};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use wasi_sidecar::{
    Command, CommandEvent, Component, Dir, Engine, EngineConfig, Framing, ambient_authority,
};

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) rate: bool,
    pub(crate) quick: usize,
    pub(crate) full: usize,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    /// Microseconds from spawn to the first byte of output.
    FirstByte,
    /// Spawns a second with sixteen at once.
    Spawns,
    /// MiB of 80-byte lines a second, as events.
    Lines { each: bool },
    /// MiB a second of raw output in 64 KiB writes.
    Raw,
    /// Microseconds a 64-byte line takes there and back, at this share of the exchanges.
    PingPong(f64),
    /// Microseconds from a kill to the end of a computing guest.
    Kill,
}

#[derive(Clone, Copy)]
pub(crate) enum Side {
    Component,
    Native,
}

const fn time(name: &'static str, what: What, quick: usize, full: usize) -> Row {
    Row { name, unit: "µs", rate: false, quick, full, what }
}

const fn rate(
    name: &'static str,
    unit: &'static str,
    what: What,
    quick: usize,
    full: usize,
) -> Row {
    Row { name, unit, rate: true, quick, full, what }
}

pub(crate) const ROWS: &[Row; 8] = &[
    time("spawn to first byte, warm", What::FirstByte, 60, 300),
    rate("spawns, 16 in flight", "/s", What::Spawns, 5, 15),
    rate("80-byte lines, 4 KiB writes", "MiB/s", What::Lines { each: false }, 5, 15),
    rate("80-byte lines, line by line", "MiB/s", What::Lines { each: true }, 5, 15),
    rate("raw stdout, 64 KiB writes", "MiB/s", What::Raw, 5, 15),
    time("line ping-pong 64 B, p50", What::PingPong(0.5), 5, 15),
    time("line ping-pong 64 B, p99", What::PingPong(0.99), 5, 15),
    time("kill a spinning guest", What::Kill, 20, 100),
];

pub(crate) struct Bench {
    engine: Engine,
    components: std::collections::HashMap<&'static str, Component>,
}

const GUESTS: [&str; 6] = ["args", "lines", "flood", "upper", "spin", "echo"];

impl Bench {
    pub(crate) fn new() -> Result<Self> {
        let engine = Engine::new(&EngineConfig::new())?;
        let mut components = std::collections::HashMap::new();
        for name in GUESTS {
            let path = wasi_sidecar_guests::component(name)?;
            let folder = path.parent().context("a file lies in a folder")?;
            let folder = Dir::open_ambient_dir(folder, ambient_authority())?;
            let component = Component::from_file(&engine, &folder, format!("{name}.wasm"))?;
            components.insert(name, component);
        }
        Ok(Self { engine, components })
    }

    fn component(&self, guest: &str, args: &[&str]) -> Result<Command> {
        let _ = &self.engine;
        let component = self.components.get(guest).context("a guest of the list")?;
        let mut command = Command::new(component.clone());
        command.args(args);
        Ok(command)
    }

    fn native(&self, guest: &str, args: &[&str]) -> Result<tokio::process::Command> {
        let path: PathBuf = wasi_sidecar_guests::native(guest)?;
        let mut command = tokio::process::Command::new(path);
        command.args(args).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }
}

impl Row {
    pub(crate) async fn run(&self, bench: &Bench, side: Side) -> Result<f64> {
        match self.what {
            What::FirstByte => first_byte(bench, side).await,
            What::Spawns => spawns(bench, side).await,
            What::Lines { each } => lines(bench, side, each).await,
            What::Raw => raw(bench, side).await,
            What::PingPong(share) => ping_pong(bench, side, share).await,
            What::Kill => kill(bench, side).await,
        }
    }
}

fn micros(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}

async fn first_byte(bench: &Bench, side: Side) -> Result<f64> {
    let mut byte = [0];
    let begin;
    let elapsed;
    match side {
        Side::Component => {
            let command = bench.component("args", &["x"])?;
            begin = Instant::now();
            let mut child = command.spawn()?;
            child.stdout.as_mut().context("piped")?.read_exact(&mut byte).await?;
            elapsed = micros(begin);
            ensure!(child.wait().await?.success(), "it failed");
        }
        Side::Native => {
            let mut command = bench.native("args", &["x"])?;
            begin = Instant::now();
            let mut child = command.spawn()?;
            child.stdout.as_mut().context("piped")?.read_exact(&mut byte).await?;
            elapsed = micros(begin);
            ensure!(child.wait().await?.success(), "it failed");
        }
    }
    Ok(elapsed)
}

async fn spawns(bench: &Bench, side: Side) -> Result<f64> {
    const COUNT: usize = 320;
    const IN_FLIGHT: usize = 16;
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..IN_FLIGHT {
        match side {
            Side::Component => {
                let command = bench.component("args", &["x"])?;
                tasks.spawn(async move {
                    for _ in 0..COUNT / IN_FLIGHT {
                        ensure!(command.output().await?.stdout == b"x\n", "it said something else");
                    }
                    Ok(())
                });
            }
            Side::Native => {
                let mut command = bench.native("args", &["x"])?;
                tasks.spawn(async move {
                    for _ in 0..COUNT / IN_FLIGHT {
                        ensure!(command.output().await?.stdout == b"x\n", "it said something else");
                    }
                    Ok(())
                });
            }
        }
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(COUNT as f64 / begin.elapsed().as_secs_f64())
}

async fn lines(bench: &Bench, side: Side, each: bool) -> Result<f64> {
    let args: &[&str] = if each { &["50000", "80", "--each"] } else { &["200000", "80"] };
    let count = args[0];
    let expected: usize = count.parse()?;
    let begin = Instant::now();
    let mut seen = 0;
    match side {
        Side::Component => {
            let child = bench.component("lines", args)?.spawn()?;
            let (mut events, _child) = child.into_events(Framing::lines());
            while let Some(event) = events.recv().await {
                seen += usize::from(matches!(event, CommandEvent::Stdout(_)));
            }
        }
        Side::Native => {
            let mut child = bench.native("lines", args)?.spawn()?;
            let mut reader =
                BufReader::with_capacity(65_536, child.stdout.take().context("piped")?);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).await? > 0 {
                // Each line is handed over as bytes of its own, as an event is.
                std::hint::black_box(std::mem::take(&mut line));
                seen += 1;
            }
            child.wait().await?;
        }
    }
    ensure!(seen == expected, "{seen} lines of {expected}");
    Ok((expected * 80) as f64 / f64::from(1 << 20) / begin.elapsed().as_secs_f64())
}

async fn raw(bench: &Bench, side: Side) -> Result<f64> {
    const BYTES: usize = 256 << 20;
    let args = ["stdout", "268435456", "65536"];
    let begin = Instant::now();
    let mut seen = 0;
    match side {
        Side::Component => {
            let mut child = bench.component("flood", &args)?.spawn()?;
            let mut stdout = child.stdout.take().context("piped")?;
            while let Some(chunk) = stdout.chunk().await? {
                seen += chunk.len();
            }
        }
        Side::Native => {
            let mut child = bench.native("flood", &args)?.spawn()?;
            let mut stdout = child.stdout.take().context("piped")?;
            let mut buffer = vec![0; 65_536];
            loop {
                match stdout.read(&mut buffer).await? {
                    0 => break,
                    length => seen += length,
                }
            }
            child.wait().await?;
        }
    }
    ensure!(seen == BYTES, "{seen} bytes");
    Ok(BYTES as f64 / f64::from(1 << 20) / begin.elapsed().as_secs_f64())
}

async fn ping_pong(bench: &Bench, side: Side, share: f64) -> Result<f64> {
    match side {
        Side::Component => {
            let mut child = bench.component("echo", &[])?.spawn()?;
            let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
            exchange(stdin.context("piped")?, stdout.context("piped")?, share).await
        }
        Side::Native => {
            let mut child = bench.native("echo", &[])?.spawn()?;
            let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
            let result = exchange(stdin.context("piped")?, stdout.context("piped")?, share).await;
            child.wait().await?;
            result
        }
    }
}

async fn exchange(
    mut stdin: impl AsyncWrite + Unpin,
    mut stdout: impl AsyncRead + Unpin,
    share: f64,
) -> Result<f64> {
    const ROUNDS: usize = 2000;
    let line = [b'x'; 64];
    let mut answer = [0; 64];
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS + 100 {
        let begin = Instant::now();
        stdin.write_all(&line).await?;
        stdin.flush().await?;
        stdout.read_exact(&mut answer).await?;
        if round >= 100 {
            times.push(micros(begin));
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(times[((times.len() - 1) as f64 * share) as usize])
}

async fn kill(bench: &Bench, side: Side) -> Result<f64> {
    let mut said = [0; 9];
    match side {
        Side::Component => {
            let mut child = bench.component("spin", &[])?.spawn()?;
            child.stdout.as_mut().context("piped")?.read_exact(&mut said).await?;
            let begin = Instant::now();
            child.kill().await?;
            Ok(micros(begin))
        }
        Side::Native => {
            let mut child = bench.native("spin", &[])?.spawn()?;
            child.stdout.as_mut().context("piped")?.read_exact(&mut said).await?;
            let begin = Instant::now();
            child.kill().await?;
            Ok(micros(begin))
        }
    }
}
