//! Runs sidecars: helper programs of an application that talk to it over standard streams.
//!
//! A sidecar ships as **one WebAssembly component** for every platform. It runs inside the application's process,
//! accesses only what it was granted, and has the API of [`tokio::process`]. A native program can run behind the same
//! API.
//!
//! ```no_run
//! # async fn tour() -> anyhow::Result<()> {
//! use wasi_sidecar::{
//!     Access, ArtifactSource, Grants, Command, CommandEvent, Component, Dir, Engine, EngineConfig,
//!     Framing, LoadOptions, ambient_authority,
//! };
//!
//! let engine = Engine::new(&EngineConfig::new())?;
//! let folder = Dir::open_ambient_dir("sidecars", ambient_authority())?;
//! let component = Component::load(&engine, ArtifactSource::file(&folder, "word-count.wasm"), LoadOptions::new())?;
//!
//! let notes = Grants::new().dir("notes", "/notes", Access::ReadOnly, ambient_authority())?;
//! let child = Command::new(component).arg("/notes").grants(notes).spawn()?;
//!
//! let (mut events, _child) = child.into_events(Framing::lines());
//! while let Some(event) = events.recv().await {
//!     match event {
//!         CommandEvent::Stdout(line) => print!("{}", String::from_utf8_lossy(&line)),
//!         CommandEvent::Terminated(end) => println!("ended: {end:?}"),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! - what to run: [`Program`], [`Component`], [`NativeProgram`], and [`Sidecar`], which chooses
//! - how to run it: [`Command`], with [`Grants`] and [`Limits`]
//! - a running child: [`Child`] with its streams, or [`CommandEvent`]s through [`Child::into_events`]
//! - its end: [`ExitStatus`] and [`Termination`]
//! - once per application: [`Engine`], [`EngineConfig`], [`CodeCache`]
//!
//! # What it promises
//!
//! - A guest accesses only what it was granted, and uses no more than its limits.
//! - All output of a guest is delivered, in order and before its end, unless the guest was killed.
//! - A busy or hostile guest delays neither the application nor other guests.
//! - While every guest is idle, no thread of this library wakes.
//!
//! # Where the sandbox ends
//!
//! Code that passes [`ambient_authority()`] uses all rights of the user: it opens a directory to grant, or names a
//! native program. Search for that word to find every such place.

#![warn(missing_docs)]

pub mod units;

mod error;
mod exit;
mod setting;
mod stdio;
mod text;

mod limits;

mod artifact;
mod grants;

mod cache;
mod compile;
mod exec;

mod guest;

mod engine;

mod code;

mod backend;

mod api;

pub use api::{
    Child, ChildRef, Command, CommandChild, CommandEvent, Framing, LineSplitter, Output, Sidecar,
    TerminatedPayload, When,
};
pub use artifact::{Artifact, ArtifactKind, Digest, Need};
pub use backend::{Backend, ChildId, ChildStderr, ChildStdin, ChildStdout, NativeProgram, Program};
pub use cache::CodeCache;
pub use code::{
    ArtifactSource, CodeLabel, CodeOrigin, Component, LoadOptions, Status, StatusWatch,
};
pub use compile::CompileChild;
pub use engine::{Engine, EngineConfig};
pub use error::{Error, ErrorKind, Result};
pub use exec::control::Usage;
pub use exit::{ExitStatus, Termination};
pub use grants::{Access, DirGrant, Grants, NetworkRule};
pub use limits::{LimitInfo, LimitUnit, Limits};
pub use setting::{Limit, Setting};
pub use stdio::Stdio;
pub use text::is_hidden;

pub use cap_std::{AmbientAuthority, ambient_authority, fs::Dir};

/// The examples of both READMEs compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../../docs/guide.md")]
struct Readmes;
