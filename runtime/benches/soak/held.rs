//! What the process holds of the system, and by how much it may differ in the end.

use anyhow::Result;
use serde_json::{Value, json};

/// What a process holds of the system, counted as `/proc` counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// Bytes of memory that only this process has and has written to. Not what is resident: of a file that is mapped, how much
    /// is read in is the kernel's affair.
    pub(crate) memory: u64,
    pub(crate) descriptors: u64,
    pub(crate) threads: u64,
    pub(crate) mappings: u64,
}

/// What there may be more in the end than at the baseline, with which a leak is told from noise.
///
/// - Memory: the allocator gives back what lies at the end of its arenas only, and how much lies before that differs with the
///   order in which tasks ended. After a warm-up that was too short that was 12 MiB; after one that is not, less than one.
///   A run of ten minutes spawns more than a hundred thousand guests: 16 MiB are 160 bytes for each of them, and a page that
///   each leaks is thirty times as much.
/// - Descriptors and threads: none. Nothing that has ended may keep one, and all that makes them has run in the warm-up.
/// - Mappings: arenas and the stacks of threads that have ended, which the C library keeps for new threads, come and go in
///   pieces; up to 40 were seen. A leaked guest is seven mappings, and one component's code at least two: ten leaked guests show.
const MARGIN: Held = Held { memory: 16 << 20, descriptors: 0, threads: 0, mappings: 64 };

/// Name, unit, how many units one is, and the number itself.
type Row = (&'static str, &'static str, f64, fn(&Held) -> u64);

const ROWS: [Row; 4] = [
    ("memory", "MiB", 1_048_576.0, |held| held.memory),
    ("descriptors", "", 1.0, |held| held.descriptors),
    ("threads", "", 1.0, |held| held.threads),
    ("mappings", "", 1.0, |held| held.mappings),
];

impl Held {
    #[cfg(target_os = "linux")]
    pub(crate) fn now() -> Result<Self> {
        use std::fs;

        use anyhow::Context;

        let count = |folder: &str| -> Result<u64> {
            Ok(fs::read_dir(format!("/proc/self/{folder}"))?.count() as u64)
        };
        let rollup = fs::read_to_string("/proc/self/smaps_rollup")?;
        let dirty = rollup.lines().find_map(|line| line.strip_prefix("Private_Dirty:"));
        let kib = dirty.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        Ok(Self {
            memory: kib.context("`smaps_rollup` has no `Private_Dirty`")? << 10,
            // One of them is the one that reads the folder, each time.
            descriptors: count("fd")?,
            threads: count("task")?,
            mappings: fs::read_to_string("/proc/self/maps")?.lines().count() as u64,
        })
    }

    /// Where there is nothing to count with, that every outcome is right has to do.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn now() -> Result<Self> {
        Ok(Self::default())
    }

    /// Whether there is no more than before, and what is allowed on top of that.
    pub(crate) fn is_back_at(&self, before: &Self) -> bool {
        ROWS.iter().all(|(.., number)| number(self) <= number(before) + number(&MARGIN))
    }
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let memory = self.memory as f64 / 1_048_576.0;
        let Self { descriptors, threads, mappings, .. } = self;
        write!(
            f,
            "{memory:.1} MiB, {descriptors} descriptors, {threads} threads, {mappings} mappings"
        )
    }
}

/// The table of what there was before and after, as lines for a terminal.
pub(crate) fn table(before: &Held, after: &Held) -> Vec<String> {
    let mut lines =
        vec![format!("{:<12} {:>14} {:>14} {:>12}", "what", "baseline", "at the end", "margin")];
    for (name, unit, size, number) in ROWS {
        let amount = |value: u64| format!("{} {unit}", round(value as f64 / size));
        let met = number(after) <= number(before) + number(&MARGIN);
        lines.push(format!(
            "{name:<12} {:>14} {:>14} {:>12}  {}",
            amount(number(before)),
            amount(number(after)),
            format!("+ {}", amount(number(&MARGIN))),
            if met { "back" } else { "NOT BACK" }
        ));
    }
    lines
}

/// The same as JSON.
pub(crate) fn json(before: &Held, after: &Held) -> Value {
    let rows = ROWS.iter().map(|(name, unit, size, number)| {
        let value = |held: &Held| number(held) as f64 / size;
        json!({
            "name": name, "unit": unit, "baseline": value(before), "end": value(after),
            "margin": value(&MARGIN), "met": number(after) <= number(before) + number(&MARGIN),
        })
    });
    rows.collect()
}

fn round(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.1}") }
}
