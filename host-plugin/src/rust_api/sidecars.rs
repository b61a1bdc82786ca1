//! The state of the plugin: the configured sidecars, the engine that runs them, and their children.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use tauri::{AppHandle, Runtime};
use wasi_sidecar::{Artifact, Engine, Status};

use super::{about::About, process::Command};
use crate::{
    Error, Result,
    children::Children,
    config::{Config, OnReload, SidecarArtifact, SidecarConfig, engine_config},
    page::PageLimits,
    registered::{Registered, default_engine},
    sidecar::{LazySidecar, StatusEmitter},
};

/// The sidecars of an app; from [`SidecarExt::sidecars`](crate::SidecarExt::sidecars).
#[derive(Debug)]
pub struct Sidecars {
    engine: Engine,
    sidecars: RwLock<BTreeMap<String, Arc<LazySidecar>>>,
    /// For children of sidecars that are not configured.
    on_reload: OnReload,
    children: Children,
    status_emitter: StatusEmitter,
}

impl Sidecars {
    /// Checks the configuration and sets up the engine.
    pub(crate) fn new<R: Runtime>(
        app: &AppHandle<R>,
        config: &Config,
        registered: Registered,
    ) -> Result<Self> {
        let raw = &config.raw;
        let status_emitter = StatusEmitter::new(app.clone());
        let mut sources = registered.components;
        let mut precompiled = registered.precompiled.by_name()?;
        let mut sidecars = BTreeMap::new();
        let mut insert = |config: SidecarConfig, code| {
            let name = config.name.clone();
            let sidecar = LazySidecar::new(config, code, status_emitter.clone());
            sidecars.insert(name, Arc::new(sidecar));
        };
        for (name, sidecar) in &raw.sidecars {
            let source = sources.remove(name);
            let config = SidecarConfig::from_config(app, name, sidecar, source, raw.on_reload)?;
            insert(config, precompiled.remove(name.as_str()));
        }
        for (name, source) in sources {
            insert(SidecarConfig::unconfigured(name, source, raw.on_reload), None);
        }
        let changes = registered.engine.into_iter();
        let engine = changes.fold(default_engine(), |config, change| change(config));
        let engine = Engine::new(&engine_config(app, raw, engine)?)?;
        let sidecars = RwLock::new(sidecars);
        let on_reload = raw.on_reload;
        let children = Children::new(PageLimits::from_config(&raw.webviews)?);
        let sidecars = Self { engine, sidecars, on_reload, children, status_emitter };
        sidecars.preload();
        Ok(sidecars)
    }

    /// A command for a sidecar, by its configured name or the last part of it.
    ///
    /// The first call reads and hashes the artifact. The first start compiles it.
    ///
    /// # Errors
    ///
    /// If there is no such sidecar, if it can run neither as a component nor as a native fallback, or if a granted directory
    /// cannot be opened.
    pub fn sidecar(&self, program: impl AsRef<Path>) -> Result<Command> {
        let sidecar = self.find(&program.as_ref().to_string_lossy())?;
        let command = sidecar.command(&self.engine, true)?;
        Ok(Command::new(command, sidecar.config.max_line, self.children.clone()))
    }

    /// Sets a sidecar's artifact while the app runs. A configured sidecar, found as by [`sidecar`](Self::sidecar), keeps its
    /// grants, limits and pin; any other name becomes a new sidecar without grants. Running children keep the old artifact.
    ///
    /// # Errors
    ///
    /// If the bytes are not a runnable sidecar, or do not match the pin.
    pub fn register(&self, name: &str, wasm: impl Into<Vec<u8>>) -> Result<()> {
        let wasm = wasm.into();
        Artifact::identify(&wasm)?.check_runnable()?;
        let source = SidecarArtifact::Bytes(wasm.into());
        let sidecar = match self.find(name) {
            Ok(sidecar) => sidecar.with_source(source),
            Err(Error::SidecarNotAllowed(_)) => {
                let config = SidecarConfig::unconfigured(name.to_owned(), source, self.on_reload);
                LazySidecar::new(config, None, self.status_emitter.clone())
            }
            Err(error) => return Err(error),
        };
        sidecar.component(&self.engine)??;
        let mut sidecars = self.sidecars.write().unwrap_or_else(PoisonError::into_inner);
        sidecars.insert(sidecar.config.name.clone(), Arc::new(sidecar));
        Ok(())
    }

    /// The names of all sidecars, sorted.
    pub fn names(&self) -> Vec<String> {
        let sidecars = self.sidecars.read().unwrap_or_else(PoisonError::into_inner);
        sidecars.keys().cloned().collect()
    }

    /// Describes a sidecar: its artifact, its grants and limits, and the backend that would run it.
    ///
    /// # Errors
    ///
    /// If there is no such sidecar.
    pub fn about(&self, program: &str) -> Result<About> {
        let sidecar = self.find(program)?;
        Ok(About::new(&sidecar, &self.engine))
    }

    /// The compilation status of a sidecar, to show during a long first start. Pages receive every change as the event
    /// `wasi-sidecar://status`.
    ///
    /// Reads no file. Before a sidecar is started or preloaded, its status is [`Status::NotAsked`], even if its artifact is
    /// missing.
    ///
    /// # Errors
    ///
    /// If there is no such sidecar.
    pub fn status(&self, program: &str) -> Result<Status> {
        self.find(program)?.status(&self.engine)
    }

    /// The engine, for uses that this plugin's API does not cover.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn children(&self) -> &Children {
        &self.children
    }

    /// Finds a sidecar by its whole name or by the last part of it, with or without `.exe`. The shell plugin requires the whole
    /// name in JavaScript and the last part in Rust; this accepts both in both.
    pub(crate) fn find(&self, program: &str) -> Result<Arc<LazySidecar>> {
        let sidecars = self.sidecars.read().unwrap_or_else(PoisonError::into_inner);
        let program = program.strip_suffix(".exe").unwrap_or(program);
        if let Some(sidecar) = sidecars.get(program) {
            return Ok(Arc::clone(sidecar));
        }
        let mut matches =
            sidecars.values().filter(|sidecar| sidecar.config.short_name() == program);
        match (matches.next(), matches.next()) {
            (Some(sidecar), None) => Ok(Arc::clone(sidecar)),
            (Some(one), Some(other)) => Err(Error::Ambiguous(
                program.to_owned(),
                format!("`{}` and `{}`", one.config.name, other.config.name),
            )),
            (None, _) => Err(Error::SidecarNotAllowed(PathBuf::from(program))),
        }
    }

    /// Compiles the sidecars whose configuration sets `preload`.
    fn preload(&self) {
        let sidecars = self.sidecars.read().unwrap_or_else(PoisonError::into_inner);
        for sidecar in sidecars.values().filter(|sidecar| sidecar.config.preload) {
            let (sidecar, engine) = (Arc::clone(sidecar), self.engine.clone());
            tauri::async_runtime::spawn(async move {
                let name = sidecar.config.name.clone();
                let load = tauri::async_runtime::spawn_blocking(move || sidecar.load(&engine));
                // The app may still register the artifact.
                let Ok(Ok(loaded)) = load.await else { return };
                // Starting the sidecar returns the error; here it is only logged.
                if let Err(error) = loaded.preload().await {
                    // Only the debug level has the text, which can contain names from the artifact.
                    tracing::warn!(sidecar = name, kind = ?error.kind(), "could not be preloaded");
                    tracing::debug!(sidecar = name, error = %error.chain(), "could not be preloaded because");
                }
            });
        }
    }
}
