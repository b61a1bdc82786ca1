//! Everything at once, for a long time: `cargo xtask soak [--minutes N] [--seed SEED] [--json FILE]`.
//!
//! Several tasks play [`scenes`](scenes::Scene) that chance picks: spawns, floods, kills, traps, big lines, memory, directories,
//! engines that come and go while somebody damages their code cache. Each outcome is checked as it comes. In the end, when
//! all of it is over, the process has to hold what it held before ([`held::Held`]).
//!
//! "Before" is after a warm-up of the same mix: threads, arenas of the allocator, places of the pool and what libraries keep
//! of `/proc` are made when they are first used, and are no leak. The seed is said, and with it the same scenes come in each
//! task in the same order; when they meet is up to the machine.

#![allow(clippy::disallowed_methods, reason = "its own files, and those of the guests it runs")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table is what it is for")]

mod held;
mod outcome;
mod random;
mod scenes;
mod world;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tokio::{task::JoinSet, time::timeout};

use held::Held;
use random::Random;
use scenes::Scene;
use world::World;

/// Scenes at once: several for each core of a small machine, so that they meet in all states, and few enough that a
/// scene's own deadline means something.
const TASKS: usize = 10;

/// As many guests as the pool has places, and some: each place that was ever used keeps memory, so that all of them have to
/// have been used before the baseline.
const ALL_PLACES: usize = 80;

/// Of the time that was asked for, this part is warm-up, within these bounds in seconds. Memory was seen to grow for the
/// first forty seconds or so, while arenas find their size, and not after that.
const WARM_UP: (f64, f64, f64) = (0.2, 45.0, 90.0);

/// Longest a scene may take. Far beyond what it does, so that it only ever decides between slow and never.
const NEVER: Duration = Duration::from_secs(120);

/// How often it says that it is alive.
const PROGRESS: Duration = Duration::from_secs(10);

/// Threads of this program that nobody needs end after so long, which is why those that are left are the library's.
const IDLE_THREAD: Duration = Duration::from_millis(500);

/// How long the process must hold the same for that to be the baseline.
const SETTLED: Duration = Duration::from_secs(2);

/// Longest wait for the process to be back at its baseline: guests that were given up end a little later.
const PATIENCE: Duration = Duration::from_secs(30);

struct Options {
    minutes: f64,
    seed: u64,
    json: Option<String>,
}

fn options() -> Result<Options> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    // Short enough to be typed again.
    let mut options =
        Options { minutes: 10.0, seed: now.as_micros() as u64 % 1_000_000, json: None };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("`{arg}` needs a value"));
        match &*arg {
            "--minutes" => {
                options.minutes = value()?.parse().context("`--minutes` needs a number")?
            }
            "--seed" => options.seed = value()?.parse().context("`--seed` needs a number")?,
            "--json" => options.json = Some(value()?),
            // Cargo's own.
            "--bench" => {}
            _ => bail!("`{arg}` is not known; there are --minutes N, --seed SEED, --json FILE"),
        }
    }
    ensure!(options.minutes > 0.0, "`--minutes` needs a number above 0");
    Ok(options)
}

