//! Components: loading an artifact, and having its machine code made once.

use std::{
    panic::AssertUnwindSafe,
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
};

use bytes::Bytes;
use cap_std::{AmbientAuthority, fs::Dir};
use tokio::sync::watch;
use wasmtime_wasi::p2::bindings::CommandPre;

use crate::{
    Artifact, ArtifactKind, Digest, Engine, Error, ErrorKind, Result,
    compile::{self, Form, Settings},
    directory::Identity,
    store::State,
};

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
    wasm: Bytes,
    /// Empty until somebody needs the code.
    compiled: Mutex<Option<watch::Receiver<Option<Result<Compiled>>>>>,
    origin: OnceLock<CodeOrigin>,
}

/// Where a component's machine code came from.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{CodeOrigin, Component, Engine, EngineConfig};
///
/// let engine = Engine::new(&EngineConfig::new())?; // without a code cache
/// let component = Component::new(&engine, wasm)?;
/// assert_eq!(component.code_origin(), None);
/// component.compile().await?;
/// assert_eq!(component.code_origin(), Some(CodeOrigin::Compiled));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodeOrigin {
    /// It was compiled by this engine.
    Compiled,
    /// It was found in the [`CodeCache`](crate::CodeCache).
    Cache,
}

/// Linked code, ready to be instantiated.
#[derive(Clone)]
pub(crate) enum Compiled {
    Component(CommandPre<State>),
    Module(wasmtime::InstancePre<State>),
}

impl Component {
    /// Loads an artifact from memory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotWasm`], [`ErrorKind::Damaged`] and [`ErrorKind::Unsupported`] say what the bytes are and
    /// what would make them run; [`ErrorKind::Limit`] when they are larger than the engine's limit.
    pub fn new(engine: &Engine, wasm: impl Into<Bytes>) -> Result<Self> {
        Self::load(engine, wasm.into(), "sidecar".into(), None)
    }

