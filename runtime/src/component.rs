//! Components: loading an artifact, and having its machine code made once.

mod ahead;
mod code;
mod load;
mod making;
mod status;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use cap_std::{AmbientAuthority, fs::Dir};
use tokio::sync::watch;

use crate::{
    Artifact, ArtifactKind, Digest, Engine, Error, ErrorKind, Result,
    artifact::Cost,
    compile::{self, Form, Settings, Urgency, Waiters},
};
use ahead::Ahead;
use load::{check_pin, homes, read, too_large};
use status::State;

pub use ahead::CodeLabel;
pub use code::CodeOrigin;
pub(crate) use code::{Compiled, Linked};
pub use status::{Status, StatusWatch};

/// A loaded artifact: a WASI 0.2 command component, or a preview1 command module.
///
/// Loading reads and identifies it; it is compiled when it is first spawned, or by
/// [`compile`](Self::compile), once however many ask. Clones share everything.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{Component, Engine, EngineConfig};
///
/// let engine = Engine::new(&EngineConfig::new())?;
/// let component = Component::new(&engine, wasm)?;
/// assert_eq!(component.artifact().wasi(), Some("0.1"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Component(Arc<Inner>);

struct Inner {
    engine: Engine,
    artifact: Artifact,
    name: String,
    /// The file it was loaded from, as it was named.
    file: Option<String>,
    wasm: Bytes,
    /// Its code, once somebody has needed it.
    state: watch::Sender<State>,
    waiters: Arc<Waiters>,
    /// Code that was made ahead of time, until it is looked at.
    ahead: Mutex<Option<Ahead>>,
    /// Whether somebody vouches for it.
    trusted: AtomicBool,
}

impl Component {
    /// Loads an artifact from memory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotWasm`], [`ErrorKind::Damaged`] and [`ErrorKind::Unsupported`] say what the bytes are and
    /// what would make them run; [`ErrorKind::Limit`] when they are larger than the engine's limit.
    pub fn new(engine: &Engine, wasm: impl Into<Bytes>) -> Result<Self> {
        Self::load(engine, wasm.into(), None, None)
    }

    /// Loads an artifact from memory, if it is the one with this digest. Other bytes are not even looked at: what they are
    /// could otherwise be a reason to run something else in their place.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Digest`] for other bytes; otherwise those of [`new`](Self::new).
    pub fn pinned(engine: &Engine, wasm: impl Into<Bytes>, pin: &Digest) -> Result<Self> {
        Self::load(engine, wasm.into(), None, Some(pin))
    }

    /// Loads an artifact from the file at `path` in an open directory.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new), [`ErrorKind::NotFound`] when there is no such file, and
    /// [`ErrorKind::Io`] when it cannot be read or is no regular file.
    pub fn from_file(engine: &Engine, dir: &Dir, path: impl AsRef<Path>) -> Result<Self> {
        Self::from_file_if(engine, dir, path.as_ref(), None)
    }

    fn from_file_if(engine: &Engine, dir: &Dir, path: &Path, pin: Option<&Digest>) -> Result<Self> {
        let wasm = read(dir, path, engine.max_artifact())?;
        let component =
            Self::load(engine, wasm, Some(path), pin).map_err(|error| match error.kind() {
                ErrorKind::Digest => error,
                kind => Error::new(kind, format!("`{}` is {}", path.display(), error)),
            })?;
        homes(dir, path)?.into_iter().for_each(|home| engine.protect(home));
        Ok(component)
    }

    /// Loads an artifact from a path, with all of the user's rights; with `pin`, only the one with that digest.
    ///
    /// # Errors
    ///
    /// Those of [`from_file`](Self::from_file), for the folder of the file too, and of [`pinned`](Self::pinned).
    pub fn from_path(
        engine: &Engine,
        path: impl AsRef<Path>,
        pin: Option<&Digest>,
        authority: AmbientAuthority,
    ) -> Result<Self> {
        let path = path.as_ref();
        let (Some(parent), Some(file)) = (path.parent(), path.file_name()) else {
            let text = format!("`{}` names no file; give the .wasm file", path.display());
            return Err(Error::new(ErrorKind::NotFound, text));
        };
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        let dir = Dir::open_ambient_dir(parent, authority)
            .map_err(|error| Error::io(format!("open the folder `{}`", parent.display()), error))?;
        Self::from_file_if(engine, &dir, Path::new(file), pin)
    }

