//! Setting the plugin up.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tauri::{
    Manager, RunEvent, Runtime, WindowEvent,
    ipc::Invoke,
    plugin::{self, TauriPlugin},
    webview::PageLoadEvent,
};
use wasi_sidecar::{CompileChild, EngineConfig, ambient_authority};

use crate::{
    AheadOfTime, Config,
    commands::{self, input},
    entry::Source,
    hardened,
    scope::start_check,
    sidecars::Sidecars,
};

/// Sets the plugin up, where [`init`](crate::init) is not enough.
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

/// What the app brings along in code.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) components: BTreeMap<String, Source>,
    pub(crate) engine: EngineConfig,
    pub(crate) code: AheadOfTime,
}

impl Default for Registered {
    fn default() -> Self {
        Self { components: BTreeMap::new(), engine: isolating(), code: AheadOfTime::default() }
    }
}

/// An engine that compiles what nobody vouches for in a process of its own, which is this app started again; where apps start no
/// processes, only what looks harmless.
fn isolating() -> EngineConfig {
    // Here begins an instance that was started for that, and it does not return: plugins are made before any window is.
    CompileChild::enter_if_asked();
    match CompileChild::this_program(ambient_authority()) {
        Ok(child) => EngineConfig::new().compile_isolated(child),
        Err(error) => {
            tracing::debug!(%error, "artifacts of strangers are scanned and compiled in the app's process");
            EngineConfig::new().compile_scanned()
        }
    }
}

/// A host function that panics ends its guest and nothing else, unless the app is built so that every panic ends it.
fn warn_of_aborts(aborts: bool) {
    if aborts {
        tracing::warn!(
            "built with panic = \"abort\": a panic while a sidecar is served ends the app; use \"unwind\""
        );
    }
}

/// The commands that Tauri's macro takes apart.
fn commands<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        commands::spawn,
        commands::execute,
        commands::close_stdin,
        commands::kill,
        commands::list,
        commands::ack,
        commands::status,
    ]
}

impl Builder {
    /// Nothing beside the configuration.
    ///
    /// In an instance of the app that was started to compile an artifact of a stranger, this does not return: see
    /// [`CompileChild::enter_if_asked`]. What `main` does before it is done in such an instance as well.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a sidecar its artifact as bytes, `include_bytes!` for one. Its grants and limits come from the configuration;
    /// one that is not there holds nothing. On Android, where resources are no files, this is the way.
    #[must_use]
    pub fn component(mut self, name: impl Into<String>, wasm: impl Into<Vec<u8>>) -> Self {
        self.registered.components.insert(name.into(), Source::Bytes(wasm.into()));
        self
    }

    /// Gives a sidecar its artifact by a path that the app has chosen, likewise.
    #[must_use]
    pub fn component_path(
        mut self,
        name: impl Into<String>,
        path: impl Into<std::path::PathBuf>,
    ) -> Self {
        self.registered.components.insert(name.into(), Source::Path(path.into()));
        self
    }

    /// Brings machine code along that this app's build has made, so that a first start compiles nothing:
    /// `ahead_of_time(tauri_plugin_wasi_sidecar::ahead_of_time!())`. What does not fit the machine is compiled there, as it
    /// would be without.
    #[must_use]
    pub fn ahead_of_time(mut self, code: AheadOfTime) -> Self {
        self.registered.code = code;
        self
    }

    /// Changes the engine's settings; those of the configuration come on top.
    #[must_use]
    pub fn engine(mut self, change: impl FnOnce(EngineConfig) -> EngineConfig) -> Self {
        self.registered.engine = change(self.registered.engine);
        self
    }

    /// The plugin.
    #[must_use]
    pub fn build<R: Runtime>(self) -> TauriPlugin<R, Option<Config>> {
        let registered = self.registered;
        let ready = Arc::new(AtomicBool::new(false));
        let is_ready = Arc::clone(&ready);
        let others = commands();
        plugin::Builder::<R, Option<Config>>::new("wasi-sidecar")
            .invoke_handler(move |invoke| match invoke.message.command() {
                input::COMMAND => input::stdin_write(invoke),
                _ => others(invoke),
            })
            .setup(move |app, api| {
                hardened::check()?;
                warn_of_aborts(cfg!(panic = "abort"));
                let config = api.config().clone().unwrap_or_default();
                app.manage(Sidecars::new(app, &config, registered)?);
                // Entries that are not bound to a command are read now, the others when the app is ready.
                api.scope::<crate::ScopeEntry>()?;
                Ok(())
            })
            .on_webview_ready(move |webview| {
                start_check::look_at(&webview, !ready.load(Ordering::Relaxed));
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
            warn_of_aborts(aborts);
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
