//! What the plugin adds to an app: two apps that differ in nothing else, stripped, and the crates that the difference comes
//! from. Built as Cargo builds for release, as Tauri advises for small apps, and so without the compiler.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::results::Row;
use crate::{build, paths, step};

/// What it is asked for by, alone.
pub(super) const NAME: &str = "size";

/// What it may add.
const BUDGET: f64 = 9.0;
const AIM: f64 = 6.0;

/// Crates that are told by name; the others are one number.
const TOLD: usize = 12;

/// A name, a profile, and what the apps are built with in place of their default features. `bench` is Cargo's `release`, with
/// the symbols that tell which crate a size comes from.
const BUILDS: [(&str, &str, &[&str]); 3] = [
    ("size added to a release app", "bench", &[]),
    ("size added, profile for small apps", "small", &[]),
    ("size added, the same without the compiler", "small", &["--no-default-features"]),
];

pub(super) fn measure() -> Result<Vec<Row>> {
    if !cfg!(target_os = "linux") {
        step::line("skipped", "the size of an app: it is measured on Linux");
        return Ok(Vec::new());
    }
    step::line("building", "apps with the plugin and without, for release (many minutes)");
    BUILDS.iter().map(|(name, profile, features)| built(name, profile, features)).collect()
}

fn built(name: &str, profile: &str, features: &[&str]) -> Result<Row> {
    // Not with the features of the whole workspace: its tools compile for all processors, an app for one.
    let command = [&["build", "--profile", profile, "--features", "size"], features].concat();
    let app = |name| build::executable_alone(&command, "webview-harness", name);
    let (plain, with_plugin) = (app("size-plain")?, app("size-with-plugin")?);
    let (theirs, ours) = (stripped(&plain)?, stripped(&with_plugin)?);
    let added = (ours - theirs) / 1e6;
    println!(
        "{name}: {added:.1} MB ({:.1} MB with the plugin, {:.1} MB without; budget ≤ {BUDGET} MB)",
        ours / 1e6,
        theirs / 1e6
    );
    let crates = by_crate(&with_plugin)?;
    let row = json!({
        "name": name, "unit": "MB", "n": 1, "ours": added, "more_is_better": false,
        "budget": format!("≤ {BUDGET}"), "aim": format!("≤ {AIM}"), "met": added <= BUDGET, "crates": crates,
    });
    Ok(Row(row.as_object().cloned().unwrap_or_default()))
}

/// Bytes of a program without its symbols.
fn stripped(program: &Path) -> Result<f64> {
    let output = paths::workspace().join("target/size-stripped");
    step::run(step::command("strip").arg("-o").arg(&output).arg(program))?;
    let length = fs::metadata(&output).context("it was made just now")?.len();
    fs::remove_file(output)?;
    Ok(length as f64)
}

/// KB of code and constants by crate, the largest first, told from the symbols.
fn by_crate(program: &Path) -> Result<Value> {
    let symbols = step::run(step::command("nm").args(["--print-size", "--demangle"]).arg(program))?;
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    for (name, size) in symbols.lines().filter_map(symbol) {
        *sizes.entry(name).or_default() += size;
    }
    let mut sizes: Vec<_> = sizes.into_iter().collect();
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let told = sizes.iter().take(TOLD);
    Ok(told.map(|(name, size)| json!({ "name": name, "kb": size / 1000 })).collect())
}

/// The crate of a line of `nm`, and the size of what it names.
fn symbol(line: &str) -> Option<(String, u64)> {
    let mut parts = line.splitn(4, ' ');
    let (_, size, kind, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if !matches!(kind, "t" | "T" | "r" | "R") {
        return None;
    }
    let size = u64::from_str_radix(size, 16).ok()?;
    // `<a::B as c::D>::e` belongs to `a`.
    let name = name.trim_start_matches(['<', '&', '*', '(', '[']).trim_start_matches("dyn ");
    let (krate, _) = name.split_once("::")?;
    let plain = krate.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    plain.then(|| (krate.to_owned(), size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_belongs_to_the_crate_of_its_type() {
        let rows = [
            ("00001000 00000010 t regalloc2::ion::run", Some(("regalloc2", 16))),
            (
                "00001000 00000100 T <wasmtime::Store<T> as core::ops::Drop>::drop",
                Some(("wasmtime", 256)),
            ),
            ("00001000 00000010 t memcpy", None),
            ("00001000 00000010 B wasmtime::runtime::X", None),
            ("                 U malloc", None),
        ];
        for (line, expected) in rows {
            let found = symbol(line);
            let found = found.as_ref().map(|(name, size)| (name.as_str(), *size));
            assert_eq!(found, expected, "{line}");
        }
    }
}
