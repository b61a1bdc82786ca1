//! What a guest times itself, so that its start does not count.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use crate::side::{Bench, Side, Take};

const FILE: usize = 32 << 20;
const SMALL: usize = 500;

/// Prepares what the guests look at.
fn prepare(folder: &Path) -> Result<()> {
    let small = folder.join("small");
    if small.is_dir() {
        return Ok(());
    }
    fs::create_dir(&small)?;
    for file in 0..SMALL {
        fs::write(small.join(format!("{file}.txt")), [b'x'; 1000])?;
    }
    fs::write(folder.join("large"), vec![b'x'; FILE])?;
    Ok(())
}

/// Runs a guest that prints how much it did and in how many nanoseconds; nanoseconds for each of so many.
async fn timed(bench: &Bench, side: Side, args: &[&str], count: usize) -> Result<f64> {
    let mut running = bench.start(side, "file-bench", args, Take::Lines)?;
    let done = running.text().await.with_context(|| format!("file-bench {args:?}"))?;
    ensure!(done.parse::<usize>()? > 0, "it did nothing");
    let nanos = running.text().await?.parse::<f64>()?;
    running.end().await?;
    Ok(nanos / count as f64)
}

pub(super) async fn files(bench: &Bench, side: Side) -> Result<Vec<f64>> {
    let host = bench.files.path();
    prepare(host)?;
    let root = if side == Side::Ours { "/files".to_owned() } else { host.display().to_string() };
    let (large, new, small) =
        (format!("{root}/large"), format!("{root}/new"), format!("{root}/small"));
    let length = FILE.to_string();
    // Nanoseconds a byte come to MiB a second.
    let rate = |nanos: f64| 1e9 / nanos / f64::from(1 << 20);
    Ok(vec![
        rate(timed(bench, side, &["read", &large, "65536"], FILE).await?),
        rate(timed(bench, side, &["write", &new, &length, "65536"], FILE).await?),
        timed(bench, side, &["open-read", &small], SMALL).await? / 1e3,
        timed(bench, side, &["stat", &small], SMALL).await? / 1e3,
        timed(bench, side, &["list", &small], SMALL).await? / 1e3,
    ])
}

pub(super) async fn compute(bench: &Bench, side: Side) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for name in ["fib", "json", "matmul", "nbody", "qsort", "sha256"] {
        bench.warm(side, "compute")?;
        let mut running = bench.start(side, "compute", &[name], Take::Lines)?;
        let result = running.text().await?;
        ensure!(!result.is_empty(), "no result");
        let nanos: f64 = running.text().await?.parse()?;
        running.end().await?;
        times.push(nanos / 1e6);
    }
    let mean = (times.iter().map(|time| time.ln()).sum::<f64>() / times.len() as f64).exp();
    times.insert(0, mean);
    Ok(times)
}
