//! Which guests to build, by name or by kind.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use wasi_sidecar_guests::{Kind, LANGUAGE_GUESTS, RUST_GUESTS};

/// A guest: what it is built to, and its name.
pub(crate) type Guest = (Kind<'static>, &'static str);

/// What a Rust guest is built to if it is selected by name.
const RUST_KINDS: [Kind<'static>; 3] = [Kind::Native, Kind::Component, Kind::Module];

/// Finds a guest by its name, `echo` or `go/echo`. A Rust guest is returned as a component.
pub(crate) fn find(name: &str) -> Option<Guest> {
    let rust = RUST_GUESTS.iter().find(|guest| **guest == name);
    let other = LANGUAGE_GUESTS.iter().find(|(language, guest)| {
        name.strip_prefix(language).and_then(|rest| rest.strip_prefix('/')) == Some(guest)
    });
    rust.map(|name| (Kind::Component, *name))
        .or_else(|| other.map(|(language, name)| (Kind::Language(language), *name)))
}

#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// What to build each Rust guest to, by name.
    pub(crate) rust: BTreeMap<&'static str, Vec<Kind<'static>>>,
    /// Language and name of the other guests.
    pub(crate) others: Vec<(&'static str, &'static str)>,
}

impl Selection {
    /// All guests if `names` is empty.
    pub(crate) fn parse(names: &[String]) -> Result<Selection> {
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
        let is_language =
            |name: &str| name == "rust" || LANGUAGE_GUESTS.iter().any(|(known, _)| *known == name);
        if let Some(name) = names.iter().find(|name| find(name).is_none() && !is_language(name)) {
            bail!("there is no guest `{name}`; the guests are {}", known());
        }
        Ok(selection)
    }

    pub(crate) fn of_guests(guests: &[Guest]) -> Selection {
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

    /// The names of the selected guests in a language.
    pub(crate) fn of(&self, language: &str) -> Vec<&'static str> {
        self.others.iter().filter(|(of, _)| *of == language).map(|(_, name)| *name).collect()
    }
}

fn known() -> String {
    let others = LANGUAGE_GUESTS.iter().map(|(language, name)| format!("{language}/{name}"));
    RUST_GUESTS.iter().map(|name| (*name).to_owned()).chain(others).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(names: &[&str]) -> Selection {
        Selection::parse(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
            .expect("known names")
    }

    #[test]
    fn no_name_selects_all() {
        let all = selected(&[]);
        assert!(all.rust.keys().eq(RUST_GUESTS), "{all:?}");
        assert!(all.rust.values().all(|kinds| *kinds == RUST_KINDS), "{all:?}");
        assert_eq!(all.others, LANGUAGE_GUESTS);
    }

    #[test]
    fn names_select_guests_or_languages() {
        let some = selected(&["go/echo", "echo", "python", "echo"]);
        assert!(some.rust.keys().eq(&["echo"]), "{some:?}");
        assert_eq!(some.of("go"), ["echo"]);
        assert_eq!(some.of("python"), ["echo", "fs-probe", "hello"]);
        assert!(some.of("c").is_empty());
    }

    #[test]
    fn guests_select_only_their_own_kind() {
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
    fn a_guest_is_found_by_its_name() {
        assert_eq!(find("upper"), Some((Kind::Component, "upper")));
        assert_eq!(find("python/fs-probe"), Some((Kind::Language("python"), "fs-probe")));
        for unknown in ["", "go", "go/", "goecho", "go-echo", "rust", "component/upper"] {
            assert_eq!(find(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_names() {
        let error = Selection::parse(&["goecho".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`goecho`") && error.contains("go/echo"), "{error}");
    }
}
