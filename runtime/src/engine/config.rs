//! The configuration of an engine.

use std::{io, net::IpAddr, num::NonZero};

use crate::{
    CodeCache, Error, ErrorKind, Result,
    compile::{self, CompileChild},
    exec::resolver::NameSource,
};

/// Default for the largest artifact. Interpreters have 20 MB.
const DEFAULT_MAX_ARTIFACT: u64 = 128 << 20;

/// Default for guests at once. A thousand idle guests take 7,000 mappings, so twice that leaves an app most of the
/// 65,530 mappings of a Linux process.
const DEFAULT_MAX_GUESTS: usize = 2000;

/// Default for slots of the pool: many times the sidecars of an app. Each slot that was ever used keeps up to 176 KiB.
const DEFAULT_POOLED_GUESTS: usize = 64;

/// Most worker threads: more than any machine has cores.
const MAX_WORKERS: usize = 4096;

/// Valid sizes of the guest stack.
const GUEST_STACK_RANGE: std::ops::RangeInclusive<usize> = 64 << 10..=8 << 20;

/// Configures an [`Engine`](crate::Engine).
///
/// Defaults, at [`EngineConfig::new`]:
/// - no code cache: every artifact is compiled once per engine
/// - one worker thread per core, at least two and at most eight
/// - artifacts of at most 128 MiB
/// - 512 KiB of stack for a guest
/// - 2,000 guests at once, with a memory pool for 64 of them
/// - the names that guests may reach are looked up by the system
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
    pub(super) cache: Option<CodeCache>,
    pub(super) workers: Option<NonZero<usize>>,
    pub(super) max_artifact: u64,
    pub(super) guest_stack: usize,
    pub(super) max_guests: usize,
    pub(super) pooled_guests: Option<usize>,
    pub(super) untrusted: UntrustedPolicy,
    pub(super) resolver: Option<NameSource>,
}

/// How untrusted artifacts are compiled.
#[derive(Clone, Debug)]
pub(crate) enum UntrustedPolicy {
    /// In this process, like trusted ones.
    InProcess,
    /// In a compile child.
    Isolated(CompileChild),
    /// In this process, if a scan finds nothing that makes compiling explode.
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
            untrusted: UntrustedPolicy::InProcess,
            resolver: None,
        }
    }

    /// Keeps machine code on disk.
    #[must_use]
    pub fn code_cache(mut self, cache: CodeCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Looks up the names that guests may reach with this, and not with the system's resolver. A guest is told, and may connect to,
    /// what its [network rules](crate::NetworkRule) allow of the answers.
    ///
    /// It is called on a thread of its own and may block; it should end after a while, since at most 16 look-ups run at a time.
    ///
    /// ```
    /// use std::{io, net::IpAddr};
    /// use wasi_sidecar::EngineConfig;
    ///
    /// let config = EngineConfig::new().resolver(|name| match name {
    ///     "api.example.com" => Ok(vec![IpAddr::from([93, 184, 215, 14])]),
    ///     _ => Err(io::ErrorKind::NotFound.into()),
    /// });
    /// ```
    #[must_use]
    pub fn resolver(
        mut self,
        ask: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Self {
        self.resolver = Some(NameSource::new(ask));
        self
    }

    /// Number of threads shared by the guests that hold no directory and no network.
    #[must_use]
    pub fn workers(mut self, workers: NonZero<usize>) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Largest artifact in bytes.
    #[must_use]
    pub fn max_artifact_size(mut self, bytes: u64) -> Self {
        self.max_artifact = bytes;
        self
    }

    /// Most guests at once. Each reserves address space and a few mappings, of which a Linux process has 65,530.
    #[must_use]
    pub fn max_guests(mut self, guests: usize) -> Self {
        self.max_guests = guests;
        self
    }

    /// Slots of the memory pool; 0 for no pool. A guest in a slot starts about three times as fast, because its memory
    /// is already mapped. Guests beyond this number, and guests that are allowed more tables or instances than by
    /// default, get memory of their own. Each slot takes address space, and up to 176 KiB of memory once it was used.
    ///
    /// A slot's memory is reset before another guest gets it. Set this to 0 to return each guest's memory to the
    /// operating system, at the price of slower starts. A number set here for which there is no address space is an
    /// error; the default falls back to 0.
    #[must_use]
    pub fn pooled_guests(mut self, guests: usize) -> Self {
        self.pooled_guests = Some(guests);
        self
    }

    /// Compiles untrusted artifacts in a separate process, within limits. Artifacts loaded with a
    /// [pin](crate::LoadOptions::pin) or as [trusted](crate::LoadOptions::trusted) are not affected. An artifact that
    /// exceeds a limit fails with [`ErrorKind::CompileLimit`](crate::ErrorKind::CompileLimit).
    ///
    /// If the program turns out not to be a compile child, the engine logs a warning and treats the artifact as
    /// [`compile_scanned`](Self::compile_scanned) does.
    #[must_use]
    pub fn compile_isolated(mut self, child: CompileChild) -> Self {
        self.untrusted = UntrustedPolicy::Isolated(child);
        self
    }

    /// The child set by [`compile_isolated`](Self::compile_isolated), for setting further limits on it.
    #[must_use]
    pub fn compile_child(&self) -> Option<&CompileChild> {
        match &self.untrusted {
            UntrustedPolicy::Isolated(child) => Some(child),
            UntrustedPolicy::InProcess | UntrustedPolicy::Scanned => None,
        }
    }

    /// Scans untrusted artifacts before it compiles them in this process. It refuses those that might take gigabytes or
    /// minutes, with [`ErrorKind::CompileLimit`](crate::ErrorKind::CompileLimit). For systems where apps cannot start
    /// processes. The scan is an estimate; [`compile_isolated`](Self::compile_isolated) is not.
    #[must_use]
    pub fn compile_scanned(mut self) -> Self {
        self.untrusted = UntrustedPolicy::Scanned;
        self
    }

    /// Bytes of stack for a guest's own frames, 64 KiB to 8 MiB. A guest that runs out of stack traps.
    #[must_use]
    pub fn guest_stack(mut self, bytes: usize) -> Self {
        self.guest_stack = bytes;
        self
    }
}

impl EngineConfig {
    /// Refuses values out of range, and limits that this system does not enforce.
    pub(super) fn check(&self) -> Result<()> {
        if !GUEST_STACK_RANGE.contains(&self.guest_stack) {
            return Err(Error::new(
                ErrorKind::Limit,
                format!(
                    "a guest stack of {} bytes is out of range; give {} to {}",
                    self.guest_stack,
                    GUEST_STACK_RANGE.start(),
                    GUEST_STACK_RANGE.end()
                ),
            ));
        }
        if let UntrustedPolicy::Isolated(child) = &self.untrusted {
            child.check()?;
        }
        if self.workers.is_some_and(|workers| workers.get() > MAX_WORKERS) {
            let text = format!(
                "an engine has at most {MAX_WORKERS} worker threads; as many as there are cores are enough"
            );
            return Err(Error::new(ErrorKind::Limit, text));
        }
        Ok(())
    }

    /// Slots of the pool: at most as many as guests are allowed.
    pub(super) fn slots(&self) -> usize {
        self.pooled_guests.unwrap_or(DEFAULT_POOLED_GUESTS).min(self.max_guests)
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self::new()
    }
}
