//! The compile child: how a host configures one, and what the child process does.

use std::{
    io::{self, Read, Write},
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use cap_std::AmbientAuthority;

use super::{
    Compiler, Settings,
    limits::Bounds,
    protocol::{self, Answer, Request},
    threads,
};
use crate::{Error, ErrorKind, Result, Setting};

/// Argument of a compile child. It only labels the process in a process list: [`VARIABLE`] is what counts.
pub(crate) const ARGUMENT: &str = "--wasi-sidecar-compile-child";

/// The environment entry that makes a process a compile child: a random token that its parent knows as well.
pub(crate) const VARIABLE: &str = "WASI_SIDECAR_COMPILE_CHILD";

/// Whether this process called [`CompileChild::enter_if_asked`].
static ASKED: AtomicBool = AtomicBool::new(false);

/// Compiles untrusted artifacts in a child process, within limits. The child is this program or another one that calls
/// [`enter_if_asked`](Self::enter_if_asked).
///
/// A compilation cannot be interrupted, and a few kilobytes of WebAssembly can make it take gigabytes or crash the
/// process. In a child process this does no harm: the child has no environment, no descriptors except the two pipes to
/// its parent (and those that the application itself makes inheritable), cannot open any, and has limits that the
/// operating system enforces. It is not a sandbox: code that takes over the compiler has all rights of the user.
///
/// Defaults, which grow with the artifact:
/// - memory: 2 GiB of address space, plus 32 bytes per byte of the artifact; unlimited on macOS and Windows
/// - CPU time: 120 s plus 4 s per MiB of the artifact, summed over all cores; unlimited on Windows
/// - time: one and a half times the CPU time
///
/// An artifact that hit a limit is not tried again in this process until that limit is raised.
///
/// Setting a limit that the operating system does not enforce is an error of [`check`](Self::check) and of
/// [`Engine::new`](crate::Engine::new).
///
/// In debug builds both time limits are ten times as long, because their compiler is mostly unoptimised.
///
/// ```no_run
/// use wasi_sidecar::{CompileChild, Engine, EngineConfig, ambient_authority};
///
/// fn main() -> wasi_sidecar::Result<()> {
///     // First of all: in a compile child it does not return.
///     CompileChild::enter_if_asked();
///
///     let child = CompileChild::this_program(ambient_authority())?.memory(1 << 30);
///     let engine = Engine::new(&EngineConfig::new().compile_isolated(child))?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct CompileChild {
    program: PathBuf,
    /// Limits that were set. `None`: the default holds, if the operating system enforces it.
    memory: Option<u64>,
    cpu_time: Option<Duration>,
    time: Option<Duration>,
}

/// Which limits an operating system enforces on a compile child. The parent enforces elapsed time.
#[derive(Clone, Copy, Debug)]
struct Enforced {
    memory: bool,
    cpu_time: bool,
}

impl Enforced {
    /// macOS accepts a limit on address space and ignores it. Windows has neither limit.
    const HERE: Self =
        Self { memory: cfg!(all(unix, not(target_vendor = "apple"))), cpu_time: cfg!(unix) };
}

impl CompileChild {
    /// Turns this process into a compile child if it was started as one, and then does not return. Otherwise it only
    /// records the call, which [`this_program`](Self::this_program) requires.
    ///
    /// Call it first in `main`, before the program opens windows, starts threads or looks for other instances of
    /// itself: every compile child would do so too.
    pub fn enter_if_asked() {
        ASKED.store(true, Ordering::Relaxed);
        #[expect(clippy::disallowed_methods, reason = "an entry of ours, which says what this is")]
        let Some(token) = std::env::var_os(VARIABLE) else { return };
        if std::env::args_os().nth(1).is_none_or(|argument| argument != ARGUMENT) {
            return;
        }
        let token = token.to_str().and_then(token_of);
        let served = token.map(|token| serve(&token, &mut io::stdin().lock(), &mut io::stdout()));
        // The error goes nowhere: the parent sees that the answer is missing.
        process::exit(i32::from(!matches!(served, Some(Ok(())))));
    }

