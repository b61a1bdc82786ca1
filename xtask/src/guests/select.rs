//! Which guests are wanted, and building them one group after another.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::Path;

use anyhow::{Context, Result, bail};
use wasi_sidecar_guests::{Kind, LANGUAGE_GUESTS, RUST_GUESTS};

use super::others::Language;
use super::report::Report;
use super::{others, rust};
use crate::{setup, step};

/// A guest in one of its forms: what it is built to, and its name.
pub(crate) type Guest = (Kind<'static>, &'static str);

/// What a Rust guest is built to when it is asked for by its name alone.
const RUST_KINDS: [Kind<'static>; 3] = [Kind::Native, Kind::Component, Kind::Module];

/// Builds the named guests, or all.
pub(crate) fn build(names: &[String]) -> Result<()> {
    let selection = Selection::parse(names)?;
    Guests::lock()?.build_selection(&selection)
}

/// The right to build guests. One process has it at a time, since two would remove each other's half-made files.
pub(crate) struct Guests {
    _lock: File,
}

impl Guests {
    /// Waits for another process that builds guests.
    pub(crate) fn lock() -> Result<Guests> {
        let directory = wasi_sidecar_guests::directory();
        fs::create_dir_all(&directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
        Ok(Guests { _lock: lock(&directory.join(".lock"))? })
    }

    /// Builds these guests and no others.
    pub(crate) fn build(&self, guests: &[Guest]) -> Result<()> {
        self.build_selection(&Selection::of_guests(guests))
    }

    /// Downloads the compilers that these guests need: all but the one for Rust, which [`build`](Self::build) sets up.
    pub(crate) fn set_up(&self, guests: &[Guest]) -> Result<()> {
        let selection = Selection::of_guests(guests);
        set_up_system(&selection)?;
        for (language, names) in selection.languages() {
            others::set_up(&language, &names)?;
        }
        Ok(())
    }

    fn build_selection(&self, selection: &Selection) -> Result<()> {
        // Without Node there are no guests in JavaScript, and all others are built.
        if let Err(error) = set_up_system(selection) {
            step::line("note", &format!("{error:#}"));
        }
        let mut report = Report::new();
        if !selection.rust.is_empty() {
            rust::build(&selection.rust, &mut report);
        }
        for (language, names) in selection.languages() {
            others::build(&language, &names, &mut report);
        }
        report.finish()
    }
}

/// Installs what the compilers come with, whichever command asks for guests.
fn set_up_system(selection: &Selection) -> Result<()> {
    let node = selection.others.iter().any(|(language, _)| *language == "js");
    if node {
        return setup::set_up_languages();
    }
    if !selection.others.is_empty() || selection.rust.keys().any(|name| rust::has_c(name)) {
        return setup::set_up_python();
    }
    Ok(())
}

/// What a first run downloads for these guests, in words and megabytes; nothing for what is there.
pub(crate) fn downloads(guests: &[Guest]) -> Vec<(String, u32)> {
    let selection = Selection::of_guests(guests);
    let rust = selection.rust.iter().filter_map(|(name, kinds)| rust::download(name, kinds)).max();
    let others = selection.languages();
    let others = others.iter().filter_map(|(language, names)| others::download(language, names));
    rust.into_iter().chain(others).collect()
}

/// The guest of this name, `echo` or `go/echo`; in Rust, as a component.
pub(crate) fn find(name: &str) -> Option<Guest> {
    let rust = RUST_GUESTS.iter().find(|guest| **guest == name);
    let other = LANGUAGE_GUESTS.iter().find(|(language, guest)| {
        name.strip_prefix(language).and_then(|rest| rest.strip_prefix('/')) == Some(guest)
    });
    rust.map(|name| (Kind::Component, *name))
        .or_else(|| other.map(|(language, name)| (Kind::Language(language), *name)))
}

#[derive(Debug, Default)]
struct Selection {
    /// By name, what each is built to.
    rust: BTreeMap<&'static str, Vec<Kind<'static>>>,
    others: Vec<(&'static str, &'static str)>,
}

impl Selection {
    fn parse(names: &[String]) -> Result<Selection> {
        let everything = names.is_empty();
        let mut selection = Selection::default();
        for guest in RUST_GUESTS {
            let named = names.iter().any(|name| name == "rust" || name == guest);
            if everything || named {
                selection.rust.insert(guest, RUST_KINDS.to_vec());
            }
        }
        for (language, guest) in LANGUAGE_GUESTS {
            let whole = format!("{language}/{guest}");
            if everything || names.iter().any(|name| name == language || *name == whole) {
                selection.others.push((language, guest));
            }
        }
        let is_known =
            |name: &&String| find(name).is_some() || *name == "rust" || is_language(name);
        if let Some(name) = names.iter().find(|name| !is_known(name)) {
            bail!("there is no guest `{name}`; there are {}", known());
        }
        Ok(selection)
    }

    fn of_guests(guests: &[Guest]) -> Selection {
        let mut selection = Selection::default();
        for (kind, name) in guests {
            match kind {
                Kind::Language(language) => selection.others.push((*language, *name)),
                rust => selection.rust.entry(*name).or_default().push(*rust),
            }
        }
        selection.others.sort_unstable();
        selection.others.dedup();
        selection
    }

    fn of(&self, language: &str) -> Vec<&'static str> {
        self.others.iter().filter(|(of, _)| *of == language).map(|(_, name)| *name).collect()
    }

    /// The languages that something is wanted of, with the names of it.
    fn languages(&self) -> Vec<(Language, Vec<&'static str>)> {
        let languages = others::all().into_iter().map(|language| {
            let names = self.of(language.name);
            (language, names)
        });
        languages.filter(|(_, names)| !names.is_empty()).collect()
    }
}

fn is_language(name: &str) -> bool {
    LANGUAGE_GUESTS.iter().any(|(language, _)| *language == name)
}

fn known() -> String {
    let others = LANGUAGE_GUESTS.iter().map(|(language, name)| format!("{language}/{name}"));
    RUST_GUESTS.iter().map(|name| (*name).to_owned()).chain(others).collect::<Vec<_>>().join(", ")
}

fn lock(path: &Path) -> Result<File> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            step::line("waiting", "another `cargo xtask guests` is at work");
            file.lock().context("cannot wait for the other `cargo xtask guests`")?;
        }
        Err(TryLockError::Error(error)) => return Err(error).context("cannot lock target/guests"),
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(names: &[&str]) -> Selection {
        Selection::parse(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
            .expect("known names")
    }

    #[test]
    fn no_name_means_all() {
        let all = selected(&[]);
        assert!(all.rust.keys().eq(RUST_GUESTS), "{all:?}");
        assert!(all.rust.values().all(|kinds| *kinds == RUST_KINDS), "{all:?}");
        assert_eq!(all.others, LANGUAGE_GUESTS);
    }

    #[test]
    fn names_are_guests_or_languages() {
        let some = selected(&["go/echo", "echo", "python", "echo"]);
        assert!(some.rust.keys().eq(&["echo"]), "{some:?}");
        assert_eq!(some.of("go"), ["echo"]);
        assert_eq!(some.of("python"), ["echo", "fs-probe", "hello"]);
        assert!(some.of("c").is_empty());
    }

    #[test]
    fn a_guest_is_built_in_the_forms_that_are_wanted_and_no_others() {
        let wanted = [
            (Kind::Component, "upper"),
            (Kind::Component, "spin"),
            (Kind::Language("go"), "echo"),
            (Kind::Native, "upper"),
        ];
        let selection = Selection::of_guests(&wanted);
        assert_eq!(selection.rust["upper"], [Kind::Component, Kind::Native]);
        assert_eq!(selection.rust["spin"], [Kind::Component]);
        assert_eq!(selection.rust.len(), 2);
        assert_eq!(selection.others, [("go", "echo")]);
    }

    #[test]
    fn a_guest_is_found_by_the_name_that_it_is_listed_by() {
        assert_eq!(find("upper"), Some((Kind::Component, "upper")));
        assert_eq!(find("python/fs-probe"), Some((Kind::Language("python"), "fs-probe")));
        for unknown in ["", "go", "go/", "goecho", "go-echo", "rust", "component/upper"] {
            assert_eq!(find(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known() {
        let error = Selection::parse(&["goecho".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`goecho`") && error.contains("go/echo"), "{error}");
    }
}
