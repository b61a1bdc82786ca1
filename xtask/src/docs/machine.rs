//! The machine that figures in `docs` were measured on.

use std::fs;

use crate::system::process;

/// Processors, memory and system, without names or addresses.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let cpu = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let memory = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let kb = text.lines().next()?.split_whitespace().nth(1)?.parse::<u64>().ok()?;
        Some(format!(", {} GB of memory", kb / 1_000_000))
    });
    let system = process::run(process::command("uname").arg("-sr")).unwrap_or_default();
    format!(
        "{cores} cores ({}){}, {}, {}",
        cpu.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        memory.unwrap_or_default(),
        system.trim(),
        std::env::consts::ARCH,
    )
}
