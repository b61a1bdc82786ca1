//! Parses and formats sizes and durations as people write them.
//!
//! A command line and a configuration file that both use it read `32MiB` and `1m30s` alike.
//!
//! ```
//! # fn main() -> wasi_sidecar::Result<()> {
//! use wasi_sidecar::{Limit, Limits, units};
//!
//! let limits = Limits::new().memory(units::parse_size("32 MiB")?).time(units::parse_duration("1m30s")?);
//! assert_eq!(limits.get(Limit::Memory).map(units::size).as_deref(), Some("32.0 MiB"));
//! # Ok(())
//! # }
//! ```

use std::time::Duration;

use crate::{Error, ErrorKind, Result};

const SIZES: &[(&str, u64)] = &[
    ("", 1),
    ("b", 1),
    ("k", 1 << 10),
    ("kib", 1 << 10),
    ("m", 1 << 20),
    ("mib", 1 << 20),
    ("g", 1 << 30),
    ("gib", 1 << 30),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
];

const TIMES: &[(&str, u64)] = &[
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Parses `32MiB`, `1 GiB`, `512k` or `65536` as bytes.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] for anything else. The text says what to write instead.
pub fn parse_size(text: &str) -> Result<u64> {
    size_of(text).map_err(|text| Error::new(ErrorKind::InvalidInput, text))
}

fn size_of(text: &str) -> Result<u64, String> {
    let help = "write a size like `32MiB`, `1GiB`, `512k` or `65536`";
    let (number, unit) = split(text.trim()).ok_or_else(|| help.to_owned())?;
    let unit = unit.trim().to_ascii_lowercase();
    let Some((_, factor)) = SIZES.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("`{unit}` is no unit of size; {help}"));
    };
    scale(number, *factor).ok_or_else(|| format!("`{number}` is no number or too large; {help}"))
}

/// Parses `500ms`, `30 s`, `1.5s` or `1m30s`. A number without a unit is an error: it could mean seconds or
/// milliseconds.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] for anything else and for zero. The text says what to write instead.
pub fn parse_duration(text: &str) -> Result<Duration> {
    duration_of(text).map_err(|text| Error::new(ErrorKind::InvalidInput, text))
}

fn duration_of(text: &str) -> Result<Duration, String> {
    let help = "write a duration like `500ms`, `30s`, `2m` or `1m30s`";
    let mut rest = text.trim();
    let mut nanoseconds = 0_u64;
    loop {
        let (number, after) = split(rest).ok_or_else(|| help.to_owned())?;
        let after = after.trim_start();
        let end = after
            .find(|character: char| character.is_ascii_digit() || character.is_whitespace())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let Some((_, factor)) = TIMES.iter().find(|(name, _)| *name == unit) else {
            return Err(match unit {
                "" => format!("`{number}` has no unit; {help}"),
                _ => format!("`{unit}` is no unit of time; {help}"),
            });
        };
        nanoseconds = scale(number, *factor)
            .and_then(|part| nanoseconds.checked_add(part))
            .ok_or_else(|| format!("`{text}` is no number or too long; {help}"))?;
        rest = after.trim_start();
        if rest.is_empty() {
            break;
        }
    }
    match nanoseconds {
        0 => Err("a limit of zero lets nothing run; leave the option out for no limit".into()),
        _ => Ok(Duration::from_nanos(nanoseconds)),
    }
}

/// Splits off the leading digits and dots.
fn split(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.');
    let (number, rest) = text.split_at(end.unwrap_or(text.len()));
    (!number.is_empty()).then_some((number, rest))
}

/// `number` times `factor`, exact, rounded down to a whole number.
fn scale(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // Nine digits are a billionth, finer than any unit here; more could overflow below.
    if fraction.len() > 9 || fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let parse = |digits: &str| if digits.is_empty() { Ok(0) } else { digits.parse::<u64>() };
    let denominator = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let numerator = u128::from(parse(whole).ok()?)
        .checked_mul(denominator)?
        .checked_add(u128::from(parse(fraction).ok()?))?;
    u64::try_from(numerator.checked_mul(u128::from(factor))? / denominator).ok()
}

/// Formats a size with three digits and a unit.
#[must_use]
pub fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1023.95 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    match unit {
        "B" => format!("{bytes} B"),
        _ => format!("{value:.1} {unit}"),
    }
}

/// Formats a size, and adds the number of bytes from 1 KiB on.
#[must_use]
pub fn exact_size(bytes: u64) -> String {
    match bytes {
        0..1024 => size(bytes),
        _ => format!("{} ({bytes} bytes)", size(bytes)),
    }
}

/// Formats a duration with a unit, rounded as people read it.
#[must_use]
pub fn time(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1e3;
    match milliseconds {
        ..0.9995 => format!("{:.0} µs", milliseconds * 1e3),
        ..99.95 => format!("{milliseconds:.1} ms"),
        ..999.5 => format!("{milliseconds:.0} ms"),
        _ => format!("{:.2} s", duration.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests;
