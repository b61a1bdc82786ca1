//! The extension traits that give an app its sidecars.

use std::path::Path;

use tauri::{Manager, Runtime};

use super::{process::Command, sidecars::Sidecars};
use crate::Result;

/// Access to the app's sidecars from every [`Manager`]: the app, its handle, its windows and webviews.
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
    /// All sidecars, and the engine that runs them.
    fn sidecars(&self) -> &Sidecars;

    /// A command for one sidecar, by its configured name or the last part of it; see [`Sidecars::sidecar`].
    ///
    /// # Errors
    ///
    /// Those of [`Sidecars::sidecar`].
    fn sidecar(&self, program: impl AsRef<Path>) -> Result<Command> {
        self.sidecars().sidecar(program)
    }
}

impl<R: Runtime, T: Manager<R>> SidecarExt<R> for T {
    fn sidecars(&self) -> &Sidecars {
        self.state::<Sidecars>().inner()
    }
}

/// The shell plugin's name for [`SidecarExt`]: `app.shell().sidecar(…)` keeps working when only the import changes.
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