fn main() -> std::process::ExitCode {
    let soaked = options().and_then(|options| {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(4).enable_all().thread_keep_alive(IDLE_THREAD);
        runtime.build()?.block_on(soak(&options))
    });
    match soaked {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// How often each scene was played.
type Played = Arc<Mutex<BTreeMap<String, u64>>>;

async fn soak(options: &Options) -> Result<()> {
    println!("seed {}, {} minutes, {TASKS} tasks", options.seed, options.minutes);
    let mut random = Random::new(options.seed);
    let world = Arc::new(World::new().await?);
    let time = options.minutes * 60.0;
    let (part, least, most) = WARM_UP;
    let warm_up = Duration::from_secs_f64((time * part).clamp(least, most));

    scenes::crowd(&world, &mut random, ALL_PLACES).await.context("all places of the pool")?;
    mix(&world, &mut random, warm_up, &Played::default()).await.context("the warm-up")?;
    let before = settled().await?;
    println!("baseline: {before}");

    let (played, begin) = (Played::default(), Instant::now());
    mix(&world, &mut random, Duration::from_secs_f64(time), &played).await?;
    let seconds = begin.elapsed().as_secs_f64();
    let after = back_at(&before).await?;

    let played = played.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let said: Vec<_> = played.iter().map(|(scene, times)| format!("{scene} {times}")).collect();
    println!("scenes: {}", said.join(", "));
    let count =
        |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed);
    let cache = json!({
        "damaged": count(&world.damaged), "loaded": count(&world.from_cache), "compiled": count(&world.compiled_anew),
    });
    println!(
        "code cache: {} times damaged, {} times loaded from, {} times compiled instead",
        cache["damaged"], cache["loaded"], cache["compiled"]
    );
    for line in held::table(&before, &after) {
        println!("{line}");
    }
    if let Some(file) = &options.json {
        let result = json!({
            "seed": options.seed, "minutes": options.minutes, "seconds": seconds, "tasks": TASKS,
            "scenes": played, "cache": cache, "held": held::json(&before, &after),
        });
        std::fs::write(file, format!("{result:#}\n")).with_context(|| format!("write `{file}`"))?;
    }
    // What there was to keep until now is what the counts are of.
    drop(world);
    ensure!(after.is_back_at(&before), "the process holds more than at its baseline");
    Ok(())
}

/// Plays scenes in all tasks for so long, and then to the end of those that have begun.
async fn mix(
    world: &Arc<World>,
    random: &mut Random,
    time: Duration,
    played: &Played,
) -> Result<()> {
    let begin = Instant::now();
    let damage = {
        let (world, random) = (Arc::clone(world), random.fork());
        tokio::spawn(async move { world.damage(random).await })
    };
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (world, played, mut random) = (Arc::clone(world), Arc::clone(played), random.fork());
        tasks.spawn(async move {
            while begin.elapsed() < time {
                let scene = Scene::any(&mut random);
                let outcome = timeout(NEVER, scene.play(&world, &mut random)).await;
                let outcome = outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("it does not end")));
                outcome.with_context(|| format!("{scene:?} in task {task}"))?;
                let mut played = played.lock().unwrap_or_else(PoisonError::into_inner);
                *played.entry(format!("{scene:?}")).or_default() += 1;
            }
            anyhow::Ok(())
        });
    }
    let mut progress = tokio::time::interval(PROGRESS);
    progress.tick().await;
    let outcome = loop {
        tokio::select! {
            task = tasks.join_next() => match task {
                None => break Ok(()),
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => break Err(error),
                Some(Err(panic)) => break Err(panic.into()),
            },
            _ = progress.tick() => {
                let scenes: u64 = played.lock().unwrap_or_else(PoisonError::into_inner).values().sum();
                println!("{:>5.0} s  {scenes:>8} scenes  {}", begin.elapsed().as_secs_f64(), Held::now()?);
            }
        }
    };
    damage.abort();
    outcome
}

/// What the process holds once that does not change any more.
async fn settled() -> Result<Held> {
    let begin = Instant::now();
    let (mut last, mut since) = (Held::now()?, Instant::now());
    while since.elapsed() < SETTLED {
        ensure!(begin.elapsed() < PATIENCE, "the process does not settle: {last}");
        tokio::time::sleep(SETTLED / 20).await;
        let now = Held::now()?;
        let same = (now.descriptors, now.threads) == (last.descriptors, last.threads);
        if !same {
            since = Instant::now();
        }
        last = now;
    }
    Ok(last)
}

/// What it holds at the end: settled, and waited for if that is not back yet.
async fn back_at(before: &Held) -> Result<Held> {
    let begin = Instant::now();
    loop {
        let now = settled().await?;
        if now.is_back_at(before) || begin.elapsed() > PATIENCE {
            return Ok(now);
        }
    }
}
