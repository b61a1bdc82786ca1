//! Measures the size that the plugin adds to an app: the difference between two stripped apps, with the plugin and without.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::results::Row;
use crate::build::cargo;
use crate::system::{console, paths, process};

/// Its name in `--only`.
pub(crate) const NAME: &str = "size";

/// Megabytes that the plugin may add, and those that we aim for.
const BUDGET: f64 = 9.0;
const AIM: f64 = 6.0;

/// How many crates are listed.
const LISTED: usize = 12;

/// Name, profile and feature arguments of each comparison. The profile `bench` is `release` with symbols, which tell the crate
/// of each function.
const BUILDS: [(&str, &str, &[&str]); 3] = [
    ("size added to a release app", "bench", &[]),
    ("size added, profile for small apps", "small", &[]),
    ("size added, the same without the compiler", "small", &["--no-default-features"]),
];

pub(crate) fn measure() -> Result<Vec<Row>> {
    if !cfg!(target_os = "linux") {
        console::step("skipped", "the size of an app: it is measured on Linux");
        return Ok(Vec::new());
    }
    console::step("building", "apps with the plugin and without, for release (takes many minutes)");
    BUILDS.iter().map(|(name, profile, features)| compare(name, profile, features)).collect()
}

fn compare(name: &str, profile: &str, features: &[&str]) -> Result<Row> {
    // With an app's own features: the workspace's tools compile for all processors, an app for one.
    let command = [&["build", "--profile", profile, "--features", "size"], features].concat();
    let app = |name| cargo::executable_alone(&command, "webview-harness", name);
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

/// The size of a program without symbols, in bytes.
fn stripped(program: &Path) -> Result<f64> {
    let output = paths::workspace().join("target/size-stripped");
    process::run(process::command("strip").arg("-o").arg(&output).arg(program))?;
    let length = fs::metadata(&output).context("`strip` left no output")?.len();
    fs::remove_file(output)?;
    Ok(length as f64)
}

/// Sizes of code and constants by crate in KB, from the symbols; the largest first.
fn by_crate(program: &Path) -> Result<Value> {
    let symbols =
        process::run(process::command("nm").args(["--print-size", "--demangle"]).arg(program))?;
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    for (name, size) in symbols.lines().filter_map(symbol) {
        *sizes.entry(name).or_default() += size;
    }
    let mut sizes: Vec<_> = sizes.into_iter().collect();
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let largest = sizes.iter().take(LISTED);
    Ok(largest.map(|(name, size)| json!({ "name": name, "kb": size / 1000 })).collect())
}

/// The crate and the size of a symbol, from a line of `nm`.
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
