//! A loaded artifact, and its machine code, which is compiled once.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use tokio::sync::watch;

use super::{
    options::LoadOptions,
    precompiled::{self, CodeLabel, Precompiled},
    source::{self, ArtifactSource},
    status::{CodeOrigin, State, Status, StatusWatch},
};
use crate::{
    Artifact, ArtifactKind, Digest, Engine, Error, Result,
    artifact::Cost,
    compile::{self, Compiler, Form, Settings, Urgency, Waiters},
    guest::code::Compiled,
};

/// A loaded artifact: a WASI 0.2 command component, or a preview1 command module.
///
/// Loading reads and identifies the artifact. It is compiled once for all callers, at the first spawn or
/// [`compile`](Self::compile). Clones share the artifact and its machine code.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{Component, Engine, EngineConfig, LoadOptions};
///
/// let engine = Engine::new(&EngineConfig::new())?;
/// let component = Component::load(&engine, wasm, LoadOptions::new())?;
/// assert_eq!(component.artifact().wasi(), Some("0.1"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Component(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) engine: Engine,
    pub(super) artifact: Artifact,
    pub(super) name: String,
    /// The path of its file, as the caller wrote it.
    pub(super) file: Option<String>,
    pub(super) wasm: Bytes,
    /// The state of its code.
    pub(super) state: watch::Sender<State>,
    pub(super) waiters: Arc<Waiters>,
    /// Code from [`LoadOptions::code`], until it is read.
    precompiled: Mutex<Option<Precompiled>>,
    pub(super) trusted: bool,
}

impl Component {
    /// Reads and identifies an artifact.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when the file does not exist, [`ErrorKind::Io`] when it cannot be read.
    /// [`ErrorKind::NotWasm`], [`ErrorKind::Damaged`] and [`ErrorKind::Unsupported`] say what the bytes are and what
    /// would make them run. [`ErrorKind::Limit`] when the artifact is larger than the engine allows,
    /// [`ErrorKind::Digest`] when it does not match the pin.
    ///
    /// [`ErrorKind::NotFound`]: crate::ErrorKind::NotFound
    /// [`ErrorKind::Io`]: crate::ErrorKind::Io
    /// [`ErrorKind::NotWasm`]: crate::ErrorKind::NotWasm
    /// [`ErrorKind::Damaged`]: crate::ErrorKind::Damaged
    /// [`ErrorKind::Unsupported`]: crate::ErrorKind::Unsupported
    /// [`ErrorKind::Limit`]: crate::ErrorKind::Limit
    /// [`ErrorKind::Digest`]: crate::ErrorKind::Digest
    pub fn load(
        engine: &Engine,
        source: impl Into<ArtifactSource>,
        options: LoadOptions,
    ) -> Result<Self> {
        let LoadOptions { name, pin, trusted, code } = options;
        let read = source.into().read(engine.max_artifact())?;
        let (wasm, path) = (&read.wasm, read.file.as_ref().map(|(_, path)| path));
        let shown = path.map(|path| path.display().to_string());
        let name = name.or_else(|| path.map(|path| stem(path)));
        let name = name.unwrap_or_else(|| "sidecar".to_owned());
        let digest = Digest::of(wasm);
        if let Some(pin) = &pin {
            source::check_pin(&name, &digest, pin)?;
        }
        let artifact = Artifact::identify(wasm).and_then(|artifact| {
            artifact.check_runnable()?;
            Ok(artifact)
        });
        let artifact = artifact.map_err(|error| match &shown {
            Some(shown) => Error::new(error.kind(), format!("`{shown}` is {error}")),
            None => error,
        })?;
        read.dirs()?.into_iter().for_each(|dir| engine.protect(dir));
        // The application identifies a label's artifact by its digest, which makes it a pin as well.
        let labelled = code.as_ref().is_some_and(|code| code.label.artifact() == digest);
        Ok(Self(Arc::new(Inner {
            engine: engine.clone(),
            artifact,
            name,
            file: shown,
            wasm: read.wasm,
            state: watch::Sender::new(State::NotAsked),
            waiters: Arc::default(),
            precompiled: Mutex::new(code),
            trusted: trusted || pin.is_some() || labelled,
        })))
    }

    /// The identified artifact: its kind, imports and exports.
    #[must_use]
    pub fn artifact(&self) -> &Artifact {
        &self.0.artifact
    }

