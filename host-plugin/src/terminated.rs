//! How a child ended, as Rust and pages see it.

use serde::Serialize;
use wasi_sidecar::Termination;

/// How a child ended; the `TerminatedPayload` of the shell plugin, and the reason.
///
/// ```
/// use tauri_plugin_wasi_sidecar::process::TerminatedPayload;
///
/// let end = TerminatedPayload { code: None, signal: Some(9), reason: Some("out of memory".into()) };
/// assert_eq!(
///     serde_json::to_string(&end).unwrap(),
///     r#"{"code":null,"signal":9,"reason":"out of memory"}"#
/// );
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TerminatedPayload {
    /// The exit code, if the child exited by itself.
    pub code: Option<i32>,
    /// The signal that ended the child. On every system, a component that was killed or exhausted a limit has 9, and a
    /// component that trapped has 6.
    pub signal: Option<i32>,
    /// Why the child did not exit by itself: `killed`, `trapped`, `out of memory`, `out of time`, `out of CPU time`, `out of
    /// table elements`, or `failed` if running it failed. [`CommandEvent::Error`] has the details.
    ///
    /// [`CommandEvent::Error`]: crate::process::CommandEvent::Error
    pub reason: Option<String>,
}

impl From<wasi_sidecar::TerminatedPayload> for TerminatedPayload {
    fn from(end: wasi_sidecar::TerminatedPayload) -> Self {
        Self { code: end.code, signal: end.signal, reason: reason(end.termination.as_ref()) }
    }
}

/// The value of [`TerminatedPayload::reason`].
pub(crate) fn reason(termination: Option<&Termination>) -> Option<String> {
    Some(match termination {
        Some(Termination::Exited(_) | Termination::Signaled(_)) => return None,
        Some(Termination::Trapped(_)) => "trapped".to_owned(),
        Some(Termination::OutOf(limit)) => format!("out of {limit}"),
        Some(Termination::Killed) => "killed".to_owned(),
        Some(_) | None => "failed".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use wasi_sidecar::Limit;

    use super::*;

    #[test]
    fn parity_06_the_reason_is_one_of_those_that_are_listed() {
        let rows = [
            (Some(Termination::Exited(3)), None),
            (Some(Termination::Signaled(15)), None),
            (Some(Termination::Killed), Some("killed")),
            (Some(Termination::Trapped("unreachable".into())), Some("trapped")),
            (Some(Termination::OutOf(Limit::CpuTime)), Some("out of CPU time")),
            (Some(Termination::OutOf(Limit::Memory)), Some("out of memory")),
            (None, Some("failed")),
        ];
        for (termination, expected) in rows {
            assert_eq!(reason(termination.as_ref()).as_deref(), expected, "{termination:?}");
        }
    }
}
