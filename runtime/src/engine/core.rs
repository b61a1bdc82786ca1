//! The engine: the state that all guests of an application share.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    admission::{Admission, Admissions},
    config::{EngineConfig, UntrustedPolicy},
};
use crate::{
    Access, CodeCache, Digest, Grants, Result,
    compile::{Compiler, Queue, Settings},
    exec::{
        executor::Executor,
        polled::Turns,
        resolver::{NameSource, Resolver},
        ticker::{Clock, Ticker},
    },
    grants::host_dir::Identity,
    guest::pool::Engines,
};

/// Runs components. Make one per application. Clones share everything.
///
/// Its threads end when the last clone is dropped and the last child has ended. Dropping it does not end children:
/// their handles keep what they need.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{Command, Component, Engine, EngineConfig, LoadOptions};
///
/// let engine = Engine::new(&EngineConfig::new())?;
/// let component = Component::load(&engine, wasm, LoadOptions::new())?;
/// let (one, another) = (Command::new(component.clone()).spawn()?, Command::new(component).spawn()?);
/// drop(engine); // both guests run on
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    engines: Arc<Engines>,
    compiler: Compiler,
    fingerprint: Digest,
    executor: Executor,
    resolver: Resolver,
    turns: Turns,
    compile_queue: Arc<Queue>,
    /// Directories from which artifacts were loaded. No guest may write to them.
    artifact_dirs: Mutex<Vec<Identity>>,
    guests: Admissions,
    config: EngineConfig,
}

struct Epoch(Arc<Engines>);

impl Clock for Epoch {
    fn tick(&self) {
        self.0.interrupt();
    }
}

impl Engine {
    /// Sets up an engine and starts its threads. They sleep until a guest runs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) for a stack size or a number of workers out of range, and when there is no room for the
    /// [pooled guests](EngineConfig::pooled_guests). [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a limit that this system does not
    /// enforce ([`CompileChild::check`](crate::CompileChild::check)). [`ErrorKind::Io`](crate::ErrorKind::Io) when threads cannot be started.
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) when wasmtime does not support this machine.
    pub fn new(config: &EngineConfig) -> Result<Self> {
        config.check()?;
        let settings = Settings { guest_stack: config.guest_stack, target: None };
        let engines = Engines::new(&settings, config.slots(), config.pooled_guests.is_some())?;
        let engines = Arc::new(engines);
        let executor = Executor::new(config.workers)?;
        let ticker = Ticker::start(Epoch(Arc::clone(&engines)))?;
        executor.handle().spawn(ticker.backup_ticker(Epoch(Arc::clone(&engines))));
        let compiler = engines.compiler();
        Ok(Self(Arc::new(Inner {
            fingerprint: compiler.fingerprint(),
            compiler,
            engines,
            executor,
            resolver: Resolver::new(config.resolver.clone().unwrap_or_else(NameSource::system)),
            turns: Turns::new(ticker),
            compile_queue: Arc::default(),
            artifact_dirs: Mutex::new(Vec::new()),
            guests: Admissions::default(),
            config: config.clone(),
        })))
    }

    pub(crate) fn engines(&self) -> &Engines {
        &self.0.engines
    }

    pub(crate) fn compiler(&self) -> &Compiler {
        &self.0.compiler
    }

    pub(crate) fn fingerprint(&self) -> &Digest {
        &self.0.fingerprint
    }

    pub(crate) fn executor(&self) -> &Executor {
        &self.0.executor
    }

    pub(crate) fn resolver(&self) -> &Resolver {
        &self.0.resolver
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.0.turns
    }

    pub(crate) fn compile_queue(&self) -> &Arc<Queue> {
        &self.0.compile_queue
    }

    pub(crate) fn untrusted_policy(&self) -> &UntrustedPolicy {
        &self.0.config.untrusted
    }

    pub(crate) fn cache(&self) -> Option<&CodeCache> {
        self.0.config.cache.as_ref()
    }

    pub(crate) fn max_artifact(&self) -> u64 {
        self.0.config.max_artifact
    }

    pub(crate) fn guest_stack(&self) -> usize {
        self.0.config.guest_stack
    }

    /// Protects a directory from which artifacts are loaded.
    pub(crate) fn protect(&self, dir: Identity) {
        let mut dirs = self.0.artifact_dirs.lock().unwrap_or_else(PoisonError::into_inner);
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }

    /// Refuses grants through which a guest could change what this engine loads. Artifacts may be read: they are not
    /// secret, and a program's data often lies beside them. The code cache and its key may not be read.
    pub(crate) fn check_grants(&self, grants: &Grants) -> Result<()> {
        if let Some(cache) = self.cache() {
            let [code, key] = cache.identities();
            let remedy = "grant another directory";
            let any = Access::ReadOnly;
            grants.check_disjoint("the code cache", code, any, remedy)?;
            grants.check_disjoint("the key of the code cache", key, any, remedy)?;
        }
        let dirs = self.0.artifact_dirs.lock().unwrap_or_else(PoisonError::into_inner);
        let remedy = "grant it read-only, or move the .wasm to a folder of its own";
        dirs.iter().try_for_each(|dir| {
            grants.check_disjoint("a directory of artifacts", dir, Access::ReadWrite, remedy)
        })
    }

    /// Admits one more guest, if the configuration allows it.
    pub(crate) fn admit(&self) -> Result<Admission> {
        self.0.guests.admit(self.0.config.max_guests)
    }

    /// Interrupts every computing guest now instead of at the next tick, because a guest was killed.
    pub(crate) fn interrupt(&self) {
        self.0.turns.requeue_all();
        self.0.engines.interrupt();
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("config", &self.0.config).finish_non_exhaustive()
    }
}
