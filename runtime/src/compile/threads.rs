//! The threads that compile: as many as there are cores, and only while there is something to do. They have a low priority if
//! nobody waits.
//!
//! The engine's compiler spreads its work over whatever pool of rayon's it is called in. The one it would find by itself is the
//! application's, which would then wait behind a compilation.

#[cfg(feature = "compiler")]
use crate::Error;
use crate::Result;

/// What is added to the priority number of a thread that compiles; 19 is the lowest priority there is.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NICER: i32 = 10;

/// Threads of a compile child: each takes address space, which there is limited.
const MAX_IN_CHILD: usize = 8;

/// The same as [`on_all_cores`], on fewer threads where there are very many cores.
///
/// They inherit the priority of the thread that starts them, which is lowered already if nobody waits.
pub(crate) fn in_child<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    on_cores(MAX_IN_CHILD, false, work)
}

/// Calls `work`, and lets what it does in parallel be done by threads of its own: of low priority if it is done in the
/// background.
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
    // Made anew for each artifact: starting threads takes microseconds, and idle ones would cost memory for good.
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

/// Gives this thread a low priority, so that compiling uses what nothing else needs. It cannot be given back without rights
/// that an application does not have. On Linux each thread has one of its own;
/// elsewhere it belongs to the process, and is left alone.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn lower_priority() {
    use rustix::process;

    // That it is refused, in a container for one, only means that compiling is not in the background.
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
