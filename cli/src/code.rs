//! Exit codes: the guest's own, or what a shell reports for a native program that ended the same way.

use wasi_sidecar::{Limit, Termination};

/// The guest exceeded a limit on time, as `timeout` reports it.
pub(crate) const OUT_OF_TIME: u8 = 124;
/// The guest could not be run, or the host failed, as `timeout` and `docker run` report it.
pub(crate) const COULD_NOT_RUN: u8 = 125;
/// 128 + SIGINT: interrupted from the terminal.
pub(crate) const INTERRUPTED: u8 = 130;
/// 128 + SIGABRT: the guest trapped.
pub(crate) const TRAPPED: u8 = 134;
/// 128 + SIGKILL: the guest was killed, or exceeded a limit other than time.
pub(crate) const KILLED: u8 = 137;
/// 128 + SIGPIPE: nobody reads the output any more.
pub(crate) const BROKEN_PIPE: u8 = 141;

/// The exit code for the end of a guest.
pub(crate) fn of(end: &Termination) -> u8 {
    match end {
        // Components and modules only have codes from 0 to 255.
        Termination::Exited(code) => u8::try_from(*code).unwrap_or(1),
        Termination::Trapped(_) => TRAPPED,
        Termination::OutOf(Limit::Time | Limit::CpuTime) => OUT_OF_TIME,
        _ => KILLED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_its_code() {
        let rows = [
            (Termination::Exited(0), 0),
            (Termination::Exited(42), 42),
            (Termination::Exited(255), 255),
            (Termination::Trapped("unreachable".into()), 134),
            (Termination::OutOf(Limit::Time), 124),
            (Termination::OutOf(Limit::CpuTime), 124),
            (Termination::OutOf(Limit::Memory), 137),
            (Termination::OutOf(Limit::TableElements), 137),
            (Termination::Killed, 137),
        ];
        for (end, code) in rows {
            assert_eq!(of(&end), code, "{end}");
        }
    }
}
