//! Types to start sidecars and to control their children, under the names of `tauri_plugin_shell::process`.

mod child;
mod command;
mod event;

pub use child::CommandChild;
pub use command::{Command, ExitStatus, Output};
/// The encodings that a webview can name in its `encoding` option, as the shell plugin exports them.
pub use encoding_rs::Encoding;
pub use event::CommandEvent;

pub use crate::terminated::TerminatedPayload;
