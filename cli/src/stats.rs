//! Reports what a run took, as text or as one line of JSON, on standard error.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use serde::Serialize;
use wasi_sidecar::{Child, CodeOrigin, Component, Limit, Termination, units};

use crate::{
    args::StatsFormat,
    report::{self, LABEL, TITLE},
    spelling,
    streams::Counts,
};

/// The shape of `--stats=json`. Names are stable; fields may be added. All times count from the start of the guest,
/// before its code is loaded or compiled.
#[derive(Debug, Serialize)]
pub(crate) struct Stats {
    backend: String,
    kind: &'static str,
    /// Where the code came from: `cache`, or `compiled` just now.
    code: Option<&'static str>,
    /// Until the code was ready: loaded from the cache, or compiled.
    ready_seconds: Option<f64>,
    /// Until the first byte of output arrived, if there was any.
    first_byte_seconds: Option<f64>,
    /// Until the guest had ended and all its output was written.
    run_seconds: f64,
    /// Time spent computing.
    cpu_seconds: f64,
    memory_peak_bytes: u64,
    stdin_bytes: u64,
    stdout_bytes: u64,
    stderr_bytes: u64,
    /// `exited`, `trapped`, `out-of-time`, `out-of-cpu-time`, `out-of-memory`, `out-of-limit`, or `killed`.
    end: &'static str,
    /// The option of the limit that refused the guest something while it ran on: `--memory`, `--handles`, …
    refused: Option<String>,
    /// The exit code of this process.
    exit_code: u8,
}

/// The moments of a run.
#[derive(Debug)]
pub(crate) struct Moments {
    pub(crate) begin: Instant,
    pub(crate) ready: Option<Instant>,
}

impl Stats {
    pub(crate) fn new(
        component: &Component,
        child: &Child,
        moments: &Moments,
        counts: &Counts,
        (end, exit_code): (&Termination, u8),
    ) -> Self {
        let since = |moment: Instant| moment.saturating_duration_since(moments.begin).as_secs_f64();
        let usage = child.usage().unwrap_or_default();
        Self {
            backend: child.backend().to_string(),
            kind: component.artifact().kind().as_str(),
            code: component.code_origin().map(|origin| match origin {
                CodeOrigin::Cache => "cache",
                CodeOrigin::AheadOfTime => "ahead of time",
                _ => "compiled",
            }),
            ready_seconds: moments.ready.map(since),
            first_byte_seconds: counts.first.get().copied().map(since),
            run_seconds: since(Instant::now()),
            cpu_seconds: usage.cpu_time.as_secs_f64(),
            memory_peak_bytes: usage.memory_peak,
            stdin_bytes: counts.stdin.load(Ordering::Relaxed),
            stdout_bytes: counts.stdout.load(Ordering::Relaxed),
            stderr_bytes: counts.stderr.load(Ordering::Relaxed),
            end: end_name(end),
            refused: usage.refused.map(|limit| format!("--{}", spelling::option(limit))),
            exit_code,
        }
    }

    pub(crate) fn show(&self, format: StatsFormat) {
        report::note(&match format {
            StatsFormat::Text => self.text(),
            StatsFormat::Json => match serde_json::to_string(self) {
                Ok(line) => line + "\n",
                Err(error) => return report::warning(&format!("no statistics: {error}")),
            },
        });
    }

    fn text(&self) -> String {
        let time = |seconds: f64| units::time(Duration::from_secs_f64(seconds));
        let after = |seconds: Option<f64>| match seconds {
            Some(seconds) => format!("after {}", time(seconds)),
            None => "never".into(),
        };
        let code = match self.code {
            Some("cache") => "from the code cache",
            Some(_) => "compiled",
            None => "not made",
        };
        let rows = [
            ("backend", format!("{}, {}", self.backend, self.kind.replace('-', " "))),
            ("code ready", format!("{}, {code}", after(self.ready_seconds))),
            ("first byte", after(self.first_byte_seconds)),
            ("end", format!("{}, {}", after(Some(self.run_seconds)), self.end.replace('-', " "))),
            ("CPU time", time(self.cpu_seconds)),
            ("memory peak", units::size(self.memory_peak_bytes)),
            ("stdin", units::exact_size(self.stdin_bytes)),
            ("stdout", units::exact_size(self.stdout_bytes)),
            ("stderr", units::exact_size(self.stderr_bytes)),
            ("exit code", self.exit_code.to_string()),
        ];
        let refused =
            self.refused.as_ref().map(|option| ("refused", format!("more than {option} allows")));
        let rows = rows.into_iter().chain(refused);
        let rows = rows.map(|(label, value)| format!("  {LABEL}{label:<12}{LABEL:#} {value}\n"));
        format!("{TITLE}statistics{TITLE:#}\n{}", rows.collect::<String>())
    }
}

fn end_name(end: &Termination) -> &'static str {
    match end {
        Termination::Exited(_) => "exited",
        Termination::Trapped(_) => "trapped",
        Termination::OutOf(Limit::Time) => "out-of-time",
        Termination::OutOf(Limit::CpuTime) => "out-of-cpu-time",
        Termination::OutOf(Limit::Memory) => "out-of-memory",
        Termination::OutOf(_) => "out-of-limit",
        _ => "killed",
    }
}
