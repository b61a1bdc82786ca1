//! Guests in languages other than Rust: what the languages differ in, and what is the same for all.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use wasi_sidecar_guests::Kind;

use super::cache::{self, Key};
use super::report::{self, Report};
use super::{c, go, js, python, toolchain};
use crate::paths;

/// A language.
pub(super) struct Language {
    /// The name of its folder, in the sources as in the output.
    pub(super) name: &'static str,
    /// Tells one way of building from another: versions, and options of the compiler.
    pub(super) recipe: &'static str,
    /// The files that a guest is made of, by its name.
    pub(super) sources: fn(&str) -> Vec<PathBuf>,
    /// What its compiler is called, and the megabytes that are downloaded for it.
    pub(super) compiler: (&'static str, u32),
    /// The key under which the compiler is kept.
    pub(super) key: fn() -> Result<String>,
    /// Sets up the compiler and returns its folder.
    pub(super) set_up: fn() -> Result<PathBuf>,
    /// Compiles: the compiler's folder, the guest's name, the file to make.
    pub(super) compile: fn(&Path, &str, &Path) -> Result<()>,
}

pub(super) fn all() -> [Language; 4] {
    [c::language(), go::language(), js::language(), python::language()]
}

/// Sets up the compiler if one of these guests has to be built.
pub(super) fn set_up(language: &Language, names: &[&str]) -> Result<()> {
    for name in names {
        let output = wasi_sidecar_guests::path(Kind::Language(language.name), name);
        if !cache::is_fresh(&output, &key(language, name)?) {
            (language.set_up)()?;
            break;
        }
    }
    Ok(())
}

/// What is downloaded to build these guests, in words and megabytes.
pub(super) fn download(language: &Language, names: &[&str]) -> Option<(String, u32)> {
    let path = |name: &&str| wasi_sidecar_guests::path(Kind::Language(language.name), name);
    // What is built already needs no compiler; whether it is out of date is not asked here.
    let built = names.iter().all(|name| path(name).is_file());
    let set_up = || (language.key)().is_ok_and(|key| toolchain::is_there(language.name, &key));
    let (what, megabytes) = language.compiler;
    (!built && !set_up()).then(|| (what.to_owned(), megabytes))
}

/// Builds what is not there yet; the compiler is set up only when something has to be built.
pub(super) fn build(language: &Language, names: &[&str], report: &mut Report) {
    let mut tools = None;
    for name in names {
        let guest = format!("{}/{name}", language.name);
        let output = wasi_sidecar_guests::path(Kind::Language(language.name), name);
        let key = match key(language, name) {
            Ok(key) => key,
            Err(error) => {
                report.failed(&guest, &format!("{error:#}"));
                continue;
            }
        };
        if cache::is_fresh(&output, &key) {
            report.cached(&guest, &report::size(&output));
            continue;
        }
        let tools = match tools.get_or_insert_with(language.set_up) {
            Ok(tools) => tools,
            Err(error) => {
                report.skipped(&guest, &format!("{error:#}"));
                // In full once; it holds for the others as well.
                *error = anyhow!("for the same reason");
                continue;
            }
        };
        let start = Instant::now();
        match compile(language, tools, name, &output, &key) {
            Ok(()) => report.built(&guest, start.elapsed(), &report::size(&output)),
            Err(error) => report.failed(&guest, &format!("{error:#}")),
        }
    }
}

fn key(language: &Language, name: &str) -> Result<String> {
    let mut key = Key::default().text(language.recipe);
    for source in (language.sources)(name) {
        key = key.file(&source)?;
    }
    Ok(key.finish())
}

fn compile(language: &Language, tools: &Path, name: &str, output: &Path, key: &str) -> Result<()> {
    let scratch = paths::guest_scratch().join(language.name);
    fs::create_dir_all(&scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
    let made = scratch.join(format!("{name}.wasm"));
    (language.compile)(tools, name, &made)?;
    cache::publish(&made, output, key)
}

/// The world that components without a WASI target of their own are made for.
pub(super) fn wit() -> PathBuf {
    paths::workspace().join("wit")
}

/// The files of [`wit`], for keys.
pub(super) fn wit_sources() -> Vec<PathBuf> {
    // The checksums stand for the files they are of; a test holds them to that.
    vec![wit().join("world.wit"), wit().join("deps.sha256")]
}
