//! I: a crash reporter of the application's, which wants to hear of faults of the process, beside an engine that learns from the
//! same signal that a guest has left its memory. Signals belong to a whole process: each row runs alone, on Linux.

use super::table::{On, Row, row};

pub(super) fn rows() -> Vec<Row> {
    let trap = "trap: out of bounds memory access";
    let rows = [
        ("before the engine is made, and a guest that leaves its memory", true, trap),
        ("while guests run, and a guest that leaves its memory", false, trap),
        ("before the engine is made, and a fault of the process", true, REPORTED),
        ("while guests run, and a fault of the process", false, REPORTED),
    ];
    let row_of = |(what, before, expected): (&'static str, bool, &'static str)| {
        row(131, format!("a crash reporter is installed {what}"), expected, async move |_| {
            observed(before, expected == REPORTED).await
        })
        .on(On::Linux)
        .alone()
    };
    rows.into_iter().map(row_of).collect()
}

/// What the reporter says of the fault it is for.
const REPORTED: &str = "it is reported";

#[cfg(target_os = "linux")]
async fn observed(before: bool, of_the_process: bool) -> String {
    use std::sync::atomic::Ordering;

    use super::wasm::{ends_by_itself, starting};

    if before {
        signal::install();
    }
    // The engine is made, at the latest.
    assert_eq!(ends_by_itself(starting("")).await, "exit 0");
    if !before {
        signal::install();
    }
    let beyond = starting("(drop (i32.load (i32.const 0x7fff0000)))");
    let end = ends_by_itself(beyond).await;
    // Whoever is installed last is asked first, and passes on what is not for it.
    let asked = signal::ASKED.load(Ordering::Relaxed);
    match (before, asked) {
        (true, 0) | (false, 1) => {}
        _ => return format!("{end}; it was asked {asked} times"),
    }
    if of_the_process {
        signal::fault();
    }
    end
}

#[cfg(not(target_os = "linux"))]
async fn observed(_: bool, _: bool) -> String {
    "only Linux is asked".into()
}

/// As crash reporters are: it passes on what another was there for before it, and otherwise reports and ends the process.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "std has nothing for signals")]
mod signal {
    use std::{
        mem::MaybeUninit,
        ptr,
        sync::{
            OnceLock,
            atomic::{AtomicBool, AtomicUsize, Ordering},
        },
    };

    pub(super) static ASKED: AtomicUsize = AtomicUsize::new(0);

    static EARLIER: OnceLock<libc::sigaction> = OnceLock::new();
    static FAULTING: AtomicBool = AtomicBool::new(false);

    pub(super) fn install() {
        let mut earlier = MaybeUninit::uninit();
        // SAFETY: all zeros is a set of signals that is empty, flags that are none, and no handler.
        let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        action.sa_sigaction = asked as *const () as usize;
        // On a stack of its own, as a fault may be that there is none left.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        // SAFETY: the action is whole and its handler has the signature that `SA_SIGINFO` says; the earlier one is written.
        let earlier = unsafe {
            assert_eq!(libc::sigaction(libc::SIGSEGV, &action, earlier.as_mut_ptr()), 0);
            earlier.assume_init()
        };
        assert!(EARLIER.set(earlier).is_ok(), "installed once");
    }

    /// A fault that no guest has to do with.
    pub(super) fn fault() {
        FAULTING.store(true, Ordering::Relaxed);
        // SAFETY: nothing lies there, and that the process ends of it is what this is for.
        unsafe { ptr::read_volatile(ptr::without_provenance::<u8>(8)) };
    }

    extern "C" fn asked(
        signal: libc::c_int,
        info: *mut libc::siginfo_t,
        context: *mut libc::c_void,
    ) {
        ASKED.fetch_add(1, Ordering::Relaxed);
        if FAULTING.load(Ordering::Relaxed) {
            // In the words of a row that runs alone.
            let text = b"\nobserved: it is reported\n";
            // SAFETY: both may be called while a signal is handled; the text is as long as it says.
            unsafe {
                libc::write(1, text.as_ptr().cast(), text.len());
                libc::_exit(0);
            }
        }
        let earlier = EARLIER.get().map_or(libc::SIG_DFL, |earlier| earlier.sa_sigaction);
        if matches!(earlier, libc::SIG_DFL | libc::SIG_IGN) {
            // SAFETY: as above.
            unsafe { libc::_exit(1) };
        }
        // SAFETY: those that are installed before this one are Rust's and the engine's, with this signature.
        unsafe {
            let earlier: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                std::mem::transmute(earlier);
            earlier(signal, info, context);
        }
    }
}
