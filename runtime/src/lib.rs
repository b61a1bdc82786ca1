//! Runs sidecars: programs that stand beside an application and talk to it over standard streams.
//!
//! A sidecar ships as **one WebAssembly component** for every platform. It runs inside the application's
//! process, touches only what it was granted, and is driven with the API of [`tokio::process`]. A native
//! program can stand behind the same API.
//!
//! ```no_run
//! # async fn tour() -> anyhow::Result<()> {
//! use wasi_sidecar::{
//!     Access, Capabilities, Command, CommandEvent, Component, Engine, EngineConfig, Framing,
//!     ambient_authority, Dir,
//! };
//!
//! let engine = Engine::new(&EngineConfig::new())?;
//! let folder = Dir::open_ambient_dir("sidecars", ambient_authority())?;
//! let component = Component::from_file(&engine, &folder, "word-count.wasm")?;
//!
//! let notes = Capabilities::new().dir("notes", "/notes", Access::ReadOnly, ambient_authority())?;
//! let child = Command::new(component).arg("/notes").capabilities(notes).spawn()?;
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
//! - how to run it: [`Command`], with [`Capabilities`] and [`Limits`]
//! - running: [`Child`] with its streams, or [`CommandEvent`]s through [`Child::into_events`]
//! - how it ended: [`ExitStatus`] and [`Termination`]
//! - once per application: [`Engine`], [`EngineConfig`], [`CodeCache`]
//!
//! # What it promises
//!
//! - A guest holds nothing but what it was granted, and uses no more than its limits.
//! - What a guest wrote is delivered in order before its end is, unless it was killed.
//! - A busy or hostile guest delays neither the application nor other guests.
//! - While every guest is idle no thread of this library wakes.
//!
//! # Where the sandbox ends
//!
//! Whoever passes [`ambient_authority()`] uses all of the user's rights: to open a directory that is then
//! granted, or to name a native program. Searching for that word finds every such place.

#![warn(missing_docs)]

mod program;

mod command;

mod child;
mod child_ref;
mod event;
mod exit;
mod lines;
mod streams;

mod capabilities;
mod limits;
mod sidecar;

mod artifact;
mod cache;
mod component;
mod engine;

mod imp;

mod compile;
mod control;
mod directory;
mod error;
mod executor;
mod patience;
mod pipe;
mod stdio;
mod store;
mod text;
mod ticker;
mod vm;

pub mod units;

pub use artifact::{Artifact, ArtifactKind, Digest, Need};
pub use cache::CodeCache;
pub use capabilities::{Access, Capabilities, Requests};
pub use child::{Child, Output};
pub use child_ref::ChildRef;
pub use command::Command;
pub use compile::{CompileChild, CompileOptions};
pub use component::{CodeLabel, CodeOrigin, Component, Status, StatusWatch};
pub use control::Usage;
pub use engine::{Engine, EngineConfig};
pub use error::{Error, ErrorKind, Result};
pub use event::{CommandChild, CommandEvent, Framing, TerminatedPayload};
pub use exit::{ExitStatus, Limit, Termination};
pub use imp::ChildId;
pub use limits::Limits;
pub use lines::LineSplitter;
pub use program::{Backend, NativeProgram, Program};
pub use sidecar::{Sidecar, When};
pub use stdio::Stdio;
pub use streams::{ChildStderr, ChildStdin, ChildStdout};
pub use text::is_hidden;

pub use cap_std::{AmbientAuthority, ambient_authority, fs::Dir};

/// The examples of both READMEs compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../../README.md")]
struct Readmes;
