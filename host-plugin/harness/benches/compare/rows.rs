//! The rows: what is measured, against what, and what it should come to.

use std::fmt;

use crate::{
    side::Side::{self, Bare, Ours, Shell, Tokio},
    work::{STATES, Work},
};

/// What a ratio, or our own value where there is nothing to compare with, should come to.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(bound) => write!(f, "≤ {bound}"),
            Self::AtLeast(bound) => write!(f, "≥ {bound}"),
        }
    }
}

pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// More is better.
    pub(crate) rate: bool,
    /// Of all runs the largest is told, and the budget is about our own: whoever waits for it does not care for ratios.
    pub(crate) slowest: bool,
    pub(crate) budget: Option<Bound>,
    pub(crate) aim: Option<Bound>,
}

pub(crate) struct Row {
    /// What one run of the work measures.
    pub(crate) metrics: &'static [Metric],
    pub(crate) work: Work,
    /// Ours first, and then the one that the budget is about.
    pub(crate) sides: &'static [Side],
    /// Runs of each side: in a quick run, in a full one, and before any that is counted.
    pub(crate) quick: usize,
    pub(crate) full: usize,
    pub(crate) warm_up: usize,
}

const fn time(name: &'static str, unit: &'static str, budget: f64, aim: f64) -> Metric {
    let (budget, aim) = (Some(Bound::AtMost(budget)), Some(Bound::AtMost(aim)));
    Metric { name, unit, rate: false, slowest: false, budget, aim }
}

const fn rate(name: &'static str, unit: &'static str, budget: f64, aim: f64) -> Metric {
    let (budget, aim) = (Some(Bound::AtLeast(budget)), Some(Bound::AtLeast(aim)));
    Metric { name, unit, rate: true, slowest: false, budget, aim }
}

/// Without a budget of its own.
const fn shown(name: &'static str, unit: &'static str, rate: bool) -> Metric {
    Metric { name, unit, rate, slowest: false, budget: None, aim: None }
}

/// The largest of all runs, against nothing but the clock.
const fn slowest(name: &'static str, unit: &'static str, budget: f64, aim: f64) -> Metric {
    let (budget, aim) = (Some(Bound::AtMost(budget)), Some(Bound::AtMost(aim)));
    Metric { name, unit, rate: false, slowest: true, budget, aim }
}

const ALL: &[Side] = &[Ours, Shell, Tokio, Bare];
const NATIVE: &[Side] = &[Ours, Shell, Tokio];

const fn row(
    metrics: &'static [Metric],
    work: Work,
    sides: &'static [Side],
    quick: usize,
    full: usize,
) -> Row {
    Row { metrics, work, sides, quick, full, warm_up: 2 }
}

/// Takes long, and needs nothing to get warm.
const fn long(
    metrics: &'static [Metric],
    work: Work,
    sides: &'static [Side],
    quick: usize,
    full: usize,
) -> Row {
    Row { metrics, work, sides, quick, full, warm_up: 0 }
}

const NEVER: f64 = 0.0;

pub(crate) const ROWS: &[Row] = &[
    row(
        &[time("spawn to first byte, warm", "µs", 0.08, 0.05)],
        Work::FirstByte("args"),
        ALL,
        60,
        400,
    ),
    row(
        &[time("spawn to first byte, code from disk", "µs", 0.28, 0.15)],
        Work::FromDisk,
        NATIVE,
        30,
        150,
    ),
    row(
        &[time("spawn to first byte, SQLite, warm", "µs", 0.30, 0.20)],
        Work::FirstByte("sqlite"),
        ALL,
        30,
        150,
    ),
    row(
        &[time("spawn to first byte, Python, warm", "µs", 0.15, 0.10)],
        Work::FirstByte("python"),
        ALL,
        10,
        60,
    ),
    row(&[rate("spawns, 16 in flight", "/s", 8.0, 13.0)], Work::Spawns, ALL, 5, 15),
    row(
        &[rate("80-byte lines, 4 KiB writes", "MiB/s", 40.0, 100.0)],
        Work::Lines { each: false },
        ALL,
        3,
        9,
    ),
    row(
        &[rate("80-byte lines, line by line", "MiB/s", 8.0, 12.0)],
        Work::Lines { each: true },
        ALL,
        3,
        9,
    ),
    row(
        &[rate("raw stdout, 64 KiB writes", "MiB/s", 10.0, 20.0)],
        Work::Raw { direct: true },
        ALL,
        5,
        15,
    ),
    row(
        &[shown("raw stdout, standard library", "MiB/s", true)],
        Work::Raw { direct: false },
        ALL,
        3,
        15,
    ),
    row(
        &[rate("cat, 64 KiB blocks, both ways", "MiB/s", 8.0, 15.0)],
        Work::Cat { direct: true },
        ALL,
        5,
        15,
    ),
    row(&[shown("cat, standard library", "MiB/s", true)], Work::Cat { direct: false }, ALL, 3, 15),
    row(
        &[
            time("line ping-pong 64 B, p50", "µs", 0.2, 0.15),
            time("line ping-pong 64 B, p99", "µs", 0.4, 0.3),
        ],
        Work::PingPong,
        ALL,
        5,
        15,
    ),
    row(&[time("kill a spinning guest", "µs", 1.5, 1.2)], Work::Kill, NATIVE, 30, 150),
    row(
        &[
            time("kill, any state", "µs", 2.0, 1.2),
            slowest("kill, any state, slowest", "ms", 200.0, 50.0),
        ],
        Work::KillAnywhere,
        &[Ours, Tokio],
        3 * STATES,
        20 * STATES,
    ),
    long(
        &[
            time("memory per idle guest", "KiB", 0.5, 0.3),
            time("threads per idle guest", "", NEVER, NEVER),
        ],
        Work::Idle,
        &[Ours, Shell],
        1,
        3,
    ),
    long(&[time("wake-ups, 1,000 idle guests", "/s", NEVER, NEVER)], Work::WakeUps, &[Ours], 1, 1),
    row(
        &[
            rate("file read, 64 KiB blocks", "MiB/s", 0.45, 0.8),
            rate("file write, 64 KiB blocks", "MiB/s", 0.28, 0.8),
            time("open and read small files", "µs", 2.5, 1.5),
            time("stat", "µs", 4.0, 1.5),
            shown("list a directory, per entry", "µs", false),
        ],
        Work::Files,
        &[Ours, Tokio],
        3,
        11,
    ),
    row(
        &[
            time("compute, geometric mean", "ms", 1.5, 1.2),
            shown("compute: fib", "ms", false),
            shown("compute: json", "ms", false),
            shown("compute: matmul", "ms", false),
            shown("compute: nbody", "ms", false),
            shown("compute: qsort", "ms", false),
            shown("compute: sha256", "ms", false),
        ],
        Work::Compute,
        &[Ours, Tokio, Bare],
        2,
        7,
    ),
    long(
        &[time("first compile, small component", "ms", 1.0, 0.5)],
        Work::FirstCompile("args"),
        &[Ours, Bare],
        5,
        15,
    ),
    long(
        &[time("first compile, SQLite", "ms", 1.0, 0.5)],
        Work::FirstCompile("sqlite"),
        &[Ours, Bare],
        1,
        3,
    ),
    long(
        &[time("first compile, Python", "ms", 1.0, 0.5)],
        Work::FirstCompile("python"),
        &[Ours, Bare],
        1,
        1,
    ),
];
