//! Limits: how much of the machine one guest may use.

use std::time::Duration;

use crate::{Error, ErrorKind, Result};

const MIB: u64 = 1 << 20;

/// Largest linear memory a guest can have: 32-bit memories end there.
const MAX_MEMORY: u64 = 4096 * MIB;

/// How much of the machine one guest may use. Every one is enforced; there is no way to ask for "unlimited"
/// except by a method that says so.
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
/// - [`call_bytes`](Self::call_bytes): 1 MiB copied into the host by one call
/// - [`random_bytes`](Self::random_bytes): 64 KiB of random bytes by one call
///
/// The guest's stack (512 KiB) and the size of an artifact are set on
/// [`EngineConfig`](crate::EngineConfig); the length of a line on [`Framing`](crate::Framing).
///
/// ```
/// use std::time::Duration;
/// use wasi_sidecar::Limits;
///
/// let limits = Limits::new().memory(32 << 20).time(Duration::from_secs(5));
/// assert_eq!(limits.memory_bytes(), 32 << 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(crate) memory: u64,
    pub(crate) table_elements: u64,
    pub(crate) instances: usize,
    pub(crate) memories: usize,
    pub(crate) tables: usize,
    pub(crate) time: Option<Duration>,
    pub(crate) cpu_time: Option<Duration>,
    pub(crate) handles: usize,
    pub(crate) call_bytes: usize,
    pub(crate) random_bytes: u64,
}

impl Limits {
    /// The defaults listed above.
    #[must_use]
    pub fn new() -> Self {
        Self {
            memory: 256 * MIB,
            table_elements: 100_000,
            instances: 128,
            memories: 8,
            tables: 64,
            time: None,
            cpu_time: None,
            handles: 512,
            call_bytes: MIB as usize,
            random_bytes: 64 << 10,
        }
    }

