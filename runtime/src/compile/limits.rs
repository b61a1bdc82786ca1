//! Limits on compiling one artifact, their error texts, and a memory of artifacts that hit them.
//!
//! The cost of a compilation grows with the artifact, and so do the default limits: whatever can be loaded can be
//! compiled. The largest program tried has 66 MiB. On two cores it takes 52 s with an optimised compiler. A development
//! build of the command line, which optimises the compiler and keeps its assertions, took 240 s of CPU time and 2.2 GiB
//! of address space.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{Digest, Error, ErrorKind, Setting, units};

/// Bytes of address space for any artifact. Includes libraries, stacks, and what threads reserve without using it.
const BASE_MEMORY: u64 = 2 << 30;

/// Bytes of address space per byte of the artifact: all that was measured, since each further thread takes more.
const MEMORY_RATIO: u64 = 32;

/// An unoptimised compiler, as in an app's debug build, takes 20 to 60 times as long.
const SLOWNESS: u32 = if cfg!(debug_assertions) { 10 } else { 1 };

/// CPU time for any artifact. An honest one takes seconds; a few kilobytes can be written to take minutes.
const BASE_CPU_TIME: Duration = Duration::from_secs(120);

/// CPU time per MiB of the artifact: more than twice the measured time with optimisation, for slower machines.
const CPU_TIME_OF_MIB: Duration = Duration::from_secs(4);

/// Most failures remembered. A process with more of them need not be fast.
const MAX_REMEMBERED: usize = 64;

/// The limits on compiling one artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Bytes of address space.
    pub(crate) memory: u64,
    pub(crate) cpu_time: Duration,
    pub(crate) time: Duration,
}

impl Bounds {
    /// The limits for an artifact of this many bytes.
    pub(crate) fn of(artifact: u64) -> Self {
        let mib = u32::try_from(artifact.div_ceil(1 << 20)).unwrap_or(u32::MAX);
        let cpu_time = BASE_CPU_TIME
            .saturating_add(CPU_TIME_OF_MIB.saturating_mul(mib))
            .saturating_mul(SLOWNESS);
        Self {
            memory: BASE_MEMORY.saturating_add(MEMORY_RATIO.saturating_mul(artifact)),
            cpu_time,
            // On one core, beside other work.
            time: cpu_time.saturating_add(cpu_time / 2),
        }
    }
}

/// The limit that a compilation hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hit {
    Memory,
    CpuTime,
    Time,
}

impl Hit {
    /// The limit's value, as a number that grows with it.
    fn of(self, bounds: &Bounds) -> u128 {
        match self {
            Self::Memory => bounds.memory.into(),
            Self::CpuTime => bounds.cpu_time.as_nanos(),
            Self::Time => bounds.time.as_nanos(),
        }
    }

    /// The error. It names the setting to raise and a value to try.
    pub(crate) fn error(self, bounds: &Bounds) -> Error {
        let (took, setting, value) = match self {
            Self::Memory => (
                format!("{} of memory", units::size(bounds.memory)),
                Setting::CompileMemory,
                double_size(bounds.memory),
            ),
            Self::CpuTime => (
                format!("{} of CPU time", units::time(bounds.cpu_time)),
                Setting::CompileCpuTime,
                double_time(bounds.cpu_time),
            ),
            Self::Time => (
                format!("{} on the clock", units::time(bounds.time)),
                Setting::CompileTime,
                double_time(bounds.time),
            ),
        };
        Error::new(
            ErrorKind::CompileLimit,
            format!(
                "it does not compile within the limits for untrusted artifacts: it takes more than {took}; raise `{setting}`, to \
                 `{value}` for example, or trust it (`{}`)",
                Setting::Trusted
            ),
        )
        .about(setting)
    }
}

/// Twice the size, in the form of an option's value.
fn double_size(bytes: u64) -> String {
    let doubled = bytes.saturating_mul(2);
    match doubled {
        0x4000_0000.. => format!("{}GiB", doubled.div_ceil(1 << 30).min(u64::MAX >> 30)),
        _ => format!("{}MiB", doubled.div_ceil(1 << 20)),
    }
}

fn double_time(time: Duration) -> String {
    let doubled = time.saturating_mul(2).as_millis();
    match doubled {
        120_000.. => format!("{}m", doubled.div_ceil(60_000)),
        _ => format!("{}s", doubled.div_ceil(1000)),
    }
}

