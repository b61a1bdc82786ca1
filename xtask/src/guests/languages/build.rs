//! Builds guests of one language.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use wasi_sidecar_guests::Kind;

use super::{Language, c, go, js, python};
use crate::guests::cache::{self, Key};
use crate::guests::report::{self, Report};
use crate::system::paths;
use crate::toolchains::install;

pub(crate) fn all() -> [Language; 4] {
    [c::language(), go::language(), js::language(), python::language()]
}

/// Installs the compiler if one of these guests has to be built.
pub(crate) fn download(language: &Language, names: &[&str]) -> Result<()> {
    for name in names {
        let output = wasi_sidecar_guests::path(Kind::Language(language.name), name);
        if !cache::is_fresh(&output, &key(language, name)?) {
            (language.install)()?;
            break;
        }
    }
    Ok(())
}

/// The compiler and its size in megabytes, if it has to be downloaded for these guests.
pub(crate) fn missing_download(language: &Language, names: &[&str]) -> Option<(String, u32)> {
    let path = |name: &&str| wasi_sidecar_guests::path(Kind::Language(language.name), name);
    // An estimate: an existing guest may be outdated and need the compiler.
    let built = names.iter().all(|name| path(name).is_file());
    let installed = || (language.key)().is_ok_and(|key| install::is_installed(language.name, &key));
    let (what, megabytes) = language.compiler;
    (!built && !installed()).then(|| (what.to_owned(), megabytes))
}

/// Builds outdated guests. Installs the compiler only if there are any.
pub(crate) fn build(language: &Language, names: &[&str], report: &mut Report) {
    let mut compiler = None;
    for name in names {
        let guest = format!("{}/{name}", language.name);
        let output = wasi_sidecar_guests::path(Kind::Language(language.name), name);
        let key = match key(language, name) {
            Ok(key) => key,
            Err(error) => {
                report.missing("failed", &guest, &format!("{error:#}"));
                continue;
            }
        };
        if cache::is_fresh(&output, &key) {
            report.cached(&guest, &report::size(&output));
            continue;
        }
        let compiler = match compiler.get_or_insert_with(language.install) {
            Ok(compiler) => compiler,
            Err(error) => {
                report.missing("skipped", &guest, &format!("{error:#}"));
                // The other guests fail for the same reason; print it once.
                *error = anyhow!("for the same reason");
                continue;
            }
        };
        let start = Instant::now();
        match compile(language, compiler, name, &output, &key) {
            Ok(()) => report.built(&guest, start.elapsed(), &report::size(&output)),
            Err(error) => report.missing("failed", &guest, &format!("{error:#}")),
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

fn compile(of: &Language, compiler: &Path, name: &str, output: &Path, key: &str) -> Result<()> {
    let scratch = paths::guest_scratch().join(of.name);
    fs::create_dir_all(&scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
    let file = scratch.join(format!("{name}.wasm"));
    (of.compile)(compiler, name, &file)?;
    cache::publish(&file, output, key)
}