    fn load(
        engine: &Engine,
        wasm: Bytes,
        path: Option<&Path>,
        pin: Option<&Digest>,
    ) -> Result<Self> {
        let name = path.map_or_else(
            || "sidecar".into(),
            |path| path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        );
        let file = path.map(|path| path.display().to_string());
        if wasm.len() as u64 > engine.max_artifact() {
            return Err(too_large(wasm.len() as u64, engine.max_artifact()));
        }
        if let Some(pin) = pin {
            check_pin(&name, &Digest::of(&wasm), pin)?;
        }
        let artifact = Artifact::identify(&wasm)?;
        artifact.check_runnable()?;
        let engine = engine.clone();
        let state = watch::Sender::new(State::NotAsked);
        let (waiters, ahead) = Default::default();
        let trusted = AtomicBool::new(pin.is_some());
        Ok(Self(Arc::new(Inner {
            engine,
            artifact,
            name,
            file,
            wasm,
            state,
            waiters,
            ahead,
            trusted,
        })))
    }

    /// Vouches for it: it is compiled in this process, as one is that was loaded with its digest, also if the engine
    /// [isolates](crate::EngineConfig::compile_isolated) those of strangers.
    #[must_use]
    pub fn trusted(self) -> Self {
        self.0.trusted.store(true, Ordering::Relaxed);
        self
    }

    fn is_trusted(&self) -> bool {
        self.0.trusted.load(Ordering::Relaxed)
    }

    /// What it is and what it asks for.
    #[must_use]
    pub fn artifact(&self) -> &Artifact {
        &self.0.artifact
    }

    /// What a guest sees as its own name (`argv[0]`): the file's name without its ending, or `sidecar`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Checks that it is the artifact that was pinned.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Digest`] when it is another, with both digests.
    pub fn verify(&self, pinned: &Digest) -> Result<()> {
        check_pin(&self.0.name, &self.0.artifact.digest(), pinned)
    }

    /// Compiles it, or loads its code from the cache, if that was not done yet. The first
    /// [`spawn`](crate::Command::spawn) does the same; this is for doing it earlier.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Damaged`] when it is invalid inside, [`ErrorKind::Unsupported`] when it needs a WebAssembly
    /// proposal or a version of an interface that is not offered, [`ErrorKind::Compile`] when the compiler fails,
    /// [`ErrorKind::CompileLimit`] when it is a stranger's and takes too much.
    ///
    /// # Cancel safety
    ///
    /// Cancelling stops the waiting, not the compiling. In a [compile child](crate::CompileChild) that ends too, once nobody
    /// waits any more; the next call begins anew.
    pub async fn compile(&self) -> Result<()> {
        self.code(Urgency::Preload).await.map(drop)
    }

    /// What starting it once takes, of a guest that may have so many instances.
    pub(crate) fn cost(&self, instances: usize) -> Cost {
        self.0.artifact.footprint.cost(instances)
    }

    /// The code, for a child that cannot start without it.
    pub(crate) async fn compiled(&self) -> Result<Compiled> {
        self.code(Urgency::Spawned).await
    }

    /// How far its code is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.state.borrow().status()
    }

    /// The changes of its [`status`](Self::status) from now on.
    #[must_use]
    pub fn watch_status(&self) -> StatusWatch {
        StatusWatch::new(self.0.state.subscribe())
    }

    /// Whether its code is ready, so that a spawn does not wait for it.
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

    /// Why it cannot be compiled, if that was tried.
    pub(crate) fn known_failure(&self) -> Option<Error> {
        match self.status() {
            Status::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Machine code for this machine or, with a `target` triple, for another one, as
    /// `wasi-sidecar compile` writes it. The code cache is not used.
    ///
    /// # Errors
    ///
    /// Those of [`compile`](Self::compile), and [`ErrorKind::InvalidInput`] for a target that is not known.
    pub fn precompile(&self, target: Option<&str>) -> Result<Vec<u8>> {
        let settings = Settings {
            guest_stack: self.0.engine.guest_stack(),
            target: target.map(ToOwned::to_owned),
        };
        self.compile_for(&settings).map(|(code, _)| code)
    }

    /// Compiles it here, for an engine that may be another one, while somebody waits. With the code comes that engine's
    /// fingerprint.
    fn compile_for(&self, settings: &Settings) -> Result<(Vec<u8>, Digest)> {
        let engine = settings.engine()?;
        let work = || compile::compile(&engine, self.form(), &self.0.wasm);
        let code = compile::on_all_cores(false, work).flatten();
        Ok((code.map_err(|error| self.named(error))?, compile::fingerprint(&engine)))
    }

    /// An error about this artifact, with its file's name if it came from one.
    fn named(&self, error: Error) -> Error {
        match &self.0.file {
            Some(file) => error.of(file),
            None => error,
        }
    }

    fn ahead(&self) -> MutexGuard<'_, Option<Ahead>> {
        self.0.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    fn form(&self) -> Form {
        match self.0.artifact.kind() {
            ArtifactKind::CommandModule => Form::Module,
            _ => Form::Component,
        }
    }
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component")
            .field("name", &self.0.name)
            .field("digest", &self.0.artifact.digest())
            .finish_non_exhaustive()
    }
}
