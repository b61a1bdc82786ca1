//! The threads that compile: one per core, only while something is compiled, at a low priority if nobody waits.
//!
//! wasmtime's compiler uses the rayon pool it is called in. By default that is the application's pool, whose work would
//! then wait for a compilation.

#[cfg(feature = "compiler")]
use crate::Error;
use crate::Result;

/// Added to the priority number of a compiling thread. 19 is the lowest priority.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NICER: i32 = 10;

/// Most threads of a compile child: each takes address space, which is limited there.
const MAX_IN_CHILD: usize = 8;

/// The same as [`on_all_cores`], with a bound on the number of threads.
///
/// The threads inherit the priority of the calling thread, which is already low if nobody waits.
pub(crate) fn in_child<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    on_cores(MAX_IN_CHILD, false, work)
}

/// Calls `work` on a thread pool of its own, at a low priority if it is in the background.
///
/// # Errors
///
/// [`ErrorKind::Io`](crate::ErrorKind::Io) when the threads cannot be started.
pub(crate) fn on_all_cores<T: Send>(
    background: bool,
    work: impl FnOnce() -> T + Send,
) -> Result<T> {
    on_cores(usize::MAX, background, work)
}

#[cfg(not(feature = "compiler"))]
fn on_cores<T: Send>(_: usize, _: bool, work: impl FnOnce() -> T + Send) -> Result<T> {
    Ok(work())
}

#[cfg(feature = "compiler")]
fn on_cores<T: Send>(max: usize, background: bool, work: impl FnOnce() -> T + Send) -> Result<T> {
    use std::{num::NonZero, thread};

    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(max);
    // A new pool per artifact: starting threads takes microseconds, and idle ones would keep memory.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(cores)
        .thread_name(|index| format!("wasi-sidecar-compile-{index}"))
        .start_handler(move |_| {
            if background {
                lower_priority();
            }
        })
        .build()
        .map_err(|error| {
            Error::io("start the threads for compiling", std::io::Error::other(error))
        })?;
    Ok(pool.install(work))
}

/// Lowers this thread's priority, so that compiling uses only what nothing else needs. Raising it again takes rights
/// that an application does not have. On Linux each thread has its own priority. Elsewhere it belongs to the process,
/// and stays unchanged.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn lower_priority() {
    use rustix::process;

    // If this fails, as in some containers, compiling competes with other work.
    if let Ok(priority) = process::getpriority_process(None) {
        let _ = process::setpriority_process(None, (priority + NICER).min(19));
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn lower_priority() {}

#[cfg(feature = "compiler")]
#[cfg(test)]
mod tests {
    use std::{num::NonZero, thread};

    use super::*;

    #[test]
    fn work_is_done_by_threads_of_the_pool() {
        let (name, threads) = on_all_cores(false, || {
            (thread::current().name().map(ToOwned::to_owned), rayon::current_num_threads())
        })
        .expect("threads");
        assert!(name.is_some_and(|name| name.starts_with("wasi-sidecar-compile-")));
        assert_eq!(Some(threads), thread::available_parallelism().ok().map(NonZero::get));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn they_have_a_low_priority_in_the_background_and_the_caller_keeps_its_own() {
        use rustix::process::getpriority_process;

        let before = getpriority_process(None).expect("a priority");
        let within = |background| {
            on_all_cores(background, || getpriority_process(None)).expect("threads").expect("one")
        };
        assert_eq!(within(true), (before + NICER).min(19));
        assert_eq!(within(false), before, "somebody waits");
        assert_eq!(getpriority_process(None), Ok(before));
    }
}
