//! The limits of one guest: how much of the machine it may use.

mod table;

use std::time::Duration;

use crate::{Error, ErrorKind, Limit, Result, Setting, units};

pub use table::{LimitInfo, LimitUnit};

/// How much of the machine one guest may use. All limits are enforced. A limit is unlimited by default only where the
/// list says so.
///
/// Defaults, at [`Limits::new`]:
/// - [`memory`](Self::memory): 256 MiB, all linear memories of the guest together
/// - [`table_elements`](Self::table_elements): 100,000, all tables together
/// - [`instances`](Self::instances): 128 core instances
/// - [`memories`](Self::memories): 8
/// - [`tables`](Self::tables): 64
/// - [`time`](Self::time): unlimited (a sidecar may live as long as its app)
/// - [`cpu_time`](Self::cpu_time): unlimited
/// - [`handles`](Self::handles): 512 open files, streams and timers
/// - [`sockets`](Self::sockets): 64
/// - [`call_bytes`](Self::call_bytes): 1 MiB copied into the host by one call
/// - [`random_bytes`](Self::random_bytes): 64 KiB of random bytes by one call
///
/// The guest's stack (512 KiB) and the size of an artifact are set on
/// [`EngineConfig`](crate::EngineConfig); the length of a line on [`Framing`](crate::Framing).
///
/// ```
/// use std::time::Duration;
/// use wasi_sidecar::{Limit, Limits};
///
/// let limits = Limits::new().memory(32 << 20).time(Duration::from_secs(5));
/// assert_eq!(limits.get(Limit::Memory), Some(32 << 20));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits([Option<u64>; Limit::ALL.len()]);

impl Limits {
    /// The defaults listed above.
    #[must_use]
    pub fn new() -> Self {
        Self(Limit::ALL.map(|limit| limit.info().default))
    }

    /// The value of a limit in its [unit](LimitInfo::unit); `None` is unlimited.
    #[must_use]
    pub fn get(&self, limit: Limit) -> Option<u64> {
        self.0.get(limit as usize).copied().flatten()
    }

    /// Sets a limit in its [unit](LimitInfo::unit); `None` is unlimited. Each limit has its own method as well.
    #[must_use]
    pub fn set(mut self, limit: Limit, number: Option<u64>) -> Self {
        if let Some(slot) = self.0.get_mut(limit as usize) {
            *slot = number;
        }
        self
    }

    /// Sets a limit from text such as `32MiB`, `30s` or `512`, by its [unit](LimitInfo::unit).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for anything else. The text says what to write instead.
    pub fn parse(self, limit: Limit, text: &str) -> Result<Self> {
        let number = match limit.info().unit {
            LimitUnit::Bytes => units::parse_size(text)?,
            LimitUnit::Time => nanoseconds(units::parse_duration(text)?),
            LimitUnit::Count => text.trim().parse().map_err(|_| {
                let text = format!("`{text}` is no number; write one like `512`");
                Error::new(ErrorKind::InvalidInput, text)
            })?,
        };
        Ok(self.set(limit, Some(number)))
    }

    /// The value of a limit that counts things.
    pub(crate) fn count(&self, limit: Limit) -> usize {
        self.get(limit).map_or(usize::MAX, |number| usize::try_from(number).unwrap_or(usize::MAX))
    }

    /// The value of a limit in bytes or elements.
    pub(crate) fn amount(&self, limit: Limit) -> u64 {
        self.get(limit).unwrap_or(u64::MAX)
    }

    /// The value of a limit on time; `None` is unlimited.
    #[must_use]
    pub fn duration(&self, limit: Limit) -> Option<Duration> {
        self.get(limit).map(Duration::from_nanos)
    }

    /// Bytes of linear memory, summed over all memories of the guest. Growth beyond it is refused (`memory.grow`
    /// returns −1). A guest that faults after the refusal ends as [`OutOf(Memory)`](crate::Limit::Memory).
    #[must_use]
    pub fn memory(self, bytes: u64) -> Self {
        self.set(Limit::Memory, Some(bytes))
    }

