//! The `encoding` option, and how output is framed for it.

use std::time::Duration;

use wasi_sidecar::Framing;

use crate::{Error, Result};

/// How output is converted for a webview.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OutputEncoding {
    /// Strict UTF-8, line by line.
    Utf8,
    /// Decoded; invalid input becomes U+FFFD.
    Label(&'static encoding_rs::Encoding),
    /// Unchanged bytes.
    Raw,
}

impl OutputEncoding {
    /// Parses the `encoding` option of a call.
    pub(crate) fn from_option(option: Option<&str>) -> Result<Self> {
        match option {
            None => Ok(Self::Utf8),
            Some("raw") => Ok(Self::Raw),
            Some(label) => encoding_rs::Encoding::for_label(label.as_bytes())
                .map(Self::Label)
                .ok_or_else(|| Error::UnknownEncoding(label.to_owned())),
        }
    }

    /// Decodes a whole output, for `execute`.
    pub(crate) fn text(self, bytes: Vec<u8>) -> Result<String> {
        match self {
            Self::Label(encoding) => Ok(encoding.decode_with_bom_removal(&bytes).0.into_owned()),
            Self::Utf8 | Self::Raw => Ok(String::from_utf8(bytes)?),
        }
    }
}

/// How a child's output is delivered to a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutputOptions {
    pub(crate) encoding: OutputEncoding,
    /// How long an unfinished line is held; `None` for ever.
    pub(crate) partial_after: Option<Duration>,
    /// Longest line, in bytes, that is delivered whole.
    pub(crate) max_line: usize,
}

impl OutputOptions {
    /// How the runtime frames the output before it is decoded.
    pub(crate) fn framing(self) -> Framing {
        let lines = Framing::lines().max_line(self.max_line);
        match (self.encoding, self.partial_after) {
            (OutputEncoding::Utf8, Some(quiet)) => lines.partial_after(quiet),
            (OutputEncoding::Utf8, None) => lines,
            (OutputEncoding::Label(_) | OutputEncoding::Raw, _) => Framing::Raw,
        }
    }
}
