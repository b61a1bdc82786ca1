//! Where the built guests are.
//!
//! `cargo xtask guests` builds the programs of this folder into `target/guests`; tests ask here for the files. Nothing
//! is built from here, so that a test that needs no guest does not wait for one, and a guest that is not there is an
//! error that says what to do.
//!
//! A test that must not forget a guest uses the macros: [`foreach_guest!`] expands to a call for every Rust guest, and a
//! call for which there is nothing does not compile.
//!
//! ```
//! macro_rules! check {
//!     ($name:ident) => {
//!         let name = stringify!($name).replace('_', "-");
//!         assert!(wasi_sidecar_guests::RUST_GUESTS.contains(&name.as_str()));
//!     };
//! }
//! wasi_sidecar_guests::foreach_guest!(check);
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "tests and tools ask here for files of the build, not of a user"
)]

pub mod attacks;

use std::fmt;
use std::path::{Path, PathBuf};

include!(concat!(env!("OUT_DIR"), "/guests.rs"));

/// What a program was built to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A Rust program as a WASI 0.2 component.
    Component,
    /// A Rust program as a preview1 module.
    Module,
    /// A Rust program for this machine.
    Native,
    /// A program in the language of that name: a module or a component, as its compiler makes them.
    Language(&'a str),
}

impl Kind<'_> {
    /// The folder below `target/guests`.
    pub fn folder(self) -> &'static Path {
        Path::new(match self {
            Kind::Component => "component",
            Kind::Module => "module",
            Kind::Native => "native",
            Kind::Language(name) => LANGUAGE_GUESTS
                .iter()
                .map(|(language, _)| *language)
                .find(|known| *known == name)
                .unwrap_or("unknown"),
        })
    }
}

/// A guest that has not been built.
#[derive(Clone, Debug)]
pub struct MissingGuest {
    path: PathBuf,
}

impl fmt::Display for MissingGuest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "there is no `{}`: run `cargo xtask guests`", self.path.display())
    }
}

impl std::error::Error for MissingGuest {}

/// The WASI 0.2 component of a Rust guest.
///
/// # Errors
/// [`MissingGuest`] when it has not been built.
pub fn component(name: &str) -> Result<PathBuf, MissingGuest> {
    built(Kind::Component, name)
}

/// The preview1 module of a Rust guest.
///
/// # Errors
/// [`MissingGuest`] when it has not been built.
pub fn module(name: &str) -> Result<PathBuf, MissingGuest> {
    built(Kind::Module, name)
}

/// The program of a Rust guest for this machine.
///
/// # Errors
/// [`MissingGuest`] when it has not been built.
pub fn native(name: &str) -> Result<PathBuf, MissingGuest> {
    built(Kind::Native, name)
}

/// A guest in another language: `language("go", "echo")`.
///
/// # Errors
/// [`MissingGuest`] when it has not been built.
pub fn language(language: &str, name: &str) -> Result<PathBuf, MissingGuest> {
    built(Kind::Language(language), name)
}

/// Where a guest is, or would be.
pub fn path(kind: Kind<'_>, name: &str) -> PathBuf {
    let extension = if kind == Kind::Native { std::env::consts::EXE_EXTENSION } else { "wasm" };
    // Names in tests may be those of macros, which have underscores.
    directory().join(kind.folder()).join(name.replace('_', "-")).with_extension(extension)
}

/// The folder that holds all built guests.
pub fn directory() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    root.join("target").join("guests")
}

fn built(kind: Kind<'_>, name: &str) -> Result<PathBuf, MissingGuest> {
    let path = path(kind, name);
    if path.is_file() { Ok(path) } else { Err(MissingGuest { path }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_guest_says_what_to_do() {
        let error = component("no-such-guest").unwrap_err();
        assert!(
            error.to_string().ends_with("no-such-guest.wasm`: run `cargo xtask guests`"),
            "{error}"
        );
    }

    #[test]
    fn every_language_has_both_programs() {
        for language in ["c", "go", "js", "python"] {
            for name in ["echo", "fs-probe"] {
                assert!(LANGUAGE_GUESTS.contains(&(language, name)), "{language}/{name}");
            }
        }
    }

    #[test]
    fn names_of_macros_and_files_are_the_same_guest() {
        assert_eq!(path(Kind::Module, "big_line"), path(Kind::Module, "big-line"));
        assert!(path(Kind::Language("go"), "fs_probe").ends_with("target/guests/go/fs-probe.wasm"));
    }
}
