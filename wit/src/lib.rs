//! The worlds a sidecar's guest is written against, and which of them an artifact fits into.
//!
//! The worlds themselves are WIT: `world.wit` beside this crate's manifest declares the package
//! `wasi-sidecar:guest@0.1.0`, and `deps/` holds the WASI packages it is made of. This crate says
//! the same as tables of names, so that a program can answer "what would this artifact need?"
//! without parsing WIT. The crate's tests hold tables and WIT together.
//!
//! Nothing here decides what a guest *may* do: that is the business of whoever starts it. Nor is
//! fitting into a world by name a proof that an artifact links, since an import also has a type.
//!
//! It has no dependencies and does no I/O.

#![warn(missing_docs)]

use std::collections::HashSet;
use std::fmt;

/// The interfaces that the world `stdio` imports: sorted, without versions.
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

/// The interfaces that the world `files` imports, those of `stdio` among them: sorted, without
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

/// The interfaces that the world `sockets` imports, those of `files` among them: sorted, without
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

/// The interface that all worlds export, and by which a guest is started; without a version.
pub const RUN_EXPORT: &str = "wasi:cli/run";

/// The smallest world that has every import of an artifact.
///
/// There will be more worlds when there is more to grant. The enum is exhaustive all the same:
/// whoever matches on it has to say what a new world means there, and the compiler should ask.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum World {
    /// Standard streams, arguments, environment, clocks and random numbers.
    Stdio,
    /// The same and the filesystem.
    Files,
    /// The same and sockets, which this release links and refuses.
    Sockets,
    /// No world of ours: these imports are in none of them. Each is listed once, as it was given
    /// and in the order it was given.
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
    /// The world's name, or what kept the artifact out of all of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdio => f.write_str("stdio"),
            Self::Files => f.write_str("files"),
            Self::Sockets => f.write_str("sockets"),
            Self::Beyond(imports) => {
                f.write_str("none, because of ")?;
                for (i, import) in imports.iter().enumerate() {
                    // The artifact chose these names, and they are on their way to somebody's
                    // terminal.
                    write!(f, "{}{}", if i == 0 { "" } else { ", " }, import.escape_debug())?;
                }
                Ok(())
            }
        }
    }
}

/// Names the smallest world that has all of `imports`.
///
/// An import is named as a component names it (`wasi:cli/stdin@0.2.6`) or without its version. All
/// releases of WASI 0.2 count as one, for a host links a guest made for an older or newer one of
/// them alike; any other version, pre-releases included, is beyond our worlds.
///
/// The names come from an artifact and may hold anything, control characters included. Those in
/// [`World::Beyond`] are as they were given; [`World`]'s `Display` escapes them.
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
    // An artifact may have a great many imports, hence no search through `beyond`.
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

/// The interface's name without its version, or `None` if that version is not one of WASI 0.2.
fn interface_of_0_2(import: &str) -> Option<&str> {
    let Some((name, version)) = import.split_once('@') else { return Some(import) };
    let patch = version.strip_prefix("0.2.")?;
    (!patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

#[cfg(test)]
mod tests;
