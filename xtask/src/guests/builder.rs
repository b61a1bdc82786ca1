//! Builds selected guests, first those in Rust, then language by language.

use std::fs::{self, File, TryLockError};

use anyhow::{Context, Result};

use super::report::Report;
use super::selection::{Guest, Selection};
use super::{languages, rust};
use crate::system::{console, tools};

/// Builds guests by their names; all if there are none.
pub(crate) fn build(names: &[String]) -> Result<()> {
    let selection = Selection::parse(names)?;
    Builder::lock()?.build_selection(&selection)
}

/// The compilers that a first run downloads for these guests, with their sizes in megabytes.
pub(crate) fn downloads(guests: &[Guest]) -> Vec<(String, u32)> {
    let selection = Selection::of_guests(guests);
    let rust =
        selection.rust.iter().filter_map(|(name, kinds)| rust::missing_download(name, kinds)).max();
    let others = selected_languages(&selection)
        .filter_map(|(language, names)| languages::missing_download(&language, &names));
    rust.into_iter().chain(others).collect()
}

/// Builds guests. It holds a lock, because two processes would remove each other's temporary files.
pub(crate) struct Builder {
    _lock: File,
}

impl Builder {
    /// Waits until no other process builds guests.
    pub(crate) fn lock() -> Result<Builder> {
        let path = wasi_sidecar_guests::directory().join(".lock");
        let create = || {
            fs::create_dir_all(wasi_sidecar_guests::directory())?;
            File::create(&path)
        };
        let file = create().with_context(|| format!("cannot create {}", path.display()))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                console::step("waiting", "for another `cargo xtask`, which builds guests");
                file.lock().context("cannot wait for the other `cargo xtask`")?;
            }
            locked => locked.context("cannot lock target/guests")?,
        }
        Ok(Builder { _lock: file })
    }

    /// Builds exactly these guests.
    pub(crate) fn build(&self, guests: &[Guest]) -> Result<()> {
        self.build_selection(&Selection::of_guests(guests))
    }

    /// Downloads the compilers for these guests, except Rust's, which [`build`](Self::build) downloads.
    pub(crate) fn download(&self, guests: &[Guest]) -> Result<()> {
        let selection = Selection::of_guests(guests);
        install_packages(&selection)?;
        for (language, names) in selected_languages(&selection) {
            languages::download(&language, &names)?;
        }
        Ok(())
    }

    fn build_selection(&self, selection: &Selection) -> Result<()> {
        // Without Node only the guests in JavaScript are missing.
        if let Err(error) = install_packages(selection) {
            console::step("note", &format!("{error:#}"));
        }
        let mut report = Report::new();
        if !selection.rust.is_empty() {
            rust::build(&selection.rust, &mut report);
        }
        for (language, names) in selected_languages(selection) {
            languages::build(&language, &names, &mut report);
        }
        report.finish()
    }
}

/// Installs Python and Node if a compiler is a package of theirs.
fn install_packages(selection: &Selection) -> Result<()> {
    if selection.others.iter().any(|(language, _)| *language == "js") {
        return tools::install_languages();
    }
    if !selection.others.is_empty() || selection.rust.keys().any(|name| rust::has_c(name)) {
        return tools::install_python();
    }
    Ok(())
}

/// The languages of a selection, with the names of their guests.
fn selected_languages(
    selection: &Selection,
) -> impl Iterator<Item = (languages::Language, Vec<&'static str>)> {
    let languages = languages::all().into_iter().map(|language| {
        let names = selection.of(language.name);
        (language, names)
    });
    languages.filter(|(_, names)| !names.is_empty())
}