    /// Elements in all tables of the guest. Each takes 8 bytes of host memory.
    #[must_use]
    pub fn table_elements(self, elements: u64) -> Self {
        self.set(Limit::TableElements, Some(elements))
    }

    /// Core instances that a guest may consist of. A component made from C or Rust needs about five, and an interpreter
    /// made of shared libraries thirty. A guest with more ends as [`OutOf(Instances)`](crate::Limit::Instances) before
    /// it runs.
    #[must_use]
    pub fn instances(self, instances: usize) -> Self {
        self.set(Limit::Instances, Some(instances as u64))
    }

    /// Linear memories. Each reserves address space of the host. Compilers make one.
    #[must_use]
    pub fn memories(self, memories: usize) -> Self {
        self.set(Limit::Memories, Some(memories as u64))
    }

    /// Tables. Compilers make one per module, and one more where modules share functions.
    #[must_use]
    pub fn tables(self, tables: usize) -> Self {
        self.set(Limit::Tables, Some(tables as u64))
    }

    /// Elapsed time since the guest's code started; compiling does not count. When it is over, the guest ends as
    /// [`OutOf(Time)`](crate::Limit::Time).
    #[must_use]
    pub fn time(self, time: Duration) -> Self {
        self.set(Limit::Time, Some(nanoseconds(time)))
    }

    /// Removes the limit on elapsed time, as by default.
    #[must_use]
    pub fn unlimited_time(self) -> Self {
        self.set(Limit::Time, None)
    }

    /// Time spent computing, in the guest or in its calls to the host. Checked every few milliseconds of computing. A
    /// guest that exceeds it ends as [`OutOf(CpuTime)`](crate::Limit::CpuTime).
    #[must_use]
    pub fn cpu_time(self, time: Duration) -> Self {
        self.set(Limit::CpuTime, Some(nanoseconds(time)))
    }

    /// Removes the limit on computing, as by default.
    #[must_use]
    pub fn unlimited_cpu_time(self) -> Self {
        self.set(Limit::CpuTime, None)
    }

    /// Files, directories, streams and timers held open at once. At the limit, opening a file or directory fails with
    /// `EMFILE` in a preview1 module and `insufficient-memory` in a component, and the guest goes on. Other handles
    /// have no error: one more ends the guest as [`OutOf(Handles)`](crate::Limit::Handles), and so does a poll of more
    /// handles than this. A component may have up to twice as many streams.
    #[must_use]
    pub fn handles(self, handles: usize) -> Self {
        self.set(Limit::Handles, Some(handles as u64))
    }

    /// Sockets held open at once, which also count as [`handles`](Self::handles). Making one more fails with `new-socket-limit`, which C
    /// libraries call `EMFILE`, and the guest goes on.
    #[must_use]
    pub fn sockets(self, sockets: usize) -> Self {
        self.set(Limit::Sockets, Some(sockets as u64))
    }

    /// Bytes that one call may copy from the guest into the host. A larger argument ends the guest as
    /// [`OutOf(CallBytes)`](crate::Limit::CallBytes). A preview1 module may read and write buffers of any size: one
    /// call transfers at most this many bytes.
    #[must_use]
    pub fn call_bytes(self, bytes: usize) -> Self {
        self.set(Limit::CallBytes, Some(bytes as u64))
    }

    /// Random bytes that one call may request. A larger request ends the guest as
    /// [`OutOf(RandomBytes)`](crate::Limit::RandomBytes).
    #[must_use]
    pub fn random_bytes(self, bytes: u64) -> Self {
        self.set(Limit::RandomBytes, Some(bytes))
    }

