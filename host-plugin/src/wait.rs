//! Waiting for something asynchronous in a function that is not.
//!
//! The shell plugin's `write` and `kill` block, and apps call them wherever they are: on the main thread, in a task of Tauri's
//! runtime, in one of a runtime of their own. What is waited for needs Tauri's runtime to go on meanwhile, so a worker of it
//! that waits here has to be told apart from other threads.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Waits on this thread.
pub(crate) fn wait_here<T>(future: impl Future<Output = T>) -> T {
    let runtime = tauri::async_runtime::handle();
    let runtime = runtime.inner();
    match Handle::try_current() {
        // Somebody else's runtime, which has one thread: nothing of ours runs on it.
        Ok(current) if current.runtime_flavor() == RuntimeFlavor::CurrentThread => {
            let _in_runtime = runtime.enter();
            // A task has used up its turn at some point, and would wait for the next one, which does not come here.
            pollster::block_on(tokio::task::unconstrained(future))
        }
        // A worker: its other tasks move to another thread.
        Ok(_) => tokio::task::block_in_place(|| runtime.block_on(future)),
        Err(_) => runtime.block_on(future),
    }
}