    /// Loads an artifact from memory, if it is the one with this digest. Other bytes are not even looked at: what they are
    /// could otherwise be a reason to run something else in their place.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Digest`] for other bytes; otherwise those of [`new`](Self::new).
    pub fn pinned(engine: &Engine, wasm: impl Into<Bytes>, pin: &Digest) -> Result<Self> {
        Self::load(engine, wasm.into(), "sidecar".into(), Some(pin))
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
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
        let component = Self::load(engine, wasm, name.into_owned(), pin).map_err(|error| {
            match error.kind() {
                ErrorKind::Digest => error,
                kind => Error::new(kind, format!("`{}` is {}", path.display(), error)),
            }
        })?;
        engine.protect(home(dir, path)?);
        // Where it really lies as well, if that name is a link.
        let real = dir.canonicalize(path).map_err(|error| Error::io("find the artifact", error))?;
        if real != path {
            engine.protect(home(dir, &real)?);
        }
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

    fn load(engine: &Engine, wasm: Bytes, name: String, pin: Option<&Digest>) -> Result<Self> {
        if wasm.len() as u64 > engine.max_artifact() {
            return Err(too_large(wasm.len() as u64, engine.max_artifact()));
        }
        if let Some(pin) = pin {
            check_pin(&name, &Digest::of(&wasm), pin)?;
        }
        let artifact = Artifact::identify(&wasm)?;
        artifact.check_runnable()?;
        let engine = engine.clone();
        let (compiled, origin) = (Mutex::new(None), OnceLock::new());
        Ok(Self(Arc::new(Inner { engine, artifact, name, wasm, compiled, origin })))
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
    /// proposal or a version of an interface that is not offered, [`ErrorKind::Compile`] when the compiler fails.
    ///
    /// # Cancel safety
    ///
    /// Cancelling stops the waiting, not the compiling.
    pub async fn compile(&self) -> Result<()> {
        self.compiled().await.map(drop)
    }

    /// Whether its code is ready, so that a spawn does not wait for it.
    #[must_use]
    pub fn is_compiled(&self) -> bool {
        self.result().is_some_and(|result| result.is_ok())
    }

    /// Where its code came from, once it is ready.
    #[must_use]
    pub fn code_origin(&self) -> Option<CodeOrigin> {
        self.0.origin.get().copied()
    }

    /// Why it cannot be compiled, if that was tried.
    pub(crate) fn known_failure(&self) -> Option<Error> {
        self.result()?.err()
    }

    /// What came of compiling it, if that is over.
    fn result(&self) -> Option<Result<()>> {
        let slot = self.0.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref()?
            .borrow()
            .as_ref()
            .map(|result| result.as_ref().map(drop).map_err(Clone::clone))
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
        compile::compile(&settings.engine()?, self.form(), &self.0.wasm)
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

    /// The code, once it is ready. The first caller starts the work on a thread of its own, so that neither a
    /// caller that gives up nor one that is killed takes it from the others.
    pub(crate) async fn compiled(&self) -> Result<Compiled> {
        let mut result = self.started()?;
        let ready = result.wait_for(Option::is_some).await;
        match ready.as_deref() {
            Ok(Some(result)) => result.clone(),
            _ => Err(self.compiler_failed()),
        }
    }

    fn compiler_failed(&self) -> Error {
        let text = format!("the compiler failed on `{}`; please report the artifact", self.0.name);
        Error::new(ErrorKind::Compile, text)
    }

    /// Where the result appears. Starts the work if nobody has; that no thread could be had for it is an error
    /// of this caller only.
    fn started(&self) -> Result<watch::Receiver<Option<Result<Compiled>>>> {
        let mut slot = self.0.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(receiver) = &*slot {
            return Ok(receiver.clone());
        }
        let (sender, receiver) = watch::channel(None);
        let component = self.clone();
        let work = move || {
            // The compiler is not meant to panic, whatever it is given. If it does, that is an answer too.
            let made = std::panic::catch_unwind(AssertUnwindSafe(|| component.make()));
            let result = made.unwrap_or_else(|_| Err(component.compiler_failed()));
            sender.send_replace(Some(result));
        };
        thread::Builder::new()
            .name("wasi-sidecar-compile".into())
            .spawn(work)
            .map_err(|error| Error::io("start a thread for compiling", error))?;
        *slot = Some(receiver.clone());
        Ok(receiver)
    }

    /// Code from the cache, or else made and put there.
    fn make(&self) -> Result<Compiled> {
        let Inner { engine, artifact, .. } = &*self.0;
        let digest = artifact.digest();
        if let Some(cache) = engine.cache()
            && let Some(code) = cache.get(&digest, engine.fingerprint())
        {
            match self.link(&code) {
                Ok(compiled) => {
                    let _ = self.0.origin.set(CodeOrigin::Cache);
                    return Ok(compiled);
                }
                Err(error) => {
                    tracing::warn!(artifact = %digest, error = %error.chain(), "cached code was refused");
                }
            }
        }
        let begin = std::time::Instant::now();
        let code = compile::compile(engine.wasm(), self.form(), &self.0.wasm)?;
        tracing::debug!(artifact = %digest, elapsed = ?begin.elapsed(), "compiled");
        let compiled = self.link(&code)?;
        let _ = self.0.origin.set(CodeOrigin::Compiled);
        if let Some(cache) = engine.cache() {
            cache.put(&digest, engine.fingerprint(), &code);
        }
        Ok(compiled)
    }

    /// Loads machine code and links it to the host.
    #[expect(unsafe_code, reason = "loading machine code is what this crate exists to do safely")]
    fn link(&self, code: &[u8]) -> Result<Compiled> {
        let engine = &self.0.engine;
        let unlinked = |error: wasmtime::Error| {
            Error::new(
                ErrorKind::Unsupported,
                format!("`{}` does not fit this host: {error:#}", self.0.name),
            )
        };
        let unloaded = |error: wasmtime::Error| {
            Error::with(ErrorKind::Internal, "the engine refused its own code", error)
        };
        match self.form() {
            Form::Component => {
                // SAFETY: `code` was made by `compile` for this engine: just now in this process, or earlier,
                // and then the cache has checked its seal, which covers the artifact, the fingerprint of the
                // engine and every byte.
                let component =
                    unsafe { wasmtime::component::Component::deserialize(engine.wasm(), code) }
                        .map_err(unloaded)?;
                let linked = engine.components().instantiate_pre(&component).map_err(unlinked)?;
                CommandPre::new(linked).map(Compiled::Component).map_err(unlinked)
            }
            Form::Module => {
                // SAFETY: as above.
                let module = unsafe { wasmtime::Module::deserialize(engine.wasm(), code) }
                    .map_err(unloaded)?;
                engine.modules().instantiate_pre(&module).map(Compiled::Module).map_err(unlinked)
            }
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

fn check_pin(name: &str, found: &Digest, pinned: &Digest) -> Result<()> {
    if found == pinned {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Digest,
        format!(
            "`{name}` has the SHA-256 {found} and {pinned} is pinned; \
             if the new file is the right one, pin its digest"
        ),
    ))
}

/// The directory that a file lies in.
fn home(dir: &Dir, path: &Path) -> Result<Identity> {
    let opened = match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => dir.open_dir(parent),
        None => dir.try_clone(),
    };
    let opened = opened
        .map_err(|error| Error::io(format!("open the directory of `{}`", path.display()), error))?;
    Identity::of(&opened, None)
}

fn read(dir: &Dir, path: &Path, max: u64) -> Result<Bytes> {
    use std::io::Read;

    let shown = path.display();
    let failed = |error| Error::io(format!("read `{shown}`"), error);
    // Looked at before it is opened: opening a FIFO would wait for somebody to write to it.
    let metadata = dir.metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        let text = format!("`{shown}` is a directory; give the .wasm file in it");
        return Err(Error::new(ErrorKind::NotWasm, text));
    }
    if !metadata.is_file() {
        let text = format!("`{shown}` is no regular file; give a .wasm file");
        return Err(Error::new(ErrorKind::NotWasm, text));
    }
    if metadata.len() > max {
        return Err(too_large(metadata.len(), max));
    }
    let file = dir.open(path).map_err(failed)?;
    let mut wasm = Vec::with_capacity(metadata.len() as usize);
    // The file can have grown since; one byte more than the limit is enough to notice.
    file.take(max + 1).read_to_end(&mut wasm).map_err(failed)?;
    Ok(wasm.into())
}

fn too_large(size: u64, max: u64) -> Error {
    Error::new(
        ErrorKind::Limit,
        format!(
            "an artifact of {size} bytes, and at most {max} are loaded; \
             raise `EngineConfig::max_artifact_size` if it is meant to be that large"
        ),
    )
}
