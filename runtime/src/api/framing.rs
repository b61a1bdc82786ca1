//! How a child's output is split into events.

use std::time::Duration;

/// How output is split into events.
///
/// ```
/// # fn events(child: wasi_sidecar::Child) {
/// use wasi_sidecar::Framing;
///
/// assert_eq!(Framing::default(), Framing::lines());
/// let (events, child) = child.into_events(Framing::lines().max_line(64 << 10));
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// One event per line, terminator included. A line ends at `\n`, `\r\n` or a lone `\r`, however the bytes arrive.
    /// The last line may have no terminator.
    #[non_exhaustive]
    Lines {
        /// Longest line in bytes that is delivered whole. A longer line comes in pieces of this size.
        max: usize,
        /// How long an unfinished line is held back. `None`: until it is finished.
        partial_after: Option<Duration>,
    },
    /// Whole lines like [`Lines`](Self::Lines), with all pending lines in one event. Several times faster than one
    /// event per line, for code that forwards lines or splits them itself.
    #[non_exhaustive]
    LineBlocks {
        /// Longest unfinished line in bytes. A longer one comes in pieces.
        max: usize,
    },
    /// Bytes as they arrive.
    Raw,
}

impl Framing {
    /// Default for the longest line that is delivered whole: 16 MiB.
    pub const MAX_LINE: usize = 16 << 20;

    /// Lines of at most 16 MiB. An unfinished line is held back until it is finished.
    #[must_use]
    pub const fn lines() -> Self {
        Self::Lines { max: Self::MAX_LINE, partial_after: None }
    }

    /// Blocks of whole lines of at most 16 MiB each.
    #[must_use]
    pub const fn line_blocks() -> Self {
        Self::LineBlocks { max: Self::MAX_LINE }
    }

    /// Delivers lines of up to `bytes` whole, and longer ones in pieces of that size.
    #[must_use]
    pub const fn max_line(self, bytes: usize) -> Self {
        match self {
            Self::Lines { partial_after, .. } => Self::Lines { max: bytes, partial_after },
            Self::LineBlocks { .. } => Self::LineBlocks { max: bytes },
            Self::Raw => Self::Raw,
        }
    }

    /// Delivers an unfinished line once nothing was added to it for this long, such as a prompt or a progress bar. The
    /// rest of the line is then an event of its own.
    #[must_use]
    pub const fn partial_after(self, quiet: Duration) -> Self {
        match self {
            Self::Lines { max, .. } => Self::Lines { max, partial_after: Some(quiet) },
            Self::LineBlocks { .. } | Self::Raw => self,
        }
    }
}

impl Default for Framing {
    fn default() -> Self {
        Self::lines()
    }
}
