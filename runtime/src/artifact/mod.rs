//! Identifies an artifact by its bytes alone, without compiling or running it.
//!
//! `foreign` recognises files that are not WebAssembly. `parse` reads the outer structure. `proposals` validates
//! everything, which takes longer. This file holds the result and decides whether this host can run it. Every refusal
//! says what was found and what would make it run.

mod digest;
mod footprint;
mod foreign;
mod needs;
mod parse;
mod preview1;
pub(crate) mod proposals;
mod start;

pub use digest::Digest;
pub(crate) use footprint::{Cost, Footprint};
pub use needs::Need;
pub(crate) use start::Start;
use wasi_sidecar_wit::{World, smallest_world};

use crate::{Error, ErrorKind, Result};

/// What an artifact is and what it imports and exports.
///
/// ```
/// use wasi_sidecar::{Artifact, ErrorKind};
///
/// let error = Artifact::identify(b"\x7fELF and so on").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotWasm);
/// assert!(error.to_string().contains("native executable"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    pub(crate) kind: ArtifactKind,
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
    pub(crate) size: u64,
    pub(crate) digest: Digest,
    obstacle: Option<Obstacle>,
    pub(crate) start: Start,
    /// Host memory that its instances take.
    pub(crate) footprint: Footprint,
}

/// What prevents a program from running here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Obstacle {
    /// An import that this host does not offer.
    Import(String),
    /// An import from a preview1 module that this host has, of a function that it does not have.
    NoFunction(String),
    /// An import of a function that has another type in this host.
    OtherType(String),
    /// A memory shared between threads.
    Threads,
    /// Parts that pass each other strings in different encodings.
    Encodings,
}

/// The kinds of WebAssembly artifacts.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// use wasi_sidecar::{Artifact, ArtifactKind};
///
/// let empty = Artifact::identify(b"\0asm\x01\0\0\0")?;
/// assert_eq!(empty.kind(), ArtifactKind::CoreModule);
/// assert!(empty.check_runnable().is_err()); // nothing in it can be started
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ArtifactKind {
    /// A component that exports `wasi:cli/run`: a program for WASI 0.2.
    CommandComponent,
    /// A component that exports `wasi:cli/run` of WASI 0.3.
    CommandComponent03,
    /// A component that exports something else: a library.
    LibraryComponent,
    /// A core module with `_start`: a program for WASI 0.1, if it imports nothing but `wasi_snapshot_preview1`.
    CommandModule,
    /// A core module with `_initialize`: a library for WASI 0.1.
    ReactorModule,
    /// Any other core module.
    CoreModule,
}

impl ArtifactKind {
    /// The kind as hyphenated words, such as `command-component`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CommandComponent | Self::CommandComponent03 => "command-component",
            Self::LibraryComponent => "library-component",
            Self::CommandModule => "command-module",
            Self::ReactorModule => "reactor-module",
            Self::CoreModule => "core-module",
        }
    }
}

impl Artifact {
    /// Reads the outer structure of an artifact.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotWasm`] when the bytes are something else, and the text says what; [`ErrorKind::Damaged`] when
    /// they are cut off or invalid.
    pub fn identify(bytes: &[u8]) -> Result<Self> {
        foreign::refuse(bytes)?;
        parse::parse(bytes)
    }

    /// Validates all `bytes`, code included, exactly as before a compilation. Reading the outer structure skips code,
    /// so a [runnable](Self::check_runnable) artifact can fail here.
    ///
    /// Takes a second or two for 100 MB. A hostile artifact can take longer.
    ///
    /// ```
    /// # fn main() -> wasi_sidecar::Result<()> {
    /// # let wasm = wat::parse_str(r#"(module (memory (export "memory") i64 1) (func (export "_start")))"#).unwrap();
    /// use wasi_sidecar::Artifact;
    ///
    /// let artifact = Artifact::identify(&wasm)?;
    /// artifact.check_runnable()?;
    /// let error = Artifact::validate(&wasm).unwrap_err();
    /// assert!(error.to_string().contains("uses memory64"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] when the artifact uses WebAssembly proposals that are off; the text names them and
    /// says what to do. [`ErrorKind::Damaged`] when it is invalid.
    pub fn validate(bytes: &[u8]) -> Result<()> {
        proposals::validate(bytes)
    }

    /// The kind of artifact.
    #[must_use]
    pub fn kind(&self) -> ArtifactKind {
        self.kind
    }

