//! `cargo xtask soak`: everything at once for a long time, and what is left of it in the end.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{bench, build, guests, marks, paths, step};

/// How the C library's allocator is told to give back what was freed: a size from which a block is mapped for itself, the most
/// that stays at the end of an arena, and few arenas. Otherwise the process keeps up to a hundred MiB that nobody holds,
/// more or less of them each time, and a leak of ten would not show. Other allocators do not read these.
const ALLOCATOR: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "131072"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
    ("MALLOC_ARENA_MAX", "2"),
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// For so many minutes, after a warm-up of about one
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Repeat what chance did in another run, which has said its seed
    #[arg(long)]
    seed: Option<u64>,
    /// Write the figures to this file as well
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write them into docs/soak.md
    #[arg(long)]
    docs: bool,
    /// With --docs: those that an earlier run has written to this file
    #[arg(long, requires = "docs")]
    from: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if let Some(file) = &arguments.from {
        return tell(file);
    }
    ensure!(arguments.minutes > 0.0, "`--minutes` needs a number above 0");
    guests::build(&["rust".to_owned()])?;
    step::line("building", "the soak test, optimised (minutes, the first time)");
    let program = build::executable(&["bench", "--no-run"], "--bench", "soak")?;
    let file = match &arguments.json {
        Some(file) => std::path::absolute(file)?,
        None => paths::workspace().join("target/soak.json"),
    };
    let mut soak = step::command(program);
    soak.envs(ALLOCATOR);
    soak.args(["--minutes", &arguments.minutes.to_string()]).arg("--json").arg(&file);
    if let Some(seed) = arguments.seed {
        soak.args(["--seed", &seed.to_string()]);
    }
    step::show(&mut soak)?;
    if arguments.docs { tell(&file) } else { Ok(()) }
}

/// Writes `docs/soak.md`.
fn tell(file: &Path) -> Result<()> {
    let text = std::fs::read_to_string(file).context("the soak test left no figures")?;
    let figures = serde_json::from_str(&text).context("its figures are JSON")?;
    marks::renew("soak.md", "cargo xtask soak --docs", &made(&figures, &bench::machine()))
}

fn made(figures: &Value, machine: &str) -> String {
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let scenes = figures["scenes"].as_object().cloned().unwrap_or_default();
    let mut text = format!(
        "Measured on {machine}: {} minutes, {} tasks at once, seed {}, {:.0} scenes. No outcome was wrong.\n\n",
        number(&figures["minutes"]),
        figures["tasks"],
        figures["seed"],
        scenes.values().map(number).sum::<f64>(),
    );
    text.push_str("| what the process holds | baseline | at the end | may be more by | |\n");
    text.push_str("|---|--:|--:|--:|---|\n");
    for row in figures["held"].as_array().into_iter().flatten() {
        let unit = row["unit"].as_str().unwrap_or_default();
        let amount = |key: &str| {
            let value = (number(&row[key]) * 10.0).round() / 10.0;
            format!("{value} {unit}").trim_end().to_owned()
        };
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            row["name"].as_str().unwrap_or_default(),
            amount("baseline"),
            amount("end"),
            amount("margin"),
            if row["met"] == Value::Bool(true) { "✓" } else { "**not back**" },
        ));
    }
    let cache = &figures["cache"];
    text.push_str(&format!(
        "\nThe code cache was damaged {} times; {} engines loaded code from it, and {} compiled instead.\n\n",
        cache["damaged"], cache["loaded"], cache["compiled"]
    ));
    text.push_str("| scene | times |\n|---|--:|\n");
    for (scene, times) in &scenes {
        text.push_str(&format!("| {} | {times} |\n", words(scene)));
    }
    text
}

/// `KillCrowd` as `kill crowd`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(character.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_back_is_said() {
        let figures = serde_json::json!({
            "minutes": 10.0, "tasks": 10, "seed": 7, "scenes": { "KillCrowd": 3, "Spawn": 4 },
            "cache": { "damaged": 1, "loaded": 2, "compiled": 3 },
            "held": [
                { "name": "memory", "unit": "MiB", "baseline": 40.25, "end": 41.0, "margin": 16.0, "met": true },
                { "name": "threads", "unit": "", "baseline": 9.0, "end": 10.0, "margin": 0.0, "met": false },
            ],
        });
        let text = made(&figures, "a machine");
        assert!(text.contains("10 minutes, 10 tasks at once, seed 7, 7 scenes"), "{text}");
        assert!(text.contains("| memory | 40.3 MiB | 41 MiB | 16 MiB | ✓ |\n"), "{text}");
        assert!(text.contains("| threads | 9 | 10 | 0 | **not back** |\n"), "{text}");
        assert!(text.contains("| kill crowd | 3 |\n"), "{text}");
    }
}
