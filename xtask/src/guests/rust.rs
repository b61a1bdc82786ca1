//! Rust guests: each built three times from one source, as a component, as a module and for this machine.
//!
//! Cargo builds all that are not up to date in one run per target, in a target directory of its own, so that it waits
//! for no other cargo in this workspace. Most are programs of one package; one that is built in another way, or has
//! dependencies that the others should not wait for, is a package of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use wasi_sidecar_guests::{Kind, RUST_PACKAGES};

use super::cache::{self, Key};
use super::report::{self, Report};
use super::rustc::Rustc;
use super::{c, versions};
use crate::{paths, step};

const PROFILE: &str = "guest";
/// Changes when guests that are there should be built anew although their sources are the same.
const RECIPE: &str = "1";
/// What all are linked with for WebAssembly: memory for the heap of a small program from its start on. One that grows its memory costs
/// two changes of what may be reached, for it and for the next guest in its place; where many start at once these take as long as all the
/// rest of a start.
const ALL: &str = "-Clink-arg=--initial-memory=2097152";
/// Those that compute, whose loops are what is measured.
const FOR_SPEED: [&str; 1] = ["compute"];
/// What they are compiled with for WebAssembly as well. A guest looks for an interrupt each time round a loop, which costs little where a
/// time round is long; and vectors, which a compiler uses by itself on most machines, have to be asked for.
const FAST: [&str; 3] =
    [ALL, "-Ctarget-feature=+simd128", "-Cllvm-args=-unroll-partial-threshold=600"];
/// Those with parts in C, which take a compiler for it as well.
const WITH_C: [&str; 1] = ["sqlite"];

/// What became of one guest, over all its targets.
#[derive(Default)]
struct Progress {
    /// What it is to be built to.
    kinds: Vec<Kind<'static>>,
    built: bool,
    time: Duration,
    /// Why a target is missing, and whether for want of a compiler.
    missing: Option<(String, bool)>,
}

