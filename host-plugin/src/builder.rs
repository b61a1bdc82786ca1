//! Builds the plugin and connects it to the app's events.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tauri::{
    Manager, RunEvent, Runtime, WindowEvent,
    plugin::{self, TauriPlugin},
    webview::PageLoadEvent,
};
use wasi_sidecar::{CompileChild, EngineConfig};

use crate::{
    AheadOfTime, Config, ScopeEntry, Sidecars, config::SidecarArtifact, hardened, ipc,
    registered::Registered, scope::start_check,
};

/// Configures the plugin in code; [`init`] uses `tauri.conf.json` alone.
///
/// ```no_run
/// # fn main() {
/// # let bytes = Vec::new();
/// tauri::Builder::<tauri::Wry>::new().plugin(
///     tauri_plugin_wasi_sidecar::Builder::new()
///         .component("binaries/word-count", bytes)
///         .engine(|engine| engine.max_guests(50))
///         .build(),
/// );
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Builder {
    registered: Registered,
}

/// The plugin with the configuration of `tauri.conf.json`. Call it early in `main`: see [`Builder::build`].
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

/// With `panic = "abort"`, a panicking host function ends the app instead of its guest.
fn warn_about_abort(aborts: bool) {
    if aborts {
        tracing::warn!(
            "built with panic = \"abort\": a panic while a sidecar is served ends the app; use \"unwind\""
        );
    }
}

impl Builder {
    /// A builder without components, precompiled code or engine settings of the app's own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a sidecar's artifact to bytes, for example from `include_bytes!`. The configuration has its grants and limits; a
    /// sidecar that is not configured has no grants. Use this on Android, where resources are not files.
    #[must_use]
    pub fn component(mut self, name: impl Into<String>, wasm: impl Into<Vec<u8>>) -> Self {
        self.registered.components.insert(name.into(), SidecarArtifact::Bytes(wasm.into().into()));
        self
    }

    /// Sets a sidecar's artifact to a file. Grants and limits are as for [`component`](Self::component).
    #[must_use]
    pub fn component_path(mut self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.registered.components.insert(name.into(), SidecarArtifact::Path(path.into()));
        self
    }

    /// Uses code that the app's build script compiled, so that the first start of a sidecar compiles nothing:
    /// `ahead_of_time(tauri_plugin_wasi_sidecar::ahead_of_time!())`. A sidecar without code for this machine is compiled on its
    /// first start.
    #[must_use]
    pub fn ahead_of_time(mut self, code: AheadOfTime) -> Self {
        self.registered.precompiled = code;
        self
    }

    /// Changes the engine's settings. The configuration overrides them.
    #[must_use]
    pub fn engine(
        mut self,
        change: impl FnOnce(EngineConfig) -> EngineConfig + Send + 'static,
    ) -> Self {
        self.registered.engine.push(Box::new(change));
        self
    }

    /// Builds the plugin.
    ///
    /// To compile an untrusted artifact, the engine starts a second instance of the app. In that instance this function does
    /// not return; see [`CompileChild::enter_if_asked`]. Code in `main` before this call runs in it as well.
    #[must_use]
    pub fn build<R: Runtime>(self) -> TauriPlugin<R, Option<Config>> {
        // Apps build their plugins before windows, so this comes early enough.
        CompileChild::enter_if_asked();
        let registered = self.registered;
        let ready = Arc::new(AtomicBool::new(false));
        let is_ready = Arc::clone(&ready);
        plugin::Builder::<R, Option<Config>>::new("wasi-sidecar")
            .invoke_handler(ipc::handler())
            .setup(move |app, api| {
                hardened::check()?;
                warn_about_abort(cfg!(panic = "abort"));
                let config = api.config().clone().unwrap_or_default();
                app.manage(Sidecars::new(app, &config, registered)?);
                // This checks the scope entries that are not bound to a command, `start_check` the others.
                api.scope::<ScopeEntry>()?;
                Ok(())
            })
            .on_webview_ready(move |webview| {
                start_check::check_in_background(&webview, !ready.load(Ordering::Relaxed));
            })
            .on_page_load(|webview, payload| {
                if payload.event() == PageLoadEvent::Started {
                    webview.state::<Sidecars>().children().page_left(webview.label());
                }
            })
            .on_event(move |app, event| match event {
                RunEvent::Ready => is_ready.store(true, Ordering::Relaxed),
                RunEvent::WindowEvent { label, event: WindowEvent::Destroyed, .. } => {
                    app.state::<Sidecars>().children().window_destroyed(label);
                }
                RunEvent::Exit => app.state::<Sidecars>().children().end_all(),
                _ => {}
            })
            .build()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tracing_subscriber::fmt::MakeWriter as _;

    use super::*;

    static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    #[test]
    fn an_app_that_ends_at_every_panic_is_warned_of_it() {
        let log = tracing_subscriber::fmt().with_ansi(false).without_time();
        let log = log.with_writer(|| LOG.make_writer()).finish();
        let said = |aborts| {
            warn_about_abort(aborts);
            let mut log = LOG.lock().expect("nobody panicked with it");
            String::from_utf8(std::mem::take(&mut *log)).expect("it is text")
        };
        tracing::subscriber::with_default(log, || {
            assert_eq!(said(false), "");
            let warning = said(true);
            assert!(warning.trim_start().starts_with("WARN"), "{warning}");
            assert!(warning.contains("panic = \"abort\""), "{warning}");
        });
    }
}
