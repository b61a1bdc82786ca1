//! One line per guest: built, cached, or skipped and why; and at the end whether anything is missing.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::step;

pub(super) struct Report {
    start: Instant,
    built: usize,
    cached: usize,
    missing: Vec<String>,
}

impl Report {
    pub(super) fn new() -> Report {
        Report { start: Instant::now(), built: 0, cached: 0, missing: Vec::new() }
    }

    pub(super) fn built(&mut self, guest: &str, time: Duration, sizes: &str) {
        self.built += 1;
        step::line("built", &format!("{guest:<16} {:>5.1} s   {sizes}", time.as_secs_f64()));
    }

    pub(super) fn cached(&mut self, guest: &str, sizes: &str) {
        self.cached += 1;
        step::line("cached", &format!("{guest:<16}       -   {sizes}"));
    }

    /// The compiler cannot be had.
    pub(super) fn skipped(&mut self, guest: &str, reason: &str) {
        step::line("skipped", &format!("{guest:<16} {reason}"));
        self.missing.push(guest.to_owned());
    }

    /// The compiler refused the program.
    pub(super) fn failed(&mut self, guest: &str, reason: &str) {
        step::line("failed", &format!("{guest:<16} {reason}"));
        self.missing.push(guest.to_owned());
    }

    /// A guest that is not there is an error, in the end: a test would miss it.
    pub(super) fn finish(self) -> Result<()> {
        let Report { start, built, cached, missing } = self;
        let seconds = start.elapsed().as_secs_f64();
        step::line(
            "guests",
            &format!("{built} built, {cached} cached, {} missing in {seconds:.1} s", missing.len()),
        );
        if !missing.is_empty() {
            bail!("not built: {}", missing.join(", "));
        }
        Ok(())
    }
}

/// A file's size for people.
pub(super) fn size(path: &Path) -> String {
    match path.metadata().map(|metadata| metadata.len()) {
        Ok(bytes) if bytes < 1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        Ok(bytes) => format!("{:.1} MB", bytes as f64 / 1e6),
        Err(error) => error.to_string(),
    }
}