    /// The name that a guest sees as its own (`argv[0]`): see [`LoadOptions::name`].
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Compiles the artifact, or loads its code from the cache, unless that was done. The first
    /// [`spawn`](crate::Command::spawn) does the same; call this to do it earlier.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Damaged`](crate::ErrorKind::Damaged) when the artifact is invalid, [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when it needs a WebAssembly
    /// proposal or an interface version that this host does not offer, [`ErrorKind::Compile`](crate::ErrorKind::Compile) when the compiler fails,
    /// [`ErrorKind::CompileLimit`](crate::ErrorKind::CompileLimit) when it is untrusted and exceeds the limits on compiling.
    ///
    /// # Cancel safety
    ///
    /// Cancelling stops the wait, not the compilation. A [compile child](crate::CompileChild) also stops once nobody
    /// waits for it; the next call starts over.
    pub async fn compile(&self) -> Result<()> {
        self.code(Urgency::Preload).await.map(drop)
    }

    /// The cost of starting it once, for a guest with at most this many instances.
    pub(crate) fn cost(&self, instances: usize) -> Cost {
        self.0.artifact.footprint.cost(instances)
    }

    /// The code, for a child that cannot start without it.
    pub(crate) async fn compiled(&self) -> Result<Compiled> {
        self.load_if_small();
        self.code(Urgency::Spawned).await
    }

    /// The state of its code.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.state.borrow().status()
    }

    /// Watches the [`status`](Self::status) from now on.
    #[must_use]
    pub fn watch_status(&self) -> StatusWatch {
        StatusWatch::new(self.0.state.subscribe())
    }

    /// Whether its code is ready, so that a spawn does not wait.
    #[must_use]
    pub fn is_compiled(&self) -> bool {
        matches!(self.status(), Status::Ready(_))
    }

    /// Where its code came from, once it is ready.
    #[must_use]
    pub fn code_origin(&self) -> Option<CodeOrigin> {
        match self.status() {
            Status::Ready(origin) => Some(origin),
            _ => None,
        }
    }

    /// The error of a failed compilation, if there was one.
    pub(crate) fn known_failure(&self) -> Option<Error> {
        match self.status() {
            Status::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Machine code for this machine or for a `target` triple, as `wasi-sidecar compile` writes it. Does not use the
    /// code cache.
    ///
    /// # Errors
    ///
    /// Those of [`compile`](Self::compile), and [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for an unknown target.
    pub fn precompile(&self, target: Option<&str>) -> Result<Vec<u8>> {
        let settings = Settings {
            guest_stack: self.0.engine.guest_stack(),
            target: target.map(ToOwned::to_owned),
        };
        self.compile_for(&settings).map(|(code, _)| code)
    }

    /// Machine code for any CPU of a target triple, with its label: for [`LoadOptions::code`] in another process.
    ///
    /// # Errors
    ///
    /// Those of [`compile`](Self::compile), and [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for an unknown target.
    pub fn precompile_labelled(&self, target: &str) -> Result<(Vec<u8>, CodeLabel)> {
        let (code, engine) = self.compile_for(&precompiled::settings(target))?;
        let label = CodeLabel {
            target: target.to_owned(),
            artifact: self.0.artifact.digest(),
            engine,
            code: Digest::of(&code),
        };
        Ok((code, label))
    }

    /// Compiles in this process with the settings of another engine. Also returns that engine's fingerprint.
    fn compile_for(&self, settings: &Settings) -> Result<(Vec<u8>, Digest)> {
        let compiler = Compiler::new(settings)?;
        let work = || compiler.compile(self.form(), &self.0.wasm);
        let code = compile::on_all_cores(false, work).flatten();
        Ok((code.map_err(|error| self.named(error))?, compiler.fingerprint()))
    }

    /// Adds the name of the artifact's file, if any, to an error.
    pub(super) fn named(&self, error: Error) -> Error {
        match &self.0.file {
            Some(file) => error.of(file),
            None => error,
        }
    }

    /// The code from [`LoadOptions::code`]. `None` after the first call.
    pub(super) fn take_precompiled(&self) -> Option<Precompiled> {
        self.0.precompiled.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(super) fn form(&self) -> Form {
        match self.0.artifact.kind() {
            ArtifactKind::CommandModule => Form::Module,
            _ => Form::Component,
        }
    }
}

/// A file's name without its extension.
fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component")
            .field("name", &self.0.name)
            .field("digest", &self.0.artifact.digest())
            .finish_non_exhaustive()
    }
}
