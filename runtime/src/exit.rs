//! How a child ended.

use std::fmt;

/// Signal number reported for a trap, on every operating system: what `abort()` gives a native program.
const SIGABRT: i32 = 6;
/// Signal number reported for a kill, on every operating system.
const SIGKILL: i32 = 9;

/// Why a child is no longer running.
///
/// A guest's faults are values, not errors: the host did what it was asked to.
///
/// ```
/// use wasi_sidecar::Termination;
///
/// fn explain(end: &Termination) -> String {
///     match end {
///         Termination::Exited(0) => "done".into(),
///         Termination::Exited(code) => format!("failed with code {code}"),
///         Termination::OutOf(limit) => format!("stopped: it ran out of {limit}"),
///         other => other.to_string(),
///     }
/// }
/// assert_eq!(explain(&Termination::Exited(3)), "failed with code 3");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Termination {
    /// The program ended by itself with this code, 0 to 255 for a component.
    Exited(i32),
    /// A native program was ended by this signal (Unix only).
    Signaled(i32),
    /// A component faulted. The text has the fault and the guest's call stack; at most 4 KiB, escaped.
    Trapped(String),
    /// A component used up one of its [`Limits`](crate::Limits).
    OutOf(Limit),
    /// It was killed: [`Child::kill`](crate::Child::kill), kill on drop, or the engine went away.
    Killed,
}

/// A limit that can end a running guest.
///
/// ```
/// use wasi_sidecar::{Limit, Termination};
///
/// fn was_slow(end: &Termination) -> bool {
///     matches!(end, Termination::OutOf(Limit::Time | Limit::CpuTime))
/// }
/// assert!(was_slow(&Termination::OutOf(Limit::CpuTime)));
/// assert_eq!(Limit::CpuTime.to_string(), "CPU time");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::time`](crate::Limits::time): time on the clock since its code started.
    Time,
    /// [`Limits::cpu_time`](crate::Limits::cpu_time): time spent computing.
    CpuTime,
    /// [`Limits::memory`](crate::Limits::memory): it faulted after more memory was refused to it.
    Memory,
    /// [`Limits::table_elements`](crate::Limits::table_elements), refused in the same way.
    TableElements,
    /// [`Limits::instances`](crate::Limits::instances): it consists of more.
    Instances,
    /// [`Limits::memories`](crate::Limits::memories): it has more.
    Memories,
    /// [`Limits::tables`](crate::Limits::tables): it has more.
    Tables,
    /// [`Limits::handles`](crate::Limits::handles): it wanted one more.
    Handles,
    /// [`Limits::call_bytes`](crate::Limits::call_bytes): one call handed over more.
    CallBytes,
    /// [`Limits::random_bytes`](crate::Limits::random_bytes): one call asked for more.
    RandomBytes,
}

impl Limit {
    /// How it is set in Rust: the method of [`Limits`](crate::Limits), as one would write it.
    ///
    /// ```
    /// use wasi_sidecar::Limit;
    ///
    /// assert_eq!(Limit::CallBytes.method(), "Limits::call_bytes");
    /// assert_eq!(Limit::CallBytes.key(), "limits.callBytes");
    /// assert_eq!(Limit::CallBytes.option(), "--call-bytes");
    /// ```
    #[must_use]
    pub fn method(self) -> &'static str {
        self.settings()[0]
    }

    /// How it is set in the configuration of a Tauri app: the key of a sidecar of the plugin.
    #[must_use]
    pub fn key(self) -> &'static str {
        self.settings()[1]
    }

    /// How it is set on the command line: the option of `wasi-sidecar run`.
    #[must_use]
    pub fn option(self) -> &'static str {
        self.settings()[2]
    }

    /// Its names in the order of the columns of `docs/limits.md`.
    fn settings(self) -> [&'static str; 3] {
        match self {
            Self::Time => ["Limits::time", "limits.time", "--time"],
            Self::CpuTime => ["Limits::cpu_time", "limits.cpuTime", "--cpu-time"],
            Self::Memory => ["Limits::memory", "limits.memory", "--memory"],
            Self::TableElements => {
                ["Limits::table_elements", "limits.tableElements", "--table-elements"]
            }
            Self::Instances => ["Limits::instances", "limits.instances", "--instances"],
            Self::Memories => ["Limits::memories", "limits.memories", "--memories"],
            Self::Tables => ["Limits::tables", "limits.tables", "--tables"],
            Self::Handles => ["Limits::handles", "limits.handles", "--handles"],
            Self::CallBytes => ["Limits::call_bytes", "limits.callBytes", "--call-bytes"],
            Self::RandomBytes => ["Limits::random_bytes", "limits.randomBytes", "--random-bytes"],
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "time",
            Self::CpuTime => "CPU time",
            Self::Memory => "memory",
            Self::TableElements => "table elements",
            Self::Instances => "instances",
            Self::Memories => "memories",
            Self::Tables => "tables",
            Self::Handles => "handles",
            Self::CallBytes => "bytes of one call",
            Self::RandomBytes => "random bytes of one call",
        })
    }
}

