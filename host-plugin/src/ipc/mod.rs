//! The IPC commands, under the names and with the JSON of the shell plugin (its `commands.rs`). The commands `close_stdin`,
//! `list`, `ack` and `status` are our additions.
//!
//! No command blocks the main thread: a command that waits is async, any other only looks something up.

mod answer;
mod authorize;
mod collect;
mod control;
mod execute;
mod handler;
mod options;
mod query;
mod refusal;
mod spawn;
mod start;
mod stdin;

pub(crate) use handler::handler;
