//! Builds outdated guests and collects what became of each over its targets.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use wasi_sidecar_guests::Kind;

use super::cargo;
use super::recipe::{FAST, flags, key};
use crate::guests::cache;
use crate::guests::report::{self, Report};
use crate::system::{console, process};
use crate::toolchains::rustc::Rustc;
use crate::toolchains::versions;

/// The state of a guest, over all its targets.
#[derive(Default)]
struct Progress {
    kinds: Vec<Kind<'static>>,
    built: bool,
    time: Duration,
    /// Why a target is missing, and the verb to report it with.
    missing: Option<(String, &'static str)>,
}

/// Rust's target for each kind; `None` is this machine.
const TARGETS: [(Kind<'static>, Option<&str>); 3] = [
    (Kind::Native, None),
    (Kind::Component, Some("wasm32-wasip2")),
    (Kind::Module, Some("wasm32-wasip1")),
];

/// Builds each guest to the given kinds.
pub(crate) fn build(wanted: &BTreeMap<&'static str, Vec<Kind<'static>>>, report: &mut Report) {
    let new = |kinds: &Vec<Kind<'static>>| Progress { kinds: kinds.clone(), ..Progress::default() };
    let mut progress: BTreeMap<&str, Progress> =
        wanted.iter().map(|(name, kinds)| (*name, new(kinds))).collect();
    for (kind, target) in TARGETS {
        if !wanted.values().any(|kinds| kinds.contains(&kind)) {
            continue;
        }
        let rustc = target.map_or_else(Rustc::host, Rustc::for_target);
        let done = rustc.map_err(|error| (error, "skipped")).and_then(|rustc| {
            build_kind(kind, &rustc, &mut progress).map_err(|error| (error, "failed"))
        });
        if let Err((error, verb)) = done {
            let mut reason = format!("{error:#}");
            let concerned = progress.values_mut().filter(|guest| guest.kinds.contains(&kind));
            for guest in concerned.filter(|guest| guest.missing.is_none()) {
                // The other guests fail for the same reason; print it once.
                guest.missing =
                    Some((std::mem::replace(&mut reason, "for the same reason".to_owned()), verb));
            }
        }
    }
    for (name, progress) in progress {
        match progress.missing {
            Some((reason, verb)) => report.missing(verb, name, &reason),
            None if progress.built => {
                report.built(name, progress.time, &sizes(name, &progress.kinds))
            }
            None => report.cached(name, &sizes(name, &progress.kinds)),
        }
    }
}

/// The compiler and its size in megabytes, if it has to be downloaded for this guest.
pub(crate) fn missing_download(name: &str, kinds: &[Kind<'_>]) -> Option<(String, u32)> {
    let targets = TARGETS.iter().filter(|(kind, _)| kinds.contains(kind));
    let missing =
        targets.filter_map(|(kind, target)| Some((kind, (*target)?))).find(|(kind, target)| {
            // An estimate: an existing guest may be outdated and need the compiler.
            !wasi_sidecar_guests::path(**kind, name).is_file() && !Rustc::is_installed(target)
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

/// Builds outdated guests to one kind. An error concerns all guests.
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
    let (count, target) = (stale.len(), rustc.target.unwrap_or("this machine"));
    let guests = if count == 1 { "guest" } else { "guests" };
    console::step("compiling", &format!("{count} Rust {guests} for {target}"));
    let (fast, others): (Stale, Stale) =
        stale.into_iter().partition(|(name, _)| flags(rustc, name) == FAST);
    for stale in [others, fast].into_iter().filter(|stale| !stale.is_empty()) {
        build_stale(kind, rustc, stale, progress)?;
    }
    Ok(())
}

/// Outdated guests, with their new keys.
type Stale = BTreeMap<String, String>;

/// Builds guests with the same flags.
fn build_stale(
    kind: Kind<'_>,
    rustc: &Rustc,
    mut stale: Stale,
    progress: &mut BTreeMap<&str, Progress>,
) -> Result<()> {
    let mut command = cargo::command(rustc, stale.keys())?;
    let mut last = Instant::now();
    let output = cargo::run(&mut command, |name, executable| {
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
        // Once for all guests.
        eprintln!("{}", process::failure(&command, &output));
    }
    for name in stale.keys() {
        if let Some(guest) = progress.get_mut(name.as_str()) {
            guest.missing = Some(("does not compile, see above".to_owned(), "failed"));
        }
    }
    Ok(())
}
