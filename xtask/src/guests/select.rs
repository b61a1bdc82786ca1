//! Which guests were asked for, and building them one group after another.

use std::fs::{self, File, TryLockError};

use anyhow::{Context, Result, bail};
use wasi_sidecar_guests::{LANGUAGE_GUESTS, RUST_GUESTS};

use super::report::Report;
use super::{others, rust};
use crate::step;

/// Builds the named guests, or all.
pub(crate) fn build(names: &[String]) -> Result<()> {
    let selection = Selection::parse(names)?;
    let directory = wasi_sidecar_guests::directory();
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    // Held to the end: two of these commands would remove each other's half-made files.
    let _lock = lock(&directory.join(".lock"))?;
    let mut report = Report::new();
    if !selection.rust.is_empty() {
        rust::build(&selection.rust, &mut report);
    }
    for language in others::all() {
        let names = selection.of(language.name);
        if !names.is_empty() {
            others::build(&language, &names, &mut report);
        }
    }
    report.finish()
}

#[derive(Debug, Default)]
struct Selection {
    rust: Vec<&'static str>,
    others: Vec<(&'static str, &'static str)>,
}

impl Selection {
    fn parse(names: &[String]) -> Result<Selection> {
        if names.is_empty() {
            return Ok(Selection { rust: RUST_GUESTS.to_vec(), others: LANGUAGE_GUESTS.to_vec() });
        }
        let mut selection = Selection::default();
        for name in names {
            let before = selection.rust.len() + selection.others.len();
            let rust = RUST_GUESTS.iter().filter(|guest| name == "rust" || name == *guest);
            selection.rust.extend(rust);
            let others = LANGUAGE_GUESTS.iter().filter(|(language, guest)| {
                name == language
                    || name.strip_prefix(language).and_then(|rest| rest.strip_prefix('/'))
                        == Some(guest)
            });
            selection.others.extend(others);
            if selection.rust.len() + selection.others.len() == before {
                bail!("there is no guest `{name}`; there are {}", known());
            }
        }
        selection.rust.sort_unstable();
        selection.rust.dedup();
        selection.others.sort_unstable();
        selection.others.dedup();
        Ok(selection)
    }

    fn of(&self, language: &str) -> Vec<&'static str> {
        self.others.iter().filter(|(of, _)| *of == language).map(|(_, name)| *name).collect()
    }
}

fn known() -> String {
    let others = LANGUAGE_GUESTS.iter().map(|(language, name)| format!("{language}/{name}"));
    RUST_GUESTS.iter().map(|name| (*name).to_owned()).chain(others).collect::<Vec<_>>().join(", ")
}

fn lock(path: &std::path::Path) -> Result<File> {
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
        assert_eq!(all.rust, RUST_GUESTS);
        assert_eq!(all.others, LANGUAGE_GUESTS);
    }

    #[test]
    fn names_are_guests_or_languages() {
        let some = selected(&["go/echo", "echo", "python", "echo"]);
        assert_eq!(some.rust, ["echo"]);
        assert_eq!(some.of("go"), ["echo"]);
        assert_eq!(some.of("python"), ["echo", "fs-probe", "hello"]);
        assert!(some.of("c").is_empty());
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known() {
        let error = Selection::parse(&["goecho".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`goecho`") && error.contains("go/echo"), "{error}");
    }
}
