//! Prints a line per guest, and at the end how many were built, cached or are missing.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::system::console;

pub(crate) struct Report {
    start: Instant,
    built: usize,
    cached: usize,
    missing: Vec<String>,
}

impl Report {
    pub(crate) fn new() -> Report {
        Report { start: Instant::now(), built: 0, cached: 0, missing: Vec::new() }
    }

    pub(crate) fn built(&mut self, guest: &str, time: Duration, sizes: &str) {
        self.built += 1;
        console::step("built", &format!("{guest:<16} {:>5.1} s   {sizes}", time.as_secs_f64()));
    }

    pub(crate) fn cached(&mut self, guest: &str, sizes: &str) {
        self.cached += 1;
        console::step("cached", &format!("{guest:<16}       -   {sizes}"));
    }

    /// `verb` is `skipped` without a compiler, `failed` if the guest does not compile.
    pub(crate) fn missing(&mut self, verb: &str, guest: &str, reason: &str) {
        console::step(verb, &format!("{guest:<16} {reason}"));
        self.missing.push(guest.to_owned());
    }

    /// Prints the totals. A missing guest is an error, because tests need all of them.
    pub(crate) fn finish(self) -> Result<()> {
        let Report { start, built, cached, missing } = self;
        let seconds = start.elapsed().as_secs_f64();
        console::step(
            "guests",
            &format!("{built} built, {cached} cached, {} missing in {seconds:.1} s", missing.len()),
        );
        if !missing.is_empty() {
            bail!("not built: {}", missing.join(", "));
        }
        Ok(())
    }
}

/// Formats the size of a file.
pub(crate) fn size(path: &Path) -> String {
    match path.metadata().map(|metadata| metadata.len()) {
        Ok(bytes) if bytes < 1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        Ok(bytes) => format!("{:.1} MB", bytes as f64 / 1e6),
        Err(error) => error.to_string(),
    }
}
