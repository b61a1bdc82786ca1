//! Drives the real program the way a shell does: arguments and bytes in, bytes and an exit code out.

#![expect(
    clippy::disallowed_methods,
    reason = "tests start the program that was built and make files for it"
)]
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod place;
mod proposals;
mod support;

mod compile;
mod ends;
#[cfg(target_os = "linux")]
mod faults;
mod files;
mod inspect;
mod killed;
mod refusals;
mod run;
