//! `cargo xtask soak`: runs everything at once for a long time, and checks that nothing leaks.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::build::cargo;
use crate::docs::{machine, section};
use crate::guests;
use crate::system::{console, paths, process};

/// Makes glibc's allocator return freed memory. By default the process keeps up to 100 MiB of it, which would hide a leak of
/// 10 MiB. Other allocators ignore these variables.
const ALLOCATOR: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "131072"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
    ("MALLOC_ARENA_MAX", "2"),
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many minutes to run, after a warm-up of about one
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Repeat a run with the seed that it printed
    #[arg(long)]
    seed: Option<u64>,
    /// Write the figures to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write the figures to docs/soak.md
    #[arg(long)]
    docs: bool,
    /// With --docs: use the figures in this file instead of a new run
    #[arg(long, requires = "docs")]
    from: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if let Some(file) = &arguments.from {
        return write_page(file);
    }
    ensure!(arguments.minutes > 0.0, "`--minutes` needs a number above 0");
    guests::build(&["rust".to_owned()])?;
    console::step("building", "the soak test, optimised (takes minutes the first time)");
    let program = cargo::executable(&["bench", "--no-run"], "--bench", "soak")?;
    let scratch = paths::workspace().join("target/soak.json");
    let file = arguments.json.as_ref().unwrap_or(&scratch);
    let mut soak = process::command(program);
    soak.envs(ALLOCATOR);
    soak.args(["--minutes", &arguments.minutes.to_string()]).arg("--json").arg(file);
    if let Some(seed) = arguments.seed {
        soak.args(["--seed", &seed.to_string()]);
    }
    process::show(&mut soak)?;
    if arguments.docs { write_page(file) } else { Ok(()) }
}

fn write_page(file: &Path) -> Result<()> {
    let text = std::fs::read_to_string(file).context("cannot read the soak test's figures")?;
    let figures = serde_json::from_str(&text).context("the soak test's figures are not JSON")?;
    section::replace(
        "docs/soak.md",
        "cargo xtask soak --docs",
        &page(&figures, &machine::describe()),
    )
}

fn page(figures: &Value, machine: &str) -> String {
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

/// Splits a name in camel case: `KillCrowd` is `kill crowd`.
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
    fn the_page_marks_what_leaks() {
        let figures = serde_json::json!({
            "minutes": 10.0, "tasks": 10, "seed": 7, "scenes": { "KillCrowd": 3, "Spawn": 4 },
            "cache": { "damaged": 1, "loaded": 2, "compiled": 3 },
            "held": [
                { "name": "memory", "unit": "MiB", "baseline": 40.25, "end": 41.0, "margin": 16.0, "met": true },
                { "name": "threads", "unit": "", "baseline": 9.0, "end": 10.0, "margin": 0.0, "met": false },
            ],
        });
        let text = page(&figures, "a machine");
        assert!(text.contains("10 minutes, 10 tasks at once, seed 7, 7 scenes"), "{text}");
        assert!(text.contains("| memory | 40.3 MiB | 41 MiB | 16 MiB | ✓ |\n"), "{text}");
        assert!(text.contains("| threads | 9 | 10 | 0 | **not back** |\n"), "{text}");
        assert!(text.contains("| kill crowd | 3 |\n"), "{text}");
    }
}
