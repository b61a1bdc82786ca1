//! Sandboxed sidecars for Tauri: one WebAssembly component for every platform, with the API of the shell plugin.
//!
//! A component runs inside the app's process and accesses only what the configuration grants. Rust and JavaScript start it
//! with the API of `tauri-plugin-shell`. The configuration can name a native fallback, which runs in place of the component.
//!
//! ```no_run
//! use tauri_plugin_wasi_sidecar::{SidecarExt, process::CommandEvent};
//!
//! # fn main() {
//! tauri::Builder::<tauri::Wry>::new()
//!     .plugin(tauri_plugin_wasi_sidecar::init())
//!     .setup(|app| {
//!         let (mut events, _child) = app.sidecar("word-count")?.arg("/notes").spawn()?;
//!         tauri::async_runtime::spawn(async move {
//!             while let Some(event) = events.recv().await {
//!                 if let CommandEvent::Stdout(line) = event {
//!                     print!("{}", String::from_utf8_lossy(&line));
//!                 }
//!             }
//!         });
//!         Ok(())
//!     });
//! # }
//! ```
//!
//! # Where to look
//!
//! - setup: [`init`], [`Builder`], [`Config`]
//! - the Rust API: [`SidecarExt`], [`process::Command`], [`process::CommandEvent`], [`Sidecars`]
//! - what a webview may start: [`ScopeEntry`], and the permissions in `permissions/`
//! - the runtime, which does not depend on Tauri: the crate [`wasi_sidecar`]
//!
//! # Guarantees
//!
//! - A webview starts only what its scope allows, and uses only the children that it started.
//! - No command of a page blocks the main thread.
//! - A child waits while its page does not read; unread output does not accumulate in the app.
//! - All children end with the app, and a webview's children end with the webview.

#![warn(missing_docs)]

mod block_on;
mod builder;
mod children;
mod config;
mod error;
mod hardened;
mod ipc;
mod page;
mod registered;
mod rust_api;
mod scope;
mod sidecar;
mod spelling;
mod terminated;

pub use builder::{Builder, init};
pub use config::Config;
pub use error::{Error, Result};
pub use rust_api::{About, AboutDir, ShellExt, SidecarExt, Sidecars, process};
pub use scope::{ScopeEntry, ScopeError};
pub use sidecar::AheadOfTime;
pub use wasi_sidecar;
