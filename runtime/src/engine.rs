//! The engine: one per application. It owns the compile settings, the linkers, the threads guests run on, the
//! ticker that interrupts them, and the code cache.

use std::{
    num::NonZero,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use crate::{
    Access, Capabilities, CodeCache, Digest, Error, ErrorKind, Result,
    compile::{self, CompileChild, Queue, Settings},
    directory::Identity,
    executor::Executor,
    ticker::{Clock, Ticker},
    vm::Vms,
};

/// Largest artifact that is loaded, unless the configuration says otherwise. Interpreters are 20 MB.
const DEFAULT_MAX_ARTIFACT: u64 = 128 << 20;

/// Guests at once, unless the configuration says otherwise. A thousand idle ones take 7,000 mappings; twice that
/// leaves an app the larger part of the 65,530 that a Linux process has.
const DEFAULT_MAX_GUESTS: usize = 2000;

/// Guests that find a place in the pool, unless the configuration says otherwise: as many as an app has sidecars, many times.
/// Each place that was ever used keeps up to 176 KiB.
const DEFAULT_POOLED_GUESTS: usize = 64;

/// Worker threads that can be asked for: more than any machine has cores.
const MAX_WORKERS: usize = 4096;

/// Range of the guest stack that can be asked for.
const GUEST_STACK_RANGE: std::ops::RangeInclusive<usize> = 64 << 10..=8 << 20;

/// How an [`Engine`] is set up.
///
/// Defaults, at [`EngineConfig::new`]:
/// - no code cache: every artifact is compiled once per engine
/// - as many worker threads as there are cores, at least two and at most eight
/// - artifacts of at most 128 MiB
/// - 512 KiB of stack for a guest
/// - 2,000 guests at once, of which 64 share a pool of memory
/// - all artifacts are compiled in this process, without limits
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// use wasi_sidecar::{Engine, EngineConfig};
///
/// let config = EngineConfig::new().max_artifact_size(16 << 20).max_guests(32);
/// let engine = Engine::new(&config)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EngineConfig {
    cache: Option<CodeCache>,
    workers: Option<NonZero<usize>>,
    max_artifact: u64,
    guest_stack: usize,
    max_guests: usize,
    /// What was asked for.
    pooled_guests: Option<usize>,
    strangers: Strangers,
}

/// How artifacts are compiled that nobody vouches for.
#[derive(Clone, Debug)]
pub(crate) enum Strangers {
    /// Like all others.
    InProcess,
    /// In a process of their own.
    Isolated(CompileChild),
    /// Here, if they look harmless.
    Scanned,
}

impl EngineConfig {
    /// The defaults listed above.
    #[must_use]
    pub fn new() -> Self {
        Self {
            cache: None,
            workers: None,
            max_artifact: DEFAULT_MAX_ARTIFACT,
            guest_stack: compile::DEFAULT_GUEST_STACK,
            max_guests: DEFAULT_MAX_GUESTS,
            pooled_guests: None,
            strangers: Strangers::InProcess,
        }
    }