    /// Uses the running program, which must have called [`enter_if_asked`](Self::enter_if_asked).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if it has not, or on systems where apps cannot start processes. [`ErrorKind::Io`] if
    /// the program's path is unknown.
    pub fn this_program(authority: AmbientAuthority) -> Result<Self> {
        if cfg!(any(target_os = "ios", target_os = "android")) {
            let text =
                "apps cannot start processes on this system; use `EngineConfig::compile_scanned`";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        if !ASKED.load(Ordering::Relaxed) {
            let text = "this program cannot be a compile child; call `CompileChild::enter_if_asked` first in its `main`";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        // On Linux this is the running program itself, even if an update has replaced its file.
        let program = if cfg!(target_os = "linux") {
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe().map_err(|error| Error::io("find this program", error))?
        };
        Ok(Self::program(program, authority))
    }

    /// Uses another program of the same version, by its path.
    #[must_use]
    pub fn program(path: impl Into<PathBuf>, _: AmbientAuthority) -> Self {
        Self { program: path.into(), memory: None, cpu_time: None, time: None }
    }

    /// Limit on the child's address space in bytes. Not enforced on macOS and Windows: see [`check`](Self::check).
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Limit on the child's CPU time, in whole seconds and at least one. Not enforced on Windows: see
    /// [`check`](Self::check).
    #[must_use]
    pub fn cpu_time(mut self, time: Duration) -> Self {
        self.cpu_time = Some(time);
        self
    }

    /// Limit on the elapsed time.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    pub(super) fn path(&self) -> &Path {
        &self.program
    }

    /// Returns an error if a limit is set that this system does not enforce. [`Engine::new`](crate::Engine::new) checks
    /// the same. Call this to get the error sooner, for example to name the line of a configuration.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`], naming the limit.
    pub fn check(&self) -> Result<()> {
        self.check_where(Enforced::HERE)
    }

    fn check_where(&self, enforced: Enforced) -> Result<()> {
        let (what, setting) = if self.memory.is_some() && !enforced.memory {
            ("memory", Setting::CompileMemory)
        } else if self.cpu_time.is_some() && !enforced.cpu_time {
            ("CPU time", Setting::CompileCpuTime)
        } else {
            return Ok(());
        };
        Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "the {what} of compiling cannot be limited on this system; leave out `{setting}`, and limit its time on the clock \
                 (`{}`)",
                Setting::CompileTime
            ),
        )
        .about(setting))
    }

    /// The limits for an artifact of this many bytes.
    pub(super) fn bounds(&self, artifact: u64) -> Bounds {
        let default = Bounds::of(artifact);
        let at_least = Duration::from_secs(1);
        Bounds {
            memory: self.memory.unwrap_or(default.memory),
            cpu_time: self.cpu_time.unwrap_or(default.cpu_time).max(at_least),
            time: self.time.unwrap_or(default.time),
        }
    }

    /// Whether this system enforces a memory limit on a child.
    pub(super) fn is_memory_limited() -> bool {
        Enforced::HERE.memory
    }
}

/// Parses 64 hexadecimal digits.
fn token_of(text: &str) -> Option<[u8; 32]> {
    Some(*text.parse::<crate::Digest>().ok()?.as_bytes())
}

