//! Dispatches calls to the commands.

use tauri::{Runtime, ipc::Invoke};

use super::{control, execute, query, spawn, stdin};

/// The plugin's invoke handler. `stdin_write` parses its message itself; Tauri's macro does so for the other commands.
pub(crate) fn handler<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
    let others: fn(Invoke<R>) -> bool = tauri::generate_handler![
        spawn::spawn,
        execute::execute,
        stdin::close_stdin,
        control::kill,
        control::ack,
        query::list,
        query::status,
    ];
    move |invoke| match invoke.message.command() {
        stdin::STDIN_WRITE => stdin::stdin_write(invoke),
        _ => others(invoke),
    }
}
