//! Sandboxed sidecars for Tauri: one WebAssembly component for every platform, with the API of the shell plugin.
//!
//! A sidecar that is a component runs inside the app's process, touches only what the configuration grants it, and is
//! started and talked to like one of `tauri-plugin-shell`, from Rust and from JavaScript. A native program can stand in for
//! it where the configuration says so.
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
//! - setting it up: [`init`], [`Builder`], [`Config`]
//! - in Rust: [`SidecarExt`], [`process::Command`], [`process::CommandEvent`], [`Sidecars`]
//! - what a webview may start: [`ScopeEntry`], and the permissions in `permissions/`
//! - what runs underneath, without Tauri: the crate [`wasi_sidecar`]
//!
//! # What it promises
//!
//! - A webview starts what its scope allows, and uses the children that it started.
//! - No command of a page blocks the main thread.
//! - Output that a page does not read makes the child wait; it does not make the app grow.
//! - When the app ends so do all children, and a webview's end when it goes away.

#![warn(missing_docs)]

mod ahead;
mod builder;
mod config;
mod entry;
mod page_limits;
mod place;
mod sidecars;
mod status;

pub mod process;

mod commands;
mod js;
mod scope;

mod children;
mod delivery;
mod encoding;

mod error;
mod hardened;
mod shares;
mod wait;

use std::path::Path;

use tauri::{Manager, Runtime, plugin::TauriPlugin};

pub use ahead::AheadOfTime;
pub use builder::Builder;
pub use config::Config;
pub use error::{Error, Result};
pub use scope::{Error as ScopeError, ScopeEntry};
pub use sidecars::{About, AboutDir, Sidecars};
pub use wasi_sidecar;

/// The plugin, with what the configuration says.
///
/// ```no_run
/// fn set_up<R: tauri::Runtime>(builder: tauri::Builder<R>) -> tauri::Builder<R> {
///     builder.plugin(tauri_plugin_wasi_sidecar::init())
/// }
/// ```
#[must_use]
pub fn init<R: Runtime>() -> TauriPlugin<R, Option<Config>> {
    Builder::new().build()
}

/// The sidecars of an app, from everything that is a [`Manager`]: the app, its handle, its windows and webviews.
///
/// ```no_run
/// use tauri_plugin_wasi_sidecar::SidecarExt;
///
/// # async fn count<R: tauri::Runtime>(app: tauri::AppHandle<R>) -> tauri_plugin_wasi_sidecar::Result<()> {
/// let output = app.sidecar("word-count")?.arg("/notes").output().await?;
/// assert!(output.status.success());
/// # Ok(())
/// # }
/// ```
pub trait SidecarExt<R: Runtime> {
    /// All sidecars, and the engine they run on.
    fn sidecars(&self) -> &Sidecars;

    /// A command for one of them, by its configured name or the last part of it; see [`Sidecars::sidecar`].
    ///
    /// # Errors
    ///
    /// Those of [`Sidecars::sidecar`].
    fn sidecar(&self, program: impl AsRef<Path>) -> Result<process::Command> {
        self.sidecars().sidecar(program)
    }
}

impl<R: Runtime, T: Manager<R>> SidecarExt<R> for T {
    fn sidecars(&self) -> &Sidecars {
        self.state::<Sidecars>().inner()
    }
}

/// The shell plugin's name for [`SidecarExt`], so that `app.shell().sidecar(…)` goes on to work when the import is changed.
///
/// ```no_run
/// use tauri_plugin_wasi_sidecar::ShellExt;
///
/// # fn start<R: tauri::Runtime>(app: tauri::AppHandle<R>) -> tauri_plugin_wasi_sidecar::Result<()> {
/// let command = app.shell().sidecar("word-count")?;
/// # Ok(())
/// # }
/// ```
pub trait ShellExt<R: Runtime> {
    /// The same as [`SidecarExt::sidecars`].
    fn shell(&self) -> &Sidecars;
}

impl<R: Runtime, T: Manager<R>> ShellExt<R> for T {
    fn shell(&self) -> &Sidecars {
        self.sidecars()
    }
}