/// Compiles one artifact for the parent that knows the token.
fn serve(token: &[u8; 32], from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let request = Request::read(from)?;
    if request.token != *token {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    limit::apply(&request)?;
    if request.background {
        threads::lower_priority();
    }
    let settings = Settings {
        guest_stack: usize::try_from(request.guest_stack).unwrap_or(usize::MAX),
        target: None,
    };
    let compiler = Compiler::new(&settings).map_err(io::Error::other)?;
    protocol::write_ready(to, &compiler.fingerprint())?;
    let mut artifact = Vec::new();
    from.take(request.artifact).read_to_end(&mut artifact)?;
    if artifact.len() as u64 != request.artifact {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let compile = || compiler.compile(request.form, &artifact);
    // Reports a panic of the compiler as such, where panics unwind.
    let made = std::panic::catch_unwind(AssertUnwindSafe(|| threads::in_child(compile)));
    let answer = match made {
        Ok(Ok(Ok(code))) => Answer::Code(code),
        // In a compile child, the operating system refuses resources because of the limits.
        Ok(Ok(Err(error))) if error.kind() == ErrorKind::Io => {
            Answer::Failed(ErrorKind::CompileLimit, error.chain())
        }
        Ok(Ok(Err(error))) => Answer::Failed(error.kind(), error.chain()),
        // Threads cannot start: the memory limit leaves no room for their stacks.
        Ok(Err(error)) => Answer::Failed(ErrorKind::CompileLimit, error.chain()),
        Err(_) => Answer::Failed(ErrorKind::Compile, "the compiler failed".into()),
    };
    answer.write(to, &request.key)
}

#[cfg(unix)]
mod limit {
    //! Limits of this process that the operating system enforces.

    use std::io;

    use rustix::process::{Resource, Rlimit, setrlimit};

    use super::{Enforced, Request};

    /// The three standard streams. The process can open no further descriptors.
    const DESCRIPTORS: u64 = 3;

    pub(super) fn apply(request: &Request) -> io::Result<()> {
        let set = |resource, most| {
            setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
        };
        set(Resource::Core, 0)?;
        // The soft limit ends the process with a signal that nothing else sends, so the parent knows why.
        let (current, maximum) = (request.cpu_seconds, request.cpu_seconds.saturating_add(1));
        setrlimit(Resource::Cpu, Rlimit { current: Some(current), maximum: Some(maximum) })?;
        set(Resource::Nofile, DESCRIPTORS)?;
        // On other systems the elapsed time ends a compilation that takes too much memory.
        if Enforced::HERE.memory {
            set(Resource::As, request.memory)?;
        }
        // If the parent is killed, the child dies with it.
        #[cfg(target_os = "linux")]
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        Ok(())
    }
}

/// On other systems the parent's time limit ends the child.
#[cfg(not(unix))]
mod limit {
    use std::io;

    use super::Request;

    pub(super) fn apply(_: &Request) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;

    use super::*;

    #[test]
    fn a_limit_that_nothing_enforces_is_refused_where_it_is_set() {
        let child = || CompileChild::program("/program", ambient_authority());
        let (memory, cpu_time) =
            (child().memory(1 << 30), child().cpu_time(Duration::from_secs(9)));
        let time = child().time(Duration::from_secs(9));
        let both = memory.clone().cpu_time(Duration::from_secs(9));
        let linux = Enforced { memory: true, cpu_time: true };
        let macos = Enforced { memory: false, cpu_time: true };
        let windows = Enforced { memory: false, cpu_time: false };
        let rows = [
            (&child(), linux, None),
            (&both, linux, None),
            // Defaults that are not enforced are no error: nobody asked for them.
            (&child(), macos, None),
            (&child(), windows, None),
            (&time, windows, None),
            (&memory, macos, Some(Setting::CompileMemory)),
            (&cpu_time, macos, None),
            (&both, macos, Some(Setting::CompileMemory)),
            (&memory, windows, Some(Setting::CompileMemory)),
            (&cpu_time, windows, Some(Setting::CompileCpuTime)),
        ];
        for (child, enforced, refused) in rows {
            match (child.check_where(enforced), refused) {
                (Ok(()), None) => {}
                (Err(error), Some(key)) => {
                    assert_eq!(error.kind(), ErrorKind::Unsupported);
                    assert!(error.to_string().contains(&format!("`{key}`")), "{error}");
                }
                (found, _) => panic!("{child:?} where {enforced:?}: {found:?}"),
            }
        }
    }

    #[test]
    fn this_system_is_told_as_it_is_documented() {
        let Enforced { memory, cpu_time } = Enforced::HERE;
        let expected = match std::env::consts::OS {
            "windows" => (false, false),
            "macos" | "ios" => (false, true),
            _ => (true, true),
        };
        assert_eq!((memory, cpu_time), expected);
    }
}
