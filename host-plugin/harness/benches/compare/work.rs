//! What is done on each side in the same way.

mod idle;
mod inside;
mod kill;
mod spawning;
mod streams;

use std::time::Instant;

use anyhow::Result;

use crate::side::{Bench, Side};
pub(crate) use kill::STATES;

#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// Microseconds from building the command to the first output.
    FirstByte(&'static str),
    /// The same in a process that has an engine and has not loaded the artifact, with machine code on disk.
    FromDisk,
    /// Spawns a second with sixteen at once, each to its end.
    Spawns,
    /// MiB of 80-byte lines a second.
    Lines { each: bool },
    /// MiB a second of output in 64 KiB writes, by the streams of WASI 0.2 or as the standard library reaches them.
    Raw { direct: bool },
    /// MiB a second that go in and come out again.
    Cat { direct: bool },
    /// Microseconds a 64-byte line takes there and back: at half of the exchanges, and at 99 %.
    PingPong,
    /// Microseconds from a kill to the end of a computing guest.
    Kill,
    /// From a kill to the end of a guest, which is in the next of many states at each run: microseconds, and the same in
    /// milliseconds.
    KillAnywhere,
    /// KiB of memory, and threads, of one among many idle guests.
    Idle,
    /// How often our threads wake in a second while a thousand guests are idle.
    WakeUps,
    /// Calls on files, timed by the guest: MiB/s read, MiB/s written, microseconds an opened and read file, a `stat`, a listed
    /// entry.
    Files,
    /// Milliseconds of computing, timed by the guest: the geometric mean, and each.
    Compute,
    /// Milliseconds of compiling a guest in a new engine.
    FirstCompile(&'static str),
}

impl Work {
    /// One value for each metric of the row.
    pub(crate) async fn run(self, bench: &Bench, side: Side) -> Result<Vec<f64>> {
        Ok(match self {
            Self::FirstByte(guest) => vec![spawning::first_byte(bench, side, guest).await?],
            Self::FromDisk => vec![spawning::from_disk(bench, side).await?],
            Self::Spawns => vec![spawning::spawns(bench, side).await?],
            Self::Lines { each } => vec![streams::lines(bench, side, each).await?],
            Self::Raw { direct } => vec![streams::raw(bench, side, direct).await?],
            Self::Cat { direct } => vec![streams::cat(bench, side, direct).await?],
            Self::PingPong => streams::ping_pong(bench, side).await?,
            Self::Kill => vec![spawning::kill(bench, side).await?],
            Self::KillAnywhere => kill::anywhere(bench, side).await?,
            Self::Idle => idle::memory(bench, side).await?,
            Self::WakeUps => vec![idle::wake_ups(bench).await?],
            Self::Files => inside::files(bench, side).await?,
            Self::Compute => inside::compute(bench, side).await?,
            Self::FirstCompile(guest) => vec![bench.compile(side, guest).await? * 1e3],
        })
    }
}

fn micros(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}

/// MiB a second.
fn rate(bytes: usize, since: Instant) -> f64 {
    bytes as f64 / f64::from(1 << 20) / since.elapsed().as_secs_f64()
}