impl Termination {
    /// The text of an event, where the end needs one: what happened, and what would have let it go on. `refused` is the
    /// limit that refused the guest something before, which a program that failed may have been unable to say.
    pub(crate) fn explained(&self, refused: Option<Limit>) -> Option<String> {
        let raise = |limit: Limit| {
            let [method, key, option] = limit.settings();
            format!("raise `{method}` (`{key}`, `{option}`) if it needs more")
        };
        match self {
            Self::OutOf(limit) => Some(format!("{self}; {}", raise(*limit))),
            Self::Trapped(_) => Some(self.to_string()),
            Self::Exited(1..) => refused
                .map(|limit| format!("{self} after more {limit} was refused; {}", raise(limit))),
            _ => None,
        }
    }
}

impl fmt::Display for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with code {code}"),
            Self::Signaled(signal) => write!(f, "ended by signal {signal}"),
            Self::Trapped(text) => write!(f, "trapped: {text}"),
            Self::OutOf(limit) => write!(f, "ran out of {limit}"),
            Self::Killed => f.write_str("killed"),
        }
    }
}

/// The end of a child, as [`std::process::ExitStatus`] tells it, and the reason behind it.
///
/// | ended by | `code` | `signal` |
/// |---|---|---|
/// | itself | `Some(0..=255)` | `None` |
/// | a trap | `None` | `Some(6)` |
/// | a kill, or a limit | `None` | `Some(9)` |
/// | a signal (native) | `None` | that signal |
///
/// The numbers for components are the same on every operating system, Windows included.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module
/// #     (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
/// #     (memory (export "memory") 1)
/// #     (func (export "_start") (call $exit (i32.const 3))))"#).unwrap();
/// # let engine = wasi_sidecar::Engine::new(&wasi_sidecar::EngineConfig::new())?;
/// # let component = wasi_sidecar::Component::new(&engine, wasm)?;
/// use wasi_sidecar::{Command, Termination};
///
/// let status = Command::new(component).spawn()?.wait().await?;
/// assert_eq!((status.code(), status.signal()), (Some(3), None));
/// assert_eq!(status.termination(), &Termination::Exited(3));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitStatus(Termination);

impl ExitStatus {
    pub(crate) fn new(termination: Termination) -> Self {
        Self(termination)
    }

    /// The exit code, when the program ended by itself.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        match self.0 {
            Termination::Exited(code) => Some(code),
            _ => None,
        }
    }

    /// The signal that ended it, or the one that stands for what ended it; see the table above.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        match self.0 {
            Termination::Exited(_) => None,
            Termination::Signaled(signal) => Some(signal),
            Termination::Trapped(_) => Some(SIGABRT),
            Termination::OutOf(_) | Termination::Killed => Some(SIGKILL),
        }
    }

    /// Whether it ended by itself with code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.code() == Some(0)
    }

    /// Why it ended.
    #[must_use]
    pub fn termination(&self) -> &Termination {
        &self.0
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: [Limit; 10] = [
        Limit::Time,
        Limit::CpuTime,
        Limit::Memory,
        Limit::TableElements,
        Limit::Instances,
        Limit::Memories,
        Limit::Tables,
        Limit::Handles,
        Limit::CallBytes,
        Limit::RandomBytes,
    ];

    #[test]
    fn each_limit_is_set_by_what_its_row_says() {
        let table = include_str!("../../docs/limits.md");
        for limit in LIMITS {
            let end = format!("`OutOf({limit:?})`");
            let mut rows =
                table.lines().filter(|line| line.starts_with("| ") && line.contains(&end));
            let cells: Vec<_> = rows.next().unwrap_or_default().split(" | ").collect();
            let [_, _, method, key, option, ..] = cells[..] else { panic!("{limit:?}: {cells:?}") };
            let said =
                [limit.method(), limit.key(), limit.option()].map(|name| format!("`{name}`"));
            assert_eq!(said, [method, key, option], "{limit:?}");
            assert_eq!(rows.next(), None, "one row for {limit:?}");
            let text = Termination::OutOf(limit).explained(None).unwrap_or_default();
            assert!(said.iter().all(|name| text.contains(name)), "{text}");
        }
        let ends = table.lines().filter(|line| line.starts_with("| ") && line.contains("`OutOf("));
        assert_eq!(ends.count(), LIMITS.len(), "no other limit ends a guest");
    }

    #[test]
    fn a_refusal_is_told_of_a_program_that_failed_and_of_no_other() {
        let text = Termination::Exited(1).explained(Some(Limit::Memory)).unwrap_or_default();
        assert!(text.starts_with("exited with code 1 after more memory was refused"), "{text}");
        assert!(text.contains("--memory"), "{text}");
        for (end, refused) in [
            (Termination::Exited(0), Some(Limit::Memory)),
            (Termination::Exited(1), None),
            (Termination::Killed, Some(Limit::Memory)),
        ] {
            assert_eq!(end.explained(refused), None, "{end:?}");
        }
    }

    #[test]
    fn the_table_of_the_documentation_holds() {
        let rows = [
            (Termination::Exited(0), Some(0), None, true),
            (Termination::Exited(255), Some(255), None, false),
            (Termination::Trapped("x".into()), None, Some(6), false),
            (Termination::OutOf(Limit::Time), None, Some(9), false),
            (Termination::Killed, None, Some(9), false),
            (Termination::Signaled(15), None, Some(15), false),
        ];
        for (termination, code, signal, success) in rows {
            let status = ExitStatus::new(termination);
            assert_eq!((status.code(), status.signal(), status.success()), (code, signal, success));
        }
    }
}
