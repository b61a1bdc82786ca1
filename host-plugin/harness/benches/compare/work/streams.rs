//! Bytes out of a guest, and there and back.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{micros, rate};
use crate::side::{Bench, Side, Take};

pub(super) async fn lines(bench: &Bench, side: Side, each: bool) -> Result<f64> {
    bench.warm(side, "lines")?;
    // As many as take each side some tenths of a second.
    let count = match (side, each) {
        (Side::Ours, false) => 400_000,
        (Side::Tokio | Side::Bare, false) => 100_000,
        (_, false) => 10_000,
        (Side::Ours, true) => 200_000,
        (_, true) => 20_000,
    };
    let number = format!("{count}");
    let args: &[&str] = if each { &[&number, "80", "--each"] } else { &[&number, "80"] };
    let begin = Instant::now();
    let mut running = bench.start(side, "lines", args, Take::Lines)?;
    let mut seen = 0;
    while let Some(length) = running.next().await? {
        ensure!(length == 80, "a line of {length} bytes");
        seen += 1;
    }
    let rate = rate(count * 80, begin);
    ensure!(seen == count, "{seen} lines of {count}");
    running.end().await.or_else(ended)?;
    Ok(rate)
}

/// After the end there is none that could be waited for.
fn ended(error: anyhow::Error) -> Result<()> {
    if error.to_string() == "the events end without `Terminated`" { Ok(()) } else { Err(error) }
}

/// By the streams of WASI 0.2, or as the standard library reaches them.
pub(super) async fn raw(bench: &Bench, side: Side, direct: bool) -> Result<f64> {
    let name = if direct { "bulk" } else { "flood" };
    bench.warm(side, name)?;
    let bytes: usize = match (side, direct) {
        (Side::Ours, true) => 1 << 30,
        (Side::Ours, false) => 256 << 20,
        _ => 32 << 20,
    };
    let number = format!("{bytes}");
    let args = [if direct { "write" } else { "stdout" }, &number, "65536"];
    let begin = Instant::now();
    let mut running = bench.start(side, name, &args, Take::Raw)?;
    let mut seen = 0;
    while let Some(length) = running.next().await? {
        seen += length;
    }
    let rate = rate(bytes, begin);
    ensure!(seen == bytes, "{seen} bytes of {bytes}");
    running.end().await.or_else(ended)?;
    Ok(rate)
}

/// As [`raw`].
pub(super) async fn cat(bench: &Bench, side: Side, direct: bool) -> Result<f64> {
    const BLOCK: usize = 64 << 10;
    let (name, arg) = if direct { ("bulk", "copy") } else { ("echo", "65536") };
    bench.warm(side, name)?;
    let times = match (side, direct) {
        (Side::Ours, true) => 8192,
        (Side::Ours, false) => 1024,
        _ => 512,
    };
    let begin = Instant::now();
    let running = bench.start(side, name, &[arg], Take::Raw)?;
    let seen = running.exchange(vec![b'x'; BLOCK], times).await?;
    let rate = rate(BLOCK * times, begin);
    ensure!(seen == BLOCK * times, "{seen} bytes came back");
    Ok(rate)
}

pub(super) async fn ping_pong(bench: &Bench, side: Side) -> Result<Vec<f64>> {
    const ROUNDS: usize = 2000;
    const WARM_UP: usize = 200;
    let mut line = [b'x'; 64];
    line[63] = b'\n';
    let mut running = bench.start(side, "echo", &[], Take::Lines)?;
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS + WARM_UP {
        let begin = Instant::now();
        running.write(&line).await?;
        ensure!(running.next().await? == Some(64), "another line came back");
        if round >= WARM_UP {
            times.push(micros(begin));
        }
    }
    running.end().await?;
    times.sort_by(f64::total_cmp);
    Ok([0.5, 0.99].map(|part| times[((ROUNDS - 1) as f64 * part) as usize]).into())
}