    /// Its imports: interfaces of a component (`wasi:cli/stdin@0.2.6`), or functions of a module
    /// (`wasi_snapshot_preview1::fd_write`). In the artifact's order, escaped.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// The grants that the artifact could use, judged by its imports. An import says what a program *can* ask for, not
    /// that it does: the runtime of some languages imports everything.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        needs::needs(&self.imports)
    }

    /// Its exports, in the same form as [`imports`](Self::imports).
    #[must_use]
    pub fn exports(&self) -> &[String] {
        &self.exports
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The SHA-256 of its bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The version of WASI it is written for: `0.1`, `0.2` or `0.3`; `None` if it uses no WASI.
    #[must_use]
    pub fn wasi(&self) -> Option<&'static str> {
        match self.kind {
            ArtifactKind::CommandComponent => Some("0.2"),
            ArtifactKind::CommandComponent03 => Some("0.3"),
            ArtifactKind::CommandModule | ArtifactKind::ReactorModule => Some("0.1"),
            ArtifactKind::CoreModule | ArtifactKind::LibraryComponent => {
                let version = |part: &str| self.imports.iter().any(|name| name.contains(part));
                [("@0.3", "0.3"), ("@0.2", "0.2"), (preview1::MODULE, "0.1")]
                    .into_iter()
                    .find_map(|(part, name)| version(part).then_some(name))
            }
        }
    }

    /// Checks that this host can run the artifact.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`]. The text says what the artifact is, what prevents it from running, and what would
    /// make it run.
    pub fn check_runnable(&self) -> Result<()> {
        let refuse = |text: String| Err(Error::new(ErrorKind::Unsupported, text));
        match self.kind {
            ArtifactKind::CommandComponent | ArtifactKind::CommandModule => {
                self.obstacle.as_ref().map_or(Ok(()), |obstacle| refuse(self.hindered_by(obstacle)))
            }
            ArtifactKind::CommandComponent03 => {
                let because = match &self.obstacle {
                    Some(Obstacle::Import(import)) => format!(" that imports `{import}`"),
                    _ => String::new(),
                };
                refuse(format!(
                    "a component for WASI 0.3{because}, and this version runs 0.2; build it for wasm32-wasip2 without WASI 0.3 \
                     imports"
                ))
            }
            ArtifactKind::LibraryComponent => refuse(format!(
                "a component that is not a program: it exports {}, and a sidecar exports \
                 `wasi:cli/run@0.2`; build it as a program (a binary with `main`)",
                self.some_exports()
            )),
            ArtifactKind::ReactorModule => refuse(
                "a WASI reactor (it exports `_initialize`): a library, not a program; build it as \
                 a command, with `main` and `_start`"
                    .into(),
            ),
            ArtifactKind::CoreModule => refuse(format!(
                "a core WebAssembly module without a WASI entry point: it exports {}, and a \
                 sidecar exports `_start`; build it for wasm32-wasip1 or wasm32-wasip2",
                self.some_exports()
            )),
        }
    }

    /// The smallest world of `wasi-sidecar:guest` that has all its imports; `None` if no world does.
    #[must_use]
    pub fn world(&self) -> Option<&'static str> {
        if self.check_runnable().is_err() {
            return None;
        }
        if self.kind == ArtifactKind::CommandModule {
            let files = ["path_", "fd_prestat", "fd_readdir"];
            let uses = |name: &String| {
                name.split("::").nth(1).is_some_and(|f| files.iter().any(|p| f.starts_with(p)))
            };
            return Some(if self.imports.iter().any(uses) { "files" } else { "stdio" });
        }
        self.smallest_world().name()
    }

    /// The smallest world, or the imports beyond all worlds.
    fn smallest_world(&self) -> World {
        smallest_world(self.imports.iter().map(String::as_str))
    }

    /// The text that says why a program does not run.
    fn hindered_by(&self, obstacle: &Obstacle) -> String {
        let what = match self.kind {
            ArtifactKind::CommandModule => "WebAssembly module",
            _ => "component",
        };
        match obstacle {
            Obstacle::Encodings => format!(
                "a {what} whose parts pass each other strings in different encodings, which cannot be interrupted here; build \
                 all its parts with the same string encoding, such as UTF-8"
            ),
            Obstacle::Threads => format!(
                "a {what} for several threads, and a sidecar has one; build it for `wasm32-wasip1` or `wasm32-wasip2`, without \
                 `-pthread` and without shared memory"
            ),
            // Sockets are linked, and every call fails: interpreters import them whether or not a program uses them.
            Obstacle::Import(import) if what == "component" => format!(
                "a {what} that imports `{import}`, which this host does not offer; it offers WASI 0.2: wasi:cli, clocks, \
                 filesystem, io, random"
            ),
            Obstacle::Import(import) => format!(
                "a {what} that imports `{import}`; a sidecar may import `{}` only, so build it for wasm32-wasip1 or \
                 wasm32-wasip2",
                preview1::MODULE
            ),
            Obstacle::NoFunction(import) => format!(
                "a {what} that imports `{import}`, which is no function of WASI 0.1; build it with a tool chain that does not \
                 add functions of its own, such as wasi-sdk"
            ),
            Obstacle::OtherType(import) => format!(
                "a {what} that imports `{import}` with another type than it has in WASI 0.1; build it for wasm32-wasip1 or \
                 wasm32-wasip2"
            ),
        }
    }

    fn some_exports(&self) -> String {
        const SHOWN: usize = 4;
        if self.exports.is_empty() {
            return "nothing".into();
        }
        let mut text: Vec<_> =
            self.exports.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
        if self.exports.len() > SHOWN {
            text.push(format!("{} more", self.exports.len() - SHOWN));
        }
        text.join(", ")
    }
}

#[cfg(test)]
mod tests;
