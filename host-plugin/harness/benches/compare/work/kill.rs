//! Kills, in whatever state a guest is, against SIGKILL of its native fallback in the same state.
//!
//! What is timed goes from the kill to the end that is told: for ours to `Terminated`, before which comes what was written.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::micros;
use crate::side::{Bench, Running, Side, Take};

/// How many states there are, so that a row can go through all of them equally often.
pub(crate) const STATES: usize = ALL.len();

const ALL: [State; 8] = [
    State::Starting,
    State::Computing,
    State::Reading,
    State::Writing,
    State::Sleeping,
    State::Calling,
    State::Filling,
    State::Crowded,
];

#[derive(Clone, Copy, Debug)]
enum State {
    /// It was spawned just now.
    Starting,
    /// In an endless loop that calls nothing.
    Computing,
    /// Waiting for input that nobody writes.
    Reading,
    /// Waiting for room in an output that nobody reads.
    Writing,
    Sleeping,
    /// In a loop that does nothing but call the host: a byte is written at a time.
    Calling,
    /// Filling one MiB after the other, as others do beside it.
    Filling,
    /// One of several in endless loops, more than there are cores.
    Crowded,
}

/// How long a guest may take to fill an output that nobody reads. It is two orders of magnitude less.
const FULL: Duration = Duration::from_millis(20);

/// Bytes of input that keep a guest calling for tens of milliseconds, and fit into its pipe and into that of its output.
const CALLS: usize = 60_000;

/// MiB a guest would fill, within the limit of a component, and those it has filled when it is killed: far from all, so that
/// it is still filling them if the one who kills it comes late.
const FILL: (&str, usize) = ("240", 30);

/// Guests that fill memory at once, and those that compute.
const FILLING: usize = 3;
const CROWD: usize = 8;

/// Kills one in the state whose turn it is. Both sides take their turns in the same order, so that pairs are of one state.
pub(super) async fn anywhere(bench: &Bench, side: Side) -> Result<Vec<f64>> {
    static TURNS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let turn = TURNS[usize::from(side == Side::Ours)].fetch_add(1, Ordering::Relaxed);
    let state = ALL[turn % STATES];
    let (victim, others) = in_state(bench, side, state).await?;
    let begin = Instant::now();
    victim.kill().await?;
    let elapsed = micros(begin);
    for other in others {
        // Those that fill memory may have filled all of theirs, and have ended; nothing is measured here.
        let _ = other.kill().await;
    }
    Ok(vec![elapsed, elapsed / 1e3])
}

/// The one that is to be killed, and those that run beside it.
async fn in_state(bench: &Bench, side: Side, state: State) -> Result<(Running, Vec<Running>)> {
    let start = |name, args: &[&str], take| bench.start(side, name, args, take);
    let mut others = Vec::new();
    let mut victim = match state {
        State::Starting => return Ok((start("spin", &[], Take::Lines)?, others)),
        State::Computing | State::Crowded => start("spin", &[], Take::Lines)?,
        State::Reading => start("echo", &[], Take::Lines)?,
        State::Writing => start("flood", &["stdout", "forever", "65536"], Take::Raw)?,
        State::Sleeping => start("sleep", &["600000"], Take::Lines)?,
        State::Calling => start("echo", &["1"], Take::Raw)?,
        State::Filling => start("memory-hog", &[FILL.0], Take::Lines)?,
    };
    match state {
        State::Reading => victim.write(b"x\n").await?,
        State::Calling => victim.write(&[b'x'; CALLS]).await?,
        State::Filling => {
            for _ in 1..FILLING {
                others.push(start("memory-hog", &[FILL.0], Take::Lines)?);
            }
        }
        State::Crowded => {
            for _ in 1..CROWD {
                others.push(start("spin", &[], Take::Lines)?);
            }
            for other in &mut others {
                ensure!(other.next().await?.is_some(), "it says nothing");
            }
        }
        _ => {}
    }
    let pieces = if let State::Filling = state { FILL.1 } else { 1 };
    for _ in 0..pieces {
        ensure!(victim.next().await?.is_some(), "it says nothing in the state {state:?}");
    }
    if let State::Writing = state {
        tokio::time::sleep(FULL).await;
    }
    Ok((victim, others))
}
