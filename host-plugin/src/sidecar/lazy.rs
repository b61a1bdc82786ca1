//! A configured sidecar whose artifact is loaded on first use.

use std::sync::{Mutex, PoisonError, TryLockError};

use wasi_sidecar::{
    ArtifactSource, Command, Component, Engine, LoadOptions, Program, Sidecar, Status, When,
    ambient_authority,
};

use super::{precompiled::PrecompiledCode, status::StatusEmitter};
use crate::{
    Error, Result,
    config::{SidecarArtifact, SidecarConfig},
    error::sanitize,
    spelling::explain,
};

#[derive(Debug)]
pub(crate) struct LazySidecar {
    pub(crate) config: SidecarConfig,
    precompiled: Option<PrecompiledCode>,
    status_emitter: StatusEmitter,
    /// Failures are not kept: a missing file can appear later.
    component: Mutex<Option<Component>>,
}

impl LazySidecar {
    pub(crate) fn new(
        config: SidecarConfig,
        precompiled: Option<PrecompiledCode>,
        status_emitter: StatusEmitter,
    ) -> Self {
        Self { config, precompiled, status_emitter, component: Mutex::new(None) }
    }

    /// The same sidecar with another artifact, for which the pin holds as well.
    pub(crate) fn with_source(&self, source: SidecarArtifact) -> Self {
        let config = SidecarConfig { source: Some(source), ..self.config.clone() };
        Self::new(config, None, self.status_emitter.clone())
    }

    /// Loads the artifact and chooses the backend. The first call reads and hashes the file.
    ///
    /// # Errors
    ///
    /// If there is neither an artifact nor a native fallback that needs none.
    pub(crate) fn load(&self, engine: &Engine) -> Result<Sidecar> {
        match self.always_native() {
            Some(sidecar) => Ok(sidecar),
            None => Ok(self.sidecar_of(self.component(engine)?)),
        }
    }

    /// The artifact, or why it cannot be loaded, and the sidecar. Loads once, so that a failure is logged once.
    pub(crate) fn load_with_artifact(
        &self,
        engine: &Engine,
    ) -> (Result<wasi_sidecar::Artifact>, Result<Sidecar>) {
        let loaded = self.component(engine);
        let artifact = match &loaded {
            Ok(Ok(component)) => Ok(component.artifact().clone()),
            Ok(Err(error)) => Err(error.clone().into()),
            Err(_) => Err(Error::NoArtifact(self.config.name.clone())),
        };
        let sidecar = match self.always_native() {
            Some(sidecar) => Ok(sidecar),
            None => loaded.map(|component| self.sidecar_of(component)),
        };
        (artifact, sidecar)
    }

    /// The sidecar if it always runs natively. It then needs no artifact.
    fn always_native(&self) -> Option<Sidecar> {
        match &self.config.native {
            Some((program, When::Always)) => {
                Some(Sidecar::always_native(&self.config.name, program.clone()))
            }
            _ => None,
        }
    }

    fn sidecar_of(&self, component: wasi_sidecar::Result<Component>) -> Sidecar {
        let config = &self.config;
        let mut sidecar = Sidecar::new(&config.name, component).limits(config.limits.clone());
        if let Some((program, when)) = &config.native {
            sidecar = sidecar.native(program.clone(), *when);
        }
        sidecar
    }

    /// A command with all grants. `with_env` tells whether the granted environment entries are passed on.
    ///
    /// A native fallback receives no grants, since nothing confines it; it inherits the app's environment, as with the shell
    /// plugin.
    pub(crate) fn command(&self, engine: &Engine, with_env: bool) -> Result<Command> {
        let mut command = self.load(engine)?.command()?;
        match command.program() {
            Program::Native(_) => command.inherit_env(),
            _ => {
                command.grants(self.config.grants.open(ambient_authority()).map_err(|source| {
                    self.log_failure("a grant of it cannot be given", &source);
                    Error::Grant { sidecar: self.config.name.clone(), source }
                })?)
            }
        };
        if !with_env {
            command.env_clear();
        }
        Ok(command)
    }

    /// The component. The outer error is that there is no artifact yet, the inner one that the artifact cannot be loaded.
    pub(crate) fn component(&self, engine: &Engine) -> Result<wasi_sidecar::Result<Component>> {
        let mut slot = self.component.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = &*slot {
            return Ok(Ok(component.clone()));
        }
        let mut options = LoadOptions::new().name(self.config.short_name());
        if let Some(pin) = self.config.pin {
            options = options.pin(pin);
        }
        let source = match &self.config.source {
            None => return Err(Error::NoArtifact(self.config.name.clone())),
            Some(SidecarArtifact::Bytes(bytes)) => ArtifactSource::bytes(bytes.clone()),
            Some(SidecarArtifact::Path(path)) => {
                if let Some(precompiled) = &self.precompiled {
                    let (code, label) = precompiled.beside(path);
                    options = options.code(code, label);
                }
                ArtifactSource::path(path, ambient_authority())
            }
        };
        let loaded = Component::load(engine, source, options);
        Ok(loaded
            .inspect(|component| {
                self.status_emitter.follow(&self.config.name, component.watch_status());
                *slot = Some(component.clone());
            })
            .inspect_err(|error| self.log_failure("it cannot be loaded", error)))
    }

    /// Logs a failure, whether Rust or a page caused it. Only the debug level has the text, which can contain names from the
    /// artifact.
    fn log_failure(&self, what: &'static str, error: &wasi_sidecar::Error) {
        let name = &self.config.name;
        tracing::warn!(sidecar = name, kind = ?error.kind(), "{what}");
        tracing::debug!(sidecar = name, error = ?sanitize(explain(error)), "{what} because");
    }

    /// The compilation status. Reads no file; before the first use it is [`Status::NotAsked`].
    pub(crate) fn status(&self, engine: &Engine) -> Result<Status> {
        if matches!(self.config.native, Some((_, When::Always))) {
            return Ok(Status::Native);
        }
        let is_loaded = match self.component.try_lock() {
            Ok(slot) => slot.is_some(),
            // Another thread is reading the artifact.
            Err(TryLockError::WouldBlock) => return Ok(Status::Queued),
            Err(TryLockError::Poisoned(slot)) => slot.into_inner().is_some(),
        };
        if is_loaded { Ok(self.load(engine)?.status()) } else { Ok(Status::NotAsked) }
    }
}
