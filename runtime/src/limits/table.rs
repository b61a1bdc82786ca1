//! The table of limits, one row each: the source of defaults, ranges, options, configuration keys and `docs/limits.md`.

use crate::Limit;

const MIB: u64 = 1 << 20;

/// The unit of a limit's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitUnit {
    /// Bytes; written like `32MiB`.
    Bytes,
    /// Nanoseconds; written like `30s`.
    Time,
    /// A number of things.
    Count,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LimitInfo {
    /// What it bounds, as a line of help.
    pub about: &'static str,
    /// The unit of its value.
    pub unit: LimitUnit,
    /// The default; `None` is unlimited.
    pub default: Option<u64>,
    /// The smallest valid value.
    pub least: u64,
    /// Why smaller values are invalid.
    pub(super) least_why: &'static str,
    /// The largest valid value.
    pub most: u64,
}

const ROW: LimitInfo = LimitInfo {
    about: "",
    unit: LimitUnit::Count,
    default: None,
    least: 0,
    least_why: "",
    most: u64::MAX,
};

impl Limit {
    /// Its row in the table of limits.
    ///
    /// ```
    /// use wasi_sidecar::{Limit, LimitUnit};
    ///
    /// assert_eq!(Limit::Memory.info().unit, LimitUnit::Bytes);
    /// assert_eq!(Limit::Memory.info().default, Some(256 << 20));
    /// ```
    #[must_use]
    pub const fn info(self) -> LimitInfo {
        match self {
            Self::Memory => LimitInfo {
                about: "Bytes of memory, and of what the host keeps for its instances",
                unit: LimitUnit::Bytes,
                default: Some(256 * MIB),
                least: 64 << 10,
                least_why: "one page",
                // 32-bit memories end there.
                most: 4096 * MIB,
                ..ROW
            },
            Self::Time => LimitInfo {
                about: "Time on the clock from the start of its code",
                unit: LimitUnit::Time,
                least: 1,
                least_why: "leave it out for no limit",
                ..ROW
            },
            Self::CpuTime => LimitInfo {
                about: "Time it may spend computing",
                unit: LimitUnit::Time,
                least: 1,
                least_why: "leave it out for no limit",
                ..ROW
            },
            Self::TableElements => LimitInfo {
                about: "Elements in all tables together",
                default: Some(100_000),
                ..ROW
            },
            Self::Instances => LimitInfo {
                about: "Core instances it may consist of",
                default: Some(128),
                least: 1,
                least_why: "without one nothing runs",
                ..ROW
            },
            Self::Memories => LimitInfo {
                about: "Linear memories it may have",
                default: Some(8),
                least: 1,
                least_why: "without one nothing runs",
                ..ROW
            },
            Self::Tables => LimitInfo { about: "Tables it may have", default: Some(64), ..ROW },
            Self::Handles => LimitInfo {
                about: "Files, directories, streams and timers it may hold open at once",
                default: Some(512),
                least: 16,
                least_why: "for the standard streams and granted directories",
                ..ROW
            },
            Self::Sockets => {
                LimitInfo { about: "Sockets it may hold open at once", default: Some(64), ..ROW }
            }
            Self::CallBytes => LimitInfo {
                about: "Bytes one call may hand to the host",
                unit: LimitUnit::Bytes,
                default: Some(MIB),
                least: 8 << 10,
                least_why: "for writes of 4 KiB",
                ..ROW
            },
            Self::RandomBytes => LimitInfo {
                about: "Random bytes one call may ask for",
                unit: LimitUnit::Bytes,
                default: Some(64 << 10),
                ..ROW
            },
        }
    }
}
