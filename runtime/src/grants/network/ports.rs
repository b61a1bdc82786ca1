//! Ports of a rule: one, a range, or all.

use std::fmt;

/// The ports that a rule covers. Port 0 is none of them: to a socket it means "any".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ports {
    first: u16,
    last: u16,
}

impl Ports {
    const ALL: Self = Self { first: 1, last: u16::MAX };

    /// One port. `None` for 0.
    pub(in super::super) fn one(port: u16) -> Option<Self> {
        (port != 0).then_some(Self { first: port, last: port })
    }

    /// Whether `port` is covered.
    pub(crate) fn contains(&self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    /// Reads `443`, `8000-8010` or `*`, or says what is wrong in words that go on after the whole entry.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::ALL);
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (read_port(first)?, read_port(last)?);
        if first > last {
            return Err(format!(
                "has a port range that ends before it starts; write `{last}-{first}`"
            ));
        }
        Ok(Self { first, last })
    }
}

/// Reads one port. Zeros in front and signs are refused: no other program writes a port so.
pub(in super::super) fn read_port(text: &str) -> Result<u16, String> {
    if text.is_empty() {
        return Err(
            "has no port after `:`; write one like `443`, a range like `8000-8010`, or `*` for all"
                .to_owned(),
        );
    }
    if text.contains(['/', '?', '#']) {
        return Err("has a path after its port; remove it".to_owned());
    }
    if text == "0" {
        return Err("has port 0, which nothing can be reached at; write the port, or `*` for all"
            .to_owned());
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| digits).ok_or_else(|| {
        "has a port that is no number from 1 to 65535; write one like `443`, a range like `8000-8010`, or `*` for all"
            .to_owned()
    })
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            &Self::ALL => f.write_str("*"),
            Self { first, last } if first == last => first.fmt(f),
            Self { first, last } => write!(f, "{first}-{last}"),
        }
    }
}
