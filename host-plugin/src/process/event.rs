//! What a child does, as events.

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
    /// Its exit code, if it ended by itself.
    pub code: Option<i32>,
    /// The signal that ended it. A component that was killed or used up a limit has 9, one that trapped 6, on every system.
    pub signal: Option<i32>,
    /// Why it did not end by itself: `killed`, `trapped`, `out of memory`, `out of time`, `out of CPU time`, `out of table
    /// elements`, or `failed` when it could not be run to an end. [`CommandEvent::Error`] has the details.
    pub reason: Option<String>,
}

/// Something a child did; the `CommandEvent` of the shell plugin.
///
/// ```
/// use tauri_plugin_wasi_sidecar::process::CommandEvent;
///
/// fn show(event: CommandEvent) {
///     match event {
///         CommandEvent::Stdout(line) => println!("{}", String::from_utf8_lossy(&line)),
///         CommandEvent::Terminated(end) => println!("{:?}", end.code),
///         _ => {}
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandEvent {
    /// It wrote to standard error: a line with its terminator (`\n`, `\r\n` or a lone `\r`), or bytes as they came.
    Stderr(Vec<u8>),
    /// It wrote to standard output, likewise.
    Stdout(Vec<u8>),
    /// Something went wrong that is not its output: a trap with its call stack, an exhausted limit, a stream that could not
    /// be read.
    Error(String),
    /// It has ended. Comes once, and last.
    Terminated(TerminatedPayload),
}

impl From<wasi_sidecar::TerminatedPayload> for TerminatedPayload {
    fn from(end: wasi_sidecar::TerminatedPayload) -> Self {
        Self { code: end.code, signal: end.signal, reason: reason(end.termination.as_ref()) }
    }
}

/// The reason in the words that [`TerminatedPayload::reason`] lists.
pub(crate) fn reason(termination: Option<&Termination>) -> Option<String> {
    Some(match termination {
        Some(Termination::Exited(_) | Termination::Signaled(_)) => return None,
        Some(Termination::Trapped(_)) => "trapped".to_owned(),
        Some(Termination::OutOf(limit)) => format!("out of {limit}"),
        Some(Termination::Killed) => "killed".to_owned(),
        Some(_) | None => "failed".to_owned(),
    })
}

/// The runtime's event as one of the shell plugin's shape.
pub(super) fn translate(event: wasi_sidecar::CommandEvent) -> CommandEvent {
    match event {
        wasi_sidecar::CommandEvent::Stdout(bytes) => CommandEvent::Stdout(bytes),
        wasi_sidecar::CommandEvent::Stderr(bytes) => CommandEvent::Stderr(bytes),
        wasi_sidecar::CommandEvent::Error(text) => CommandEvent::Error(text),
        wasi_sidecar::CommandEvent::Terminated(end) => CommandEvent::Terminated(end.into()),
        // The runtime's next version may have more kinds; this crate is released with it.
        other => {
            CommandEvent::Error(format!("an event that this version does not know: {other:?}"))
        }
    }
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