    /// Keeps compiled code on disk.
    #[must_use]
    pub fn code_cache(mut self, cache: CodeCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Threads shared by the guests that hold no directory.
    #[must_use]
    pub fn workers(mut self, workers: NonZero<usize>) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Bytes an artifact may have.
    #[must_use]
    pub fn max_artifact_size(mut self, bytes: u64) -> Self {
        self.max_artifact = bytes;
        self
    }

    /// Guests that may run at once. Each reserves address space and a few mappings, of which a Linux process has
    /// 65,530.
    #[must_use]
    pub fn max_guests(mut self, guests: usize) -> Self {
        self.max_guests = guests;
        self
    }

    /// Guests that start in memory that was mapped before, which is about three times as fast as mapping it for each; 0 for
    /// none. Those above this number, and those that are allowed more tables or instances than by default, have memory
    /// mapped for them. Each place takes address space, and up to 176 KiB of memory once it was used.
    ///
    /// Memory is made anew before another guest gets it. Whoever would rather have each guest's given back to the system, at
    /// the price of slower starts, sets this to 0. A number that is set here and for which there is no room is an error; the
    /// default gives way to none.
    #[must_use]
    pub fn pooled_guests(mut self, guests: usize) -> Self {
        self.pooled_guests = Some(guests);
        self
    }

    /// Compiles artifacts of strangers in a process of their own, within limits: all but those that are
    /// [pinned](crate::Component::pinned) or [trusted](crate::Component::trusted). One that exceeds them fails with
    /// [`ErrorKind::CompileLimit`].
    ///
    /// If the program that is to compile turns out not to be a compile child, a warning is logged and the artifact is treated as
    /// by [`compile_scanned`](Self::compile_scanned).
    #[must_use]
    pub fn compile_isolated(mut self, child: CompileChild) -> Self {
        self.strangers = Strangers::Isolated(child);
        self
    }

    /// The child that was set by [`compile_isolated`](Self::compile_isolated), if that is how artifacts of strangers are compiled:
    /// for whoever puts further limits on it.
    #[must_use]
    pub fn compile_child(&self) -> Option<&CompileChild> {
        match &self.strangers {
            Strangers::Isolated(child) => Some(child),
            Strangers::InProcess | Strangers::Scanned => None,
        }
    }

    /// Looks at artifacts of strangers before they are compiled in this process, and refuses those that might take gigabytes or
    /// minutes, with [`ErrorKind::CompileLimit`]. For systems where apps start no processes; it is an estimate, and
    /// [`compile_isolated`](Self::compile_isolated) is not.
    #[must_use]
    pub fn compile_scanned(mut self) -> Self {
        self.strangers = Strangers::Scanned;
        self
    }

    /// Bytes of stack for a guest's own frames, 64 KiB to 8 MiB. Running out of it is a trap.
    #[must_use]
    pub fn guest_stack(mut self, bytes: usize) -> Self {
        self.guest_stack = bytes;
        self
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// Runs components. Make one per application; clones share everything.
///
/// Its threads end when the last clone is dropped and the last child has ended. Dropping it does not end
/// children: their own handles keep what they need.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{Command, Component, Engine, EngineConfig};
///
/// let engine = Engine::new(&EngineConfig::new())?;
/// let component = Component::new(&engine, wasm)?;
/// let (one, another) = (Command::new(component.clone()).spawn()?, Command::new(component).spawn()?);
/// drop(engine); // both guests run on
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    vms: Arc<Vms>,
    fingerprint: Digest,
    executor: Executor,
    ticker: Ticker,
    compiling: Arc<Queue>,
    /// Directories that artifacts were loaded from: no guest may be granted one.
    homes: Mutex<Vec<Identity>>,
    /// Guests that run or are about to.
    guests: AtomicUsize,
    /// How often somebody's end was asked for; see [`Polled`](crate::executor::Polled).
    kills: AtomicU64,
    config: EngineConfig,
}

/// One guest's place among those that run; given back when dropped.
#[derive(Debug)]
pub(crate) struct Admission {
    engine: Engine,
    held: Arc<()>,
}

/// Tells whether an [`Admission`] is still held, without holding it.
#[derive(Clone, Debug)]
pub(crate) struct AdmissionWatch(Weak<()>);

impl Admission {
    pub(crate) fn watch(&self) -> AdmissionWatch {
        AdmissionWatch(Arc::downgrade(&self.held))
    }
}

impl AdmissionWatch {
    pub(crate) fn is_held(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.engine.0.guests.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Epoch(Arc<Vms>);

impl Clock for Epoch {
    fn tick(&self) {
        self.0.interrupt();
    }
}

impl Engine {
    /// Sets up an engine and starts its threads; none of them runs until a guest does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] for a stack size or a number of workers out of range, and for more [pooled guests](EngineConfig::pooled_guests) than there is
    /// room for, [`ErrorKind::Unsupported`] for a limit that this system does not enforce
    /// ([`CompileChild::check`](crate::CompileChild::check)), [`ErrorKind::Io`] when threads cannot be started,
    /// [`ErrorKind::Internal`] when this machine is none the engine can make code for.
    pub fn new(config: &EngineConfig) -> Result<Self> {
        if !GUEST_STACK_RANGE.contains(&config.guest_stack) {
            return Err(Error::new(
                ErrorKind::Limit,
                format!(
                    "a guest stack of {} bytes is out of range; give {} to {}",
                    config.guest_stack,
                    GUEST_STACK_RANGE.start(),
                    GUEST_STACK_RANGE.end()
                ),
            ));
        }
        if let Strangers::Isolated(child) = &config.strangers {
            child.check()?;
        }
        if config.workers.is_some_and(|workers| workers.get() > MAX_WORKERS) {
            let text = format!(
                "an engine has at most {MAX_WORKERS} worker threads; as many as there are cores are enough"
            );
            return Err(Error::new(ErrorKind::Limit, text));
        }
        let settings = Settings { guest_stack: config.guest_stack, target: None };
        let places = config.pooled_guests.unwrap_or(DEFAULT_POOLED_GUESTS).min(config.max_guests);
        let vms = Arc::new(Vms::new(&settings, places, config.pooled_guests.is_some())?);
        let executor = Executor::new(config.workers)?;
        let ticker = Ticker::start(Epoch(Arc::clone(&vms)))?;
        executor.handle().spawn(ticker.deputy(Epoch(Arc::clone(&vms))));
        Ok(Self(Arc::new(Inner {
            fingerprint: compile::fingerprint(&vms.own().engine),
            executor,
            ticker,
            vms,
            compiling: Arc::default(),
            homes: Mutex::new(Vec::new()),
            guests: AtomicUsize::new(0),
            kills: AtomicU64::new(0),
            config: config.clone(),
        })))
    }

    /// What guests run on.
    pub(crate) fn vms(&self) -> &Vms {
        &self.0.vms
    }

    /// What compiles: one engine's code is the other's.
    pub(crate) fn compiler(&self) -> &wasmtime::Engine {
        &self.0.vms.own().engine
    }

    pub(crate) fn fingerprint(&self) -> &Digest {
        &self.0.fingerprint
    }

    pub(crate) fn executor(&self) -> &Executor {
        &self.0.executor
    }

    pub(crate) fn ticker(&self) -> &Ticker {
        &self.0.ticker
    }

    pub(crate) fn compile_queue(&self) -> &Arc<Queue> {
        &self.0.compiling
    }

    pub(crate) fn strangers(&self) -> &Strangers {
        &self.0.config.strangers
    }

    pub(crate) fn cache(&self) -> Option<&CodeCache> {
        self.0.config.cache.as_ref()
    }

    /// Remembers a directory that artifacts are loaded from.
    pub(crate) fn protect(&self, home: Identity) {
        let mut homes = self.0.homes.lock().unwrap_or_else(PoisonError::into_inner);
        if !homes.contains(&home) {
            homes.push(home);
        }
    }

    /// Refuses capabilities through which a guest could change what this engine loads. Artifacts may be read: they hold no
    /// secret, and a program's data often lies beside it. The key of the code cache may not, and the code is of no use.
    pub(crate) fn check_grants(&self, capabilities: &Capabilities) -> Result<()> {
        if let Some(cache) = self.cache() {
            let [code, key] = cache.identities();
            let remedy = "grant another directory";
            let at_all = Access::ReadOnly;
            capabilities.keep_away_from("the code cache", code, at_all, remedy)?;
            capabilities.keep_away_from("the key of the code cache", key, at_all, remedy)?;
        }
        let homes = self.0.homes.lock().unwrap_or_else(PoisonError::into_inner);
        let remedy = "grant it read-only, or move the .wasm to a folder of its own";
        homes.iter().try_for_each(|home| {
            let what = "a directory of artifacts";
            capabilities.keep_away_from(what, home, Access::ReadWrite, remedy)
        })
    }

    /// A place for one more guest.
    pub(crate) fn admit(&self) -> Result<Admission> {
        let max = self.0.config.max_guests;
        let running = self.0.guests.fetch_add(1, Ordering::Relaxed);
        let admission = Admission { engine: self.clone(), held: Arc::default() };
        if running < max {
            return Ok(admission);
        }
        Err(Error::new(
            ErrorKind::Limit,
            format!(
                "{max} guests are running; wait for one to end, or raise `EngineConfig::max_guests` (`engine.maxGuests`)"
            ),
        ))
    }

    pub(crate) fn max_artifact(&self) -> u64 {
        self.0.config.max_artifact
    }

    pub(crate) fn guest_stack(&self) -> usize {
        self.0.config.guest_stack
    }

    pub(crate) fn kills(&self) -> &AtomicU64 {
        &self.0.kills
    }

    /// Makes every computing guest look up from its work now, rather than at the next tick.
    pub(crate) fn interrupt(&self) {
        self.0.kills.fetch_add(1, Ordering::Relaxed);
        self.0.vms.interrupt();
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("config", &self.0.config).finish_non_exhaustive()
    }
}