/// A target of Rust's for each kind; none is this machine.
const TARGETS: [(Kind<'static>, Option<&str>); 3] = [
    (Kind::Native, None),
    (Kind::Component, Some("wasm32-wasip2")),
    (Kind::Module, Some("wasm32-wasip1")),
];

/// Builds guests, each to the kinds that are wanted of it.
pub(super) fn build(wanted: &BTreeMap<&'static str, Vec<Kind<'static>>>, report: &mut Report) {
    let new = |kinds: &Vec<Kind<'static>>| Progress { kinds: kinds.clone(), ..Progress::default() };
    let mut progress: BTreeMap<&str, Progress> =
        wanted.iter().map(|(name, kinds)| (*name, new(kinds))).collect();
    for (kind, target) in TARGETS {
        if !wanted.values().any(|kinds| kinds.contains(&kind)) {
            continue;
        }
        let rustc = target.map_or_else(Rustc::host, Rustc::for_target);
        let done = rustc.map_err(|error| (error, true)).and_then(|rustc| {
            build_kind(kind, &rustc, &mut progress).map_err(|error| (error, false))
        });
        if let Err((error, skipped)) = done {
            let mut reason = format!("{error:#}");
            let concerned = progress.values_mut().filter(|guest| guest.kinds.contains(&kind));
            for guest in concerned.filter(|guest| guest.missing.is_none()) {
                // In full once; it holds for the others as well.
                guest.missing = Some((
                    std::mem::replace(&mut reason, "for the same reason".to_owned()),
                    skipped,
                ));
            }
        }
    }
    for (name, progress) in progress {
        match progress.missing {
            Some((reason, true)) => report.skipped(name, &reason),
            Some((reason, false)) => report.failed(name, &reason),
            None if progress.built => {
                report.built(name, progress.time, &sizes(name, &progress.kinds))
            }
            None => report.cached(name, &sizes(name, &progress.kinds)),
        }
    }
}

/// Whether a guest has parts in C, whose compiler comes as a package of Python's.
pub(super) fn has_c(name: &str) -> bool {
    WITH_C.contains(&name)
}

/// What is downloaded to build a guest to these kinds, in words and megabytes.
pub(super) fn download(name: &str, kinds: &[Kind<'_>]) -> Option<(String, u32)> {
    let targets = TARGETS.iter().filter(|(kind, _)| kinds.contains(kind));
    let missing =
        targets.filter_map(|(kind, target)| Some((kind, (*target)?))).find(|(kind, target)| {
            // What is built already needs no compiler; whether it is out of date is not asked here.
            !wasi_sidecar_guests::path(**kind, name).is_file() && !Rustc::is_there(target)
        });
    missing.map(|_| ("Rust for WebAssembly".to_owned(), versions::DEBIAN_MB))
}

fn sizes(name: &str, kinds: &[Kind<'_>]) -> String {
    let all = [("component", Kind::Component), ("module", Kind::Module), ("native", Kind::Native)];
    let wanted = all.into_iter().filter(|(_, kind)| kinds.contains(kind));
    let size =
        |(label, kind)| format!("{label} {}", report::size(&wasi_sidecar_guests::path(kind, name)));
    wanted.map(size).collect::<Vec<_>>().join(", ")
}

/// Builds what is not up to date; an error is one that concerns all guests.
fn build_kind(
    kind: Kind<'_>,
    rustc: &Rustc,
    progress: &mut BTreeMap<&str, Progress>,
) -> Result<()> {
    let mut stale = Stale::new();
    for (name, _) in progress.iter().filter(|(_, guest)| guest.kinds.contains(&kind)) {
        let key = key(rustc, name)?;
        if !cache::is_fresh(&wasi_sidecar_guests::path(kind, name), &key) {
            stale.insert((*name).to_owned(), key);
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    step::line(
        "compiling",
        &format!(
            "{} Rust guest{} for {}",
            stale.len(),
            if stale.len() == 1 { "" } else { "s" },
            rustc.target().unwrap_or("this machine")
        ),
    );
    let (fast, others): (Stale, Stale) =
        stale.into_iter().partition(|(name, _)| flags(rustc, name) == FAST);
    for stale in [others, fast].into_iter().filter(|stale| !stale.is_empty()) {
        build_some(kind, rustc, stale, progress)?;
    }
    Ok(())
}

/// What is to be built, and the keys under which it is kept.
type Stale = BTreeMap<String, String>;

/// What a guest is compiled with for its target.
fn flags(rustc: &Rustc, name: &str) -> &'static [&'static str] {
    match rustc.target() {
        None => &[],
        Some(_) if FOR_SPEED.contains(&name) => &FAST,
        Some(_) => &[ALL],
    }
}

/// Builds guests that are compiled with the same flags.
fn build_some(
    kind: Kind<'_>,
    rustc: &Rustc,
    mut stale: Stale,
    progress: &mut BTreeMap<&str, Progress>,
) -> Result<()> {
    let mut cargo = command(rustc, stale.keys())?;
    let mut last = Instant::now();
    let output = run(&mut cargo, |name, executable| {
        let time = last.elapsed();
        last = Instant::now();
        let (Some(key), Some(guest)) = (stale.remove(name), progress.get_mut(name)) else {
            return Ok(());
        };
        guest.built = true;
        guest.time += time;
        cache::publish(executable, &wasi_sidecar_guests::path(kind, name), &key)
    })?;
    if !stale.is_empty() {
        // Once, not for each of the guests.
        eprintln!("{}", step::failure(&cargo, &output));
    }
    for name in stale.keys() {
        if let Some(guest) = progress.get_mut(name.as_str()) {
            guest.missing = Some(("does not compile, see above".to_owned(), false));
        }
    }
    Ok(())
}

fn key(rustc: &Rustc, name: &str) -> Result<String> {
    let root = paths::workspace();
    let mut key = Key::default()
        .text(RECIPE)
        .text(PROFILE)
        .text(rustc.version())
        .text(rustc.target().unwrap_or(""))
        .text(&flags(rustc, name).join(" "));
    if has_c(name) {
        key = key.text(versions::ZIGLANG);
    }
    // For profile and dependencies. Both files change for other reasons too, but then cargo finds nothing to do.
    for file in [root.join("Cargo.toml"), root.join("Cargo.lock"), package(name).join("Cargo.toml")]
    {
        key = key.file(&file)?;
    }
    for source in sources(name)? {
        key = key.file(&source)?;
    }
    Ok(key.finish())
}

/// The folder of the package that a guest is in.
fn package(name: &str) -> PathBuf {
    paths::guest_sources().join(if RUST_PACKAGES.contains(&name) { name } else { "rust" })
}

/// The files of a guest: one program of many in the package and the library that these may use, or all of a package of its own.
fn sources(name: &str) -> Result<Vec<PathBuf>> {
    let folder = package(name).join("src");
    if RUST_PACKAGES.contains(&name) {
        return files(&folder);
    }
    let mut sources = files(&paths::guest_sources().join("stdio/src"))?;
    sources.push(folder.join("bin").join(name).with_extension("rs"));
    Ok(sources)
}

/// What lies in a folder, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

/// The flags of the first are those of all.
fn command<'a>(rustc: &Rustc, names: impl Iterator<Item = &'a String>) -> Result<Command> {
    let mut names = names.peekable();
    let mut cargo = rustc.cargo(names.peek().map_or(&[], |name| flags(rustc, name)));
    cargo.current_dir(paths::workspace());
    cargo.args(["build", "--profile", PROFILE, "--keep-going"]);
    cargo.args(["--message-format", "json-render-diagnostics", "--target-dir"]).arg(scratch());
    if let Some(target) = rustc.target() {
        cargo.args(["--target", target]);
    }
    let mut packages = BTreeSet::new();
    let mut with_c = false;
    for name in names {
        let own = RUST_PACKAGES.contains(&name.as_str());
        packages.insert(if own { format!("guest-{name}") } else { "guest-programs".to_owned() });
        with_c |= has_c(name);
        cargo.args(["--bin", name]);
    }
    for package in packages {
        cargo.args(["--package", &package]);
    }
    if let (true, Some(target)) = (with_c, rustc.target()) {
        c::for_cargo(&mut cargo, target)?;
    }
    Ok(cargo)
}

fn scratch() -> PathBuf {
    paths::guest_scratch().join("rust")
}

/// Runs cargo, and tells of each program as soon as it is made. Returns what cargo says on standard error.
fn run(cargo: &mut Command, mut made: impl FnMut(&str, &Path) -> Result<()>) -> Result<String> {
    fs::create_dir_all(scratch()).context("cannot create the guests' target directory")?;
    let mut child =
        cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        bail!("cargo was started without pipes");
    };
    // On a thread of its own, since cargo waits when either pipe is full.
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        // What was read before a failure is worth showing all the same.
        let _ = stderr.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    for line in BufReader::new(stdout).lines() {
        if let Some((name, executable)) = program(&line?) {
            made(&name, &executable)?;
        }
    }
    child.wait()?;
    Ok(errors.join().unwrap_or_default())
}

/// The name and file of a program, from cargo's message that it is made.
fn program(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let executable = message.get("executable")?.as_str()?;
    Some((message.pointer("/target/name")?.as_str()?.to_owned(), PathBuf::from(executable)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_about_programs_count() {
        let made = r#"{"reason":"compiler-artifact","target":{"name":"echo"},"executable":"/t/echo.wasm"}"#;
        assert_eq!(program(made), Some(("echo".to_owned(), PathBuf::from("/t/echo.wasm"))));
        let library =
            r#"{"reason":"compiler-artifact","target":{"name":"memchr"},"executable":null}"#;
        assert_eq!(program(library), None);
        assert_eq!(program("warning: not a message"), None);
    }
}
