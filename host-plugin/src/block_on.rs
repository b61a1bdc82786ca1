//! Blocks a synchronous function on a future.
//!
//! The shell plugin's `write` and `kill` block, and apps call them anywhere: on the main thread, in a task of Tauri's runtime,
//! or in a task of another runtime. The future needs Tauri's runtime to make progress, so blocking one of its workers takes
//! special care.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Blocks the current thread until the future completes.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tauri::async_runtime::handle();
    let runtime = runtime.inner();
    match Handle::try_current() {
        // Another runtime with one thread. None of our tasks runs on it, so it may block.
        Ok(current) if current.runtime_flavor() == RuntimeFlavor::CurrentThread => {
            let _in_runtime = runtime.enter();
            // The cooperative budget of the current task would run out and never be refilled.
            pollster::block_on(tokio::task::unconstrained(future))
        }
        // A worker: tokio moves its other tasks to another thread.
        Ok(_) => tokio::task::block_in_place(|| runtime.block_on(future)),
        Err(_) => runtime.block_on(future),
    }
}
