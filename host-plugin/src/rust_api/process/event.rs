//! The events of a child.

use crate::{spelling, terminated::TerminatedPayload};

/// An event of a child; the `CommandEvent` of the shell plugin.
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
    /// The child wrote to standard error: a line with its terminator (`\n`, `\r\n` or a lone `\r`), or raw bytes.
    Stderr(Vec<u8>),
    /// The child wrote to standard output, in the same form.
    Stdout(Vec<u8>),
    /// An error: a trap with its call stack, an exhausted limit, or a stream that could not be read.
    Error(String),
    /// The child has ended. This event comes once, as the last one.
    Terminated(TerminatedPayload),
}

/// Converts the runtime's event.
pub(super) fn translate(event: wasi_sidecar::CommandEvent) -> CommandEvent {
    match event {
        wasi_sidecar::CommandEvent::Stdout(bytes) => CommandEvent::Stdout(bytes),
        wasi_sidecar::CommandEvent::Stderr(bytes) => CommandEvent::Stderr(bytes),
        wasi_sidecar::CommandEvent::Error(text) => CommandEvent::Error(spelling::respell(&text)),
        wasi_sidecar::CommandEvent::Terminated(end) => CommandEvent::Terminated(end.into()),
        // The runtime's enum is non-exhaustive; this crate is released together with it.
        other => {
            CommandEvent::Error(format!("an event that this version does not know: {other:?}"))
        }
    }
}
