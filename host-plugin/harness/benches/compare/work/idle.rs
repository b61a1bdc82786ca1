//! Guests that wait.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};

use crate::side::{Bench, Running, Side, Take};

/// How many wait at once. Native ones have three threads each of this process, so there are fewer.
fn count(side: Side) -> usize {
    if side == Side::Ours { 1000 } else { 200 }
}

/// Guests that have run and now wait for input.
async fn waiting(bench: &Bench, side: Side) -> Result<Vec<Running>> {
    let mut guests = Vec::new();
    for _ in 0..count(side) {
        let mut running = bench.start(side, "echo", &[], Take::Lines)?;
        running.write(b"x\n").await?;
        ensure!(running.next().await? == Some(2), "it does not answer");
        guests.push(running);
    }
    Ok(guests)
}

async fn end(guests: Vec<Running>) -> Result<()> {
    for guest in guests {
        guest.end().await?;
    }
    Ok(())
}

pub(super) async fn memory(bench: &Bench, side: Side) -> Result<Vec<f64>> {
    // What the first ones leave behind for the others is not part of one.
    end(waiting(bench, side).await?).await?;
    let before = usage()?;
    let guests = waiting(bench, side).await?;
    let after = usage()?;
    let mut memory = after.0 - before.0;
    for process in guests.iter().filter_map(Running::process) {
        memory += pss(&format!("/proc/{process}/smaps_rollup"))?;
    }
    end(guests).await?;
    let count = count(side) as f64;
    Ok(vec![memory / count, (after.1 - before.1) / count])
}

/// KiB of memory that is this process's share, and its threads.
fn usage() -> Result<(f64, f64)> {
    let threads = fs::read_dir("/proc/self/task").context("Linux has it")?.count();
    Ok((pss("/proc/self/smaps_rollup")?, threads as f64))
}

fn pss(file: &str) -> Result<f64> {
    let text = fs::read_to_string(file).with_context(|| format!("read `{file}`"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).context("it says so")?;
    Ok(line.trim_end_matches("kB").trim().parse()?)
}

pub(super) async fn wake_ups(bench: &Bench) -> Result<f64> {
    const TIME: Duration = Duration::from_secs(10);
    let guests = waiting(bench, Side::Ours).await?;
    // The ticker notices that nothing computes any more.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = switches()?;
    tokio::time::sleep(TIME).await;
    let woken = switches()? - before;
    end(guests).await?;
    Ok(woken / TIME.as_secs_f64())
}

/// How often threads of the library have gone to sleep of their own accord.
fn switches() -> Result<f64> {
    let mut switches = 0.0;
    for thread in fs::read_dir("/proc/self/task").context("Linux has it")? {
        let thread = thread?.path();
        if !fs::read_to_string(thread.join("comm"))?.starts_with("wasi-sidecar") {
            continue;
        }
        switches += voluntary(&thread)?;
    }
    Ok(switches)
}

fn voluntary(thread: &Path) -> Result<f64> {
    let status = fs::read_to_string(thread.join("status"))?;
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    Ok(line.context("it says so")?.trim().parse()?)
}