    /// Refuses values out of range, as every spawn does. Call it to find out sooner.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`]. The text has the value and its valid range.
    pub fn check(&self) -> Result<()> {
        for limit in Limit::ALL {
            let info = limit.info();
            let Some(number) = self.get(limit) else { continue };
            let (bound, word, why) = if number < info.least {
                (info.least, "least", info.least_why)
            } else if number > info.most {
                (info.most, "most", "a guest cannot address more")
            } else {
                continue;
            };
            let shown = |number| match info.unit {
                LimitUnit::Bytes => units::size(number),
                LimitUnit::Time => units::time(Duration::from_nanos(number)),
                LimitUnit::Count => number.to_string(),
            };
            let text = match (info.unit, number) {
                (LimitUnit::Time, 0) => {
                    format!("`{}` of zero lets nothing run; {why}", Setting::from(limit))
                }
                _ => format!(
                    "`{}` must be at {word} {} ({why}); it is {}",
                    Setting::from(limit),
                    shown(bound),
                    shown(number)
                ),
            };
            return Err(Error::new(ErrorKind::Limit, text).about(limit));
        }
        Ok(())
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value as people read it.
    fn shown(limit: Limit, number: Option<u64>) -> String {
        match (limit.info().unit, number) {
            (_, None) => "none".to_owned(),
            (LimitUnit::Bytes, Some(bytes)) => units::size(bytes).replace(".0", ""),
            (LimitUnit::Time, Some(time)) => units::time(Duration::from_nanos(time)),
            (LimitUnit::Count, Some(number)) => number.to_string(),
        }
    }

    #[test]
    fn the_documented_table_is_the_table() {
        Limits::new().check().expect("the defaults are usable");
        let table = include_str!("../../../docs/limits.md");
        let rust = include_str!("mod.rs");
        for limit in Limit::ALL {
            let method = format!("`{}`", Setting::Limit(limit));
            let mut rows =
                table.lines().filter(|line| line.starts_with("| ") && line.contains(&method));
            let cells: Vec<_> = rows.next().unwrap_or_default().split(" | ").collect();
            assert_eq!((cells.len(), rows.next()), (7, None), "one row for {method}");
            let default = shown(limit, limit.info().default);
            assert_eq!((cells[1], cells[2]), (&*default, &*method));
            let end = format!("`OutOf({limit:?})`");
            assert!(cells[6].contains(&end), "{limit:?}: {}", cells[6]);
            let listed = format!("/// - [`{0}`](Self::{0}): ", limit.name());
            assert!(rust.contains(&listed), "`Limits` lists the default of {limit:?}");
        }
        assert_eq!(table.matches("`Limits::").count(), Limit::ALL.len(), "no other is promised");
    }

    #[test]
    fn each_limit_has_a_place_of_its_own() {
        for (index, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, index, "{limit:?} is at its place in `Limit::ALL`");
            let limits = Limits::new().set(limit, Some(4242));
            for other in Limit::ALL {
                let expected = if other == limit { Some(4242) } else { other.info().default };
                assert_eq!(limits.get(other), expected, "{limit:?} {other:?}");
            }
        }
    }

    #[test]
    fn numbers_are_read_by_their_unit() {
        let rows = [
            (Limit::Memory, "32MiB", Some(32 << 20)),
            (Limit::Time, "1m30s", Some(90_000_000_000)),
            (Limit::Handles, "600", Some(600)),
            (Limit::Handles, "1MiB", None),
            (Limit::Time, "30", None),
            (Limit::Memory, "a lot", None),
        ];
        for (limit, text, expected) in rows {
            let found = Limits::new().parse(limit, text).ok().and_then(|limits| limits.get(limit));
            assert_eq!(found, expected, "{limit:?} {text}");
        }
    }

    #[test]
    fn numbers_that_cannot_be_honoured_are_refused() {
        let rows = [
            Limits::new().memory(1),
            Limits::new().memory(5 << 30),
            Limits::new().handles(3),
            Limits::new().call_bytes(10),
            Limits::new().instances(0),
            Limits::new().memories(0),
            Limits::new().time(Duration::ZERO),
            Limits::new().cpu_time(Duration::ZERO),
        ];
        for limits in rows {
            let error = limits.check().expect_err("out of range");
            assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
            let named = error.setting().map(|setting| format!("`{setting}`"));
            assert!(named.is_some_and(|name| error.to_string().contains(&name)), "{error}");
        }
    }
}
