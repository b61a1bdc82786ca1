//! The WIT worlds that guests are written against, and which world an artifact fits.
//!
//! `world.wit` beside this crate's manifest declares the package `wasi-sidecar:guest@0.1.0`, and
//! `deps/` holds its WASI packages. This crate has the same as tables of names, so that a program
//! can tell what an artifact needs without parsing WIT. The crate's tests keep tables and WIT in
//! step.
//!
//! Nothing here decides what a guest *may* do: its host does. Nor does a world that fits by name
//! prove that an artifact links, because an import also has a type.
//!
//! It has no dependencies and does no I/O.

#![warn(missing_docs)]

use std::collections::HashSet;
use std::fmt;

/// The interfaces that the world `stdio` imports, sorted and without versions.
pub const STDIO_IMPORTS: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// The interfaces that the world `files` imports, including those of `stdio`, sorted and without
/// versions.
pub const FILES_IMPORTS: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// The interfaces that the world `sockets` imports, including those of `files`, sorted and without
/// versions.
pub const SOCKETS_IMPORTS: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// The interface that all worlds export, and that starts a guest; without a version.
pub const RUN_EXPORT: &str = "wasi:cli/run";

/// The smallest world that has every import of an artifact.
///
/// New grants will bring new worlds. The enum is exhaustive all the same, so that the compiler asks
/// each `match` to handle a new world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum World {
    /// Standard streams, arguments, environment, clocks and random numbers.
    Stdio,
    /// Those of `stdio`, and the filesystem.
    Files,
    /// Those of `files`, and sockets, which this release links and refuses.
    Sockets,
    /// None of our worlds: these imports are in none of them. Each is listed once, as given and in
    /// the order given.
    Beyond(Vec<String>),
}

impl World {
    /// The world's name in `world.wit`, if it is one of ours.
    pub const fn name(&self) -> Option<&'static str> {
        match self {
            Self::Stdio => Some("stdio"),
            Self::Files => Some("files"),
            Self::Sockets => Some("sockets"),
            Self::Beyond(_) => None,
        }
    }
}

impl fmt::Display for World {
    /// The world's name, or the imports that no world has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdio => f.write_str("stdio"),
            Self::Files => f.write_str("files"),
            Self::Sockets => f.write_str("sockets"),
            Self::Beyond(imports) => {
                f.write_str("none, because of ")?;
                for (i, import) in imports.iter().enumerate() {
                    // The artifact chose these names, and they may end up on a terminal.
                    write!(f, "{}{}", if i == 0 { "" } else { ", " }, import.escape_debug())?;
                }
                Ok(())
            }
        }
    }
}

/// Names the smallest world that has all of `imports`.
///
/// An import is named as in a component (`wasi:cli/stdin@0.2.6`) or without its version. All
/// releases of WASI 0.2 count as one, because a host links guests of older and newer ones alike.
/// Any other version, pre-releases included, is beyond our worlds.
///
/// The names come from an artifact and may contain anything, even control characters.
/// [`World::Beyond`] has them as given; [`World`]'s `Display` escapes them.
///
/// # Examples
///
/// ```
/// use wasi_sidecar_wit::{World, smallest_world};
///
/// assert_eq!(smallest_world(["wasi:cli/stdin@0.2.0", "wasi:io/poll@0.2.12"]), World::Stdio);
/// assert_eq!(smallest_world(["wasi:cli/stdin", "wasi:filesystem/types"]), World::Files);
///
/// let beyond = smallest_world(["wasi:cli/stdin@0.2.0", "wasi:http/types@0.2.0"]);
/// assert_eq!(beyond, World::Beyond(vec!["wasi:http/types@0.2.0".to_owned()]));
/// ```
pub fn smallest_world<'a>(imports: impl IntoIterator<Item = &'a str>) -> World {
    let mut smallest = World::Stdio;
    let mut beyond = Vec::new();
    // A set, because an artifact may have very many imports.
    let mut seen = HashSet::new();
    for import in imports {
        match interface_of_0_2(import) {
            Some(name) if STDIO_IMPORTS.contains(&name) => {}
            Some(name) if FILES_IMPORTS.contains(&name) => {
                if smallest == World::Stdio {
                    smallest = World::Files;
                }
            }
            Some(name) if SOCKETS_IMPORTS.contains(&name) => smallest = World::Sockets,
            _ if !seen.insert(import) => {}
            _ => beyond.push(import.to_owned()),
        }
    }
    if beyond.is_empty() { smallest } else { World::Beyond(beyond) }
}

/// The interface's name without its version; `None` if the version is not one of WASI 0.2.
fn interface_of_0_2(import: &str) -> Option<&str> {
    let Some((name, version)) = import.split_once('@') else { return Some(import) };
    let patch = version.strip_prefix("0.2.")?;
    (!patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

#[cfg(test)]
mod tests;