/// Artifacts that hit a limit, with the limits they were compiled under.
#[derive(Debug)]
pub(crate) struct Failures(Mutex<BTreeMap<Digest, (Hit, Bounds)>>);

/// The failures of this process. Another engine can have higher limits, and then tries again.
pub(crate) static FAILURES: Failures = Failures(Mutex::new(BTreeMap::new()));

impl Failures {
    /// The limit that this artifact hit earlier, unless that limit was raised since.
    pub(crate) fn known(&self, artifact: &Digest, bounds: &Bounds) -> Option<Hit> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (hit, had) = known.get(artifact)?;
        (hit.of(bounds) <= hit.of(had)).then_some(*hit)
    }

    /// Remembers that the artifact hit a limit.
    pub(crate) fn remember(&self, artifact: &Digest, hit: Hit, bounds: &Bounds) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED && !known.contains_key(artifact) {
            known.pop_first();
        }
        known.insert(*artifact, (hit, *bounds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_defaults_grow_with_the_artifact() {
        let bounds = |mib| {
            let Bounds { memory, cpu_time, time } = Bounds::of(mib * MIB);
            (memory / MIB, cpu_time.as_secs() / u64::from(SLOWNESS), time / SLOWNESS)
        };
        let s = Duration::from_secs;
        assert_eq!(bounds(0), (2048, 120, s(180)));
        assert_eq!(bounds(18), (2624, 192, s(288)));
        // A synthesis tool of 69 MB took 52 s on two cores and 1.3 GiB. An artifact may have 128 MiB.
        assert_eq!(bounds(66), (4160, 384, s(576)));
        assert_eq!(bounds(128), (6144, 632, s(948)));
        assert_eq!(Bounds::of(u64::MAX).memory, u64::MAX);
    }

    #[test]
    fn an_error_names_one_limit_one_setting_and_a_value_that_is_read() {
        let bounds = Bounds {
            memory: 2 << 30,
            cpu_time: Duration::from_secs(120),
            time: Duration::from_millis(300),
        };
        let rows = [
            (Hit::Memory, "2.0 GiB of memory", "`CompileChild::memory`, to `4GiB`"),
            (Hit::CpuTime, "120.00 s of CPU time", "`CompileChild::cpu_time`, to `4m`"),
            (Hit::Time, "300 ms on the clock", "`CompileChild::time`, to `1s`"),
        ];
        for (hit, took, remedy) in rows {
            let error = hit.error(&bounds);
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::CompileLimit);
            assert!(text.contains(took) && text.contains(remedy), "{text}");
            assert_eq!(text.matches("`CompileChild::").count(), 1, "{text}");
        }
        assert_eq!(units::parse_size(&double_size(700 * MIB)).ok(), Some(2 << 30));
        assert_eq!(units::parse_size(&double_size(3 * MIB)).ok(), Some(6 * MIB));
        assert!(units::parse_size(&double_size(u64::MAX)).is_ok());
        assert!(units::parse_duration(&double_time(Duration::from_secs(90))).is_ok());
        assert!(!double_time(Duration::MAX).is_empty());
    }

    #[test]
    fn a_failure_is_known_until_its_limit_is_raised() {
        let failures = Failures(Mutex::default());
        let artifact = Digest::of(b"large");
        let bounds = Bounds::of(MIB);
        assert_eq!(failures.known(&artifact, &bounds), None);
        failures.remember(&artifact, Hit::Memory, &bounds);
        assert_eq!(failures.known(&artifact, &bounds), Some(Hit::Memory));
        // Raising another limit does not help, nor does lowering this one.
        let more_time = Bounds { time: Duration::MAX, ..bounds };
        assert_eq!(failures.known(&artifact, &more_time), Some(Hit::Memory));
        let less = Bounds { memory: 1, ..bounds };
        assert_eq!(failures.known(&artifact, &less), Some(Hit::Memory));
        let more = Bounds { memory: bounds.memory + 1, ..bounds };
        assert_eq!(failures.known(&artifact, &more), None);
        assert_eq!(failures.known(&Digest::of(b"another"), &bounds), None);
        for n in 0..=MAX_REMEMBERED {
            failures.remember(&Digest::of(&n.to_le_bytes()), Hit::Time, &bounds);
        }
        assert_eq!(failures.0.lock().expect("nobody panicked").len(), MAX_REMEMBERED);
    }
}
