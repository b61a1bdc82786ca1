//! The wall clock of guests: the system's, but never before 1970, where WASI's range begins.
//!
//! wasmtime's own clock panics before 1970, and an empty battery can set a clock to any date. No limit depends on this
//! clock: limits on time use clocks that only go forward.

use std::time::{Duration, SystemTime};

use wasmtime_wasi::{HostWallClock, clocks};

pub(super) struct Date;

impl HostWallClock for Date {
    fn resolution(&self) -> Duration {
        clocks::wall_clock().resolution()
    }

    fn now(&self) -> Duration {
        since_1970(SystemTime::now())
    }
}

fn since_1970(now: SystemTime) -> Duration {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_1970_stands_at_its_beginning() {
        let (epoch, second) = (SystemTime::UNIX_EPOCH, Duration::from_secs(1));
        for (now, told) in
            [(epoch - second, Duration::ZERO), (epoch, Duration::ZERO), (epoch + second, second)]
        {
            assert_eq!(since_1970(now), told, "{now:?}");
        }
    }
}
