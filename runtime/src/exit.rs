//! How a child ended, as an exit code, a signal and a reason.

use std::fmt;

use crate::{Limit, Setting};

/// Signal number for a trap on every operating system: the one `abort()` gives a native program.
const SIGABRT: i32 = 6;
/// Signal number for a kill on every operating system.
const SIGKILL: i32 = 9;

/// Why a child ended.
///
/// A guest's faults are values, not errors: the host did what it was asked to do.
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
    /// The program exited with this code, 0 to 255 for a component.
    Exited(i32),
    /// A signal ended a native program (Unix only).
    Signaled(i32),
    /// A component trapped. The text has the fault and the guest's call stack; it is escaped and at most 4 KiB.
    Trapped(String),
    /// A component exceeded one of its [`Limits`](crate::Limits).
    OutOf(Limit),
    /// The child was killed: by [`Child::kill`](crate::Child::kill), by kill on drop, or because the engine was
    /// dropped.
    Killed,
}

impl Termination {
    /// A message for an end that needs one: what happened, and which limit to raise. `refused` is the limit that
    /// refused the guest something earlier, which a failing program may not have reported.
    pub(crate) fn explained(&self, refused: Option<Limit>) -> Option<String> {
        let raise = |limit| format!("raise `{}` if it needs more", Setting::Limit(limit));
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

/// How a child ended, like [`std::process::ExitStatus`], with the reason.
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
/// # let component = wasi_sidecar::Component::load(&engine, wasm, wasi_sidecar::LoadOptions::new())?;
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

    /// The exit code, if the program exited by itself.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        match self.0 {
            Termination::Exited(code) => Some(code),
            _ => None,
        }
    }

    /// The signal that ended the child, or the number that stands for the cause; see the table above.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        match self.0 {
            Termination::Exited(_) => None,
            Termination::Signaled(signal) => Some(signal),
            Termination::Trapped(_) => Some(SIGABRT),
            Termination::OutOf(_) | Termination::Killed => Some(SIGKILL),
        }
    }

    /// Whether the program exited by itself with code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.code() == Some(0)
    }

    /// Why the child ended.
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

    #[test]
    fn the_text_names_the_setting_to_raise() {
        for limit in Limit::ALL {
            let text = Termination::OutOf(limit).explained(None).unwrap_or_default();
            assert!(text.contains(&format!("`{}`", Setting::Limit(limit))), "{text}");
        }
    }

    #[test]
    fn a_refusal_is_told_of_a_program_that_failed_and_of_no_other() {
        let text = Termination::Exited(1).explained(Some(Limit::Memory)).unwrap_or_default();
        assert!(text.starts_with("exited with code 1 after more memory was refused"), "{text}");
        assert!(text.contains("`Limits::memory`"), "{text}");
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