    /// Bytes of linear memory, all memories of the guest together. What would exceed it is refused to the
    /// guest (`memory.grow` gives −1); a guest that faults over the refusal ends as
    /// [`OutOf(Memory)`](crate::Limit::Memory).
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// The limit set by [`memory`](Self::memory), in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory
    }

    /// Elements in all tables of the guest together, each 8 bytes of host memory.
    #[must_use]
    pub fn table_elements(mut self, elements: u64) -> Self {
        self.table_elements = elements;
        self
    }

    /// Core instances one guest may consist of. A component made from C or Rust needs about five, one with
    /// an interpreter made of shared libraries thirty. One with more ends as
    /// [`OutOf(Instances)`](crate::Limit::Instances) before it has run.
    #[must_use]
    pub fn instances(mut self, instances: usize) -> Self {
        self.instances = instances;
        self
    }

    /// Linear memories it may have, each of which reserves address space of the host. Compilers make one.
    #[must_use]
    pub fn memories(mut self, memories: usize) -> Self {
        self.memories = memories;
        self
    }

    /// Tables it may have. Compilers make one for each module, and one more where modules share functions.
    #[must_use]
    pub fn tables(mut self, tables: usize) -> Self {
        self.tables = tables;
        self
    }

    /// Time on the clock from the moment its code starts; compiling is not counted. At the end of it the
    /// guest ends as [`OutOf(Time)`](crate::Limit::Time).
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// The limit set by [`time`](Self::time), if there is one.
    #[must_use]
    pub fn time_limit(&self) -> Option<Duration> {
        self.time
    }

    /// The limit set by [`cpu_time`](Self::cpu_time), if there is one.
    #[must_use]
    pub fn cpu_time_limit(&self) -> Option<Duration> {
        self.cpu_time
    }

    /// No limit on the time on the clock (the default).
    #[must_use]
    pub fn unlimited_time(mut self) -> Self {
        self.time = None;
        self
    }

    /// Time spent computing, in the guest or in calls it makes. Checked every few milliseconds of computing;
    /// ends the guest as [`OutOf(CpuTime)`](crate::Limit::CpuTime).
    #[must_use]
    pub fn cpu_time(mut self, time: Duration) -> Self {
        self.cpu_time = Some(time);
        self
    }

    /// No limit on computing (the default).
    #[must_use]
    pub fn unlimited_cpu_time(mut self) -> Self {
        self.cpu_time = None;
        self
    }

    /// Things held open at once: files, directories, streams, timers. Opening one more file or directory fails, with `EMFILE` in a
    /// preview1 module and `insufficient-memory` in a component, and the guest goes on. Anything else has no error to answer with:
    /// one more ends the guest as [`OutOf(Handles)`](crate::Limit::Handles), and so does a poll of more things than this. A component
    /// may have up to twice as many streams.
    #[must_use]
    pub fn handles(mut self, handles: usize) -> Self {
        self.handles = handles;
        self
    }

    /// Bytes one call may copy from the guest into the host. A larger argument ends the guest as
    /// [`OutOf(CallBytes)`](crate::Limit::CallBytes). A preview1 module may read into and write from a buffer of any size: one call
    /// moves this many bytes of it at the most.
    #[must_use]
    pub fn call_bytes(mut self, bytes: usize) -> Self {
        self.call_bytes = bytes;
        self
    }

    /// Random bytes one call may ask for. Asking for more ends the guest as
    /// [`OutOf(RandomBytes)`](crate::Limit::RandomBytes).
    #[must_use]
    pub fn random_bytes(mut self, bytes: u64) -> Self {
        self.random_bytes = bytes;
        self
    }

    /// Refuses numbers that cannot be honoured or with which nothing could run, as every spawn does. For whoever reads
    /// them from a file and wants to know sooner.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`], with the number and the range it has to be in.
    pub fn check(&self) -> Result<()> {
        let refuse = |text: String| Err(Error::new(ErrorKind::Limit, text));
        if self.memory < 64 << 10 {
            return refuse(format!(
                "a memory limit of {} bytes is less than one 64 KiB page; give at least 65536",
                self.memory
            ));
        }
        if self.memory > MAX_MEMORY {
            return refuse(format!(
                "a memory limit of {} bytes is more than the 4 GiB a guest can address",
                self.memory
            ));
        }
        if self.handles < 16 {
            return refuse(format!(
                "a limit of {} handles is too low for standard streams and preopens; give at least 16",
                self.handles
            ));
        }
        if self.call_bytes < 8 << 10 {
            return refuse(format!(
                "a limit of {} bytes per call is too low for a 4 KiB write; give at least 8192",
                self.call_bytes
            ));
        }
        for (what, number) in [("instances", self.instances), ("memories", self.memories)] {
            if number == 0 {
                return refuse(format!("a limit of no {what} lets nothing run; give at least 1"));
            }
        }
        for (what, time) in [("time", self.time), ("CPU time", self.cpu_time)] {
            if time == Some(Duration::ZERO) {
                return refuse(format!("a {what} limit of zero lets nothing run; leave it out"));
            }
        }
        Ok(())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let limits = Limits::new();
        assert_eq!(
            (limits.memory, limits.table_elements, limits.handles),
            (256 << 20, 100_000, 512)
        );
        assert_eq!((limits.instances, limits.memories, limits.tables), (128, 8, 64));
        assert_eq!((limits.call_bytes, limits.random_bytes), (1 << 20, 64 << 10));
        assert_eq!((limits.time, limits.cpu_time), (None, None));
        limits.check().expect("the defaults are usable");
    }

    #[test]
    fn the_table_of_limits_is_true() {
        let limits = Limits::new();
        let table = include_str!("../../docs/limits.md");
        let row = |method: &str| {
            let mut rows =
                table.lines().filter(|line| line.contains(&format!("`Limits::{method}`")));
            let cells: Vec<_> = rows.next().unwrap_or_default().split(" | ").collect();
            assert_eq!((cells.len(), rows.next()), (7, None), "one row for {method}");
            cells[1].to_owned()
        };
        let known = [
            ("memory", format!("{} MiB", limits.memory >> 20)),
            ("time", limits.time.map_or("none".into(), |time| format!("{time:?}"))),
            ("cpu_time", limits.cpu_time.map_or("none".into(), |time| format!("{time:?}"))),
            ("table_elements", limits.table_elements.to_string()),
            ("instances", limits.instances.to_string()),
            ("memories", limits.memories.to_string()),
            ("tables", limits.tables.to_string()),
            ("handles", limits.handles.to_string()),
            ("call_bytes", format!("{} MiB", limits.call_bytes >> 20)),
            ("random_bytes", format!("{} KiB", limits.random_bytes >> 10)),
        ];
        for (method, default) in &known {
            assert_eq!(row(method), *default, "{method}");
        }
        assert_eq!(table.matches("`Limits::").count(), known.len(), "no other limit is promised");
        // A field that is not in the list above is one that the table does not have.
        let fields = format!("{limits:?}").matches(": ").count();
        assert_eq!(fields, known.len(), "{limits:?}");
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
        }
    }
}
