//! The compile child: how it is set up, and what a process does that was started as one.

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
    Settings,
    bounds::{Bounds, CompileOptions},
    protocol::{self, Answer, Request},
    threads,
};
use crate::{Error, ErrorKind, Result};

/// The argument a compile child is started with. It is for whoever looks at a list of processes; what counts is [`VARIABLE`].
pub(crate) const ARGUMENT: &str = "--wasi-sidecar-compile-child";

/// The environment entry that makes a process a compile child: a random token, which whoever started it knows as well.
pub(crate) const VARIABLE: &str = "WASI_SIDECAR_COMPILE_CHILD";

/// Whether this process asked, when it started, what it was started as.
static ASKED: AtomicBool = AtomicBool::new(false);

/// How artifacts of strangers are compiled: in a child process, which is this program or another one that calls
/// [`enter_if_asked`](Self::enter_if_asked), within limits.
///
/// Compiling cannot be interrupted, and a few kilobytes of WebAssembly can be written so that it takes gigabytes or ends the
/// process. In a process of its own that hurts nobody: it has no environment and no descriptors but the two pipes to its parent
/// (and those that an application itself lets every process inherit), can open none, and has limits that the system enforces.
/// It is no sandbox: code that takes over the compiler has the rights of the user.
///
/// Defaults, which grow with the artifact:
/// - memory: 2 GiB of address space, and 32 bytes for each of the artifact; on macOS and Windows it is not limited
/// - CPU time: 120 s and 4 s for each MiB of the artifact, on all cores together; on Windows it is not limited
/// - time: half as much again
///
/// An artifact that was too much for its limits is not tried again in this process, unless the limit that it hit is raised.
///
/// Setting a limit that the system does not enforce is an error of [`check`](Self::check) and of [`Engine::new`](crate::Engine::new).
///
/// Debug builds have ten times as much of both times, since their compiler is mostly unoptimised.
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
    /// What was asked for; without it the defaults hold, where there is something that enforces them.
    memory: Option<u64>,
    cpu_time: Option<Duration>,
    time: Option<Duration>,
    options: CompileOptions,
}

/// Which limits a system holds a compile child to. Time on the clock is looked after by whoever started it.
#[derive(Clone, Copy, Debug)]
struct Enforced {
    memory: bool,
    cpu_time: bool,
}

impl Enforced {
    /// What this system does. macOS has a limit of address space that does nothing; Windows has none of these.
    const HERE: Self =
        Self { memory: cfg!(all(unix, not(target_vendor = "apple"))), cpu_time: cfg!(unix) };
}

impl CompileChild {
    /// Becomes a compile child if this process was started as one, and then does not return. Otherwise it does nothing but
    /// remember that it was called, which [`this_program`](Self::this_program) asks for.
    ///
    /// Call it first in `main`, before windows, threads and other instances of the program are looked for: all of that would
    /// happen in every compile child.
    pub fn enter_if_asked() {
        ASKED.store(true, Ordering::Relaxed);
        #[expect(clippy::disallowed_methods, reason = "an entry of ours, which says what this is")]
        let Some(token) = std::env::var_os(VARIABLE) else { return };
        if std::env::args_os().nth(1).is_none_or(|argument| argument != ARGUMENT) {
            return;
        }
        let token = token.to_str().and_then(token_of);
        let served = token.map(|token| serve(&token, &mut io::stdin().lock(), &mut io::stdout()));
        // There is nobody to tell: whoever started this sees that the answer is missing.
        process::exit(i32::from(!matches!(served, Some(Ok(())))));
    }

    /// The program that is running, which has to have called [`enter_if_asked`](Self::enter_if_asked).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if it has not, or on a system where apps start no processes; [`ErrorKind::Io`] if it is not
    /// known where it lies.
    pub fn this_program(authority: AmbientAuthority) -> Result<Self> {
        if cfg!(any(target_os = "ios", target_os = "android")) {
            let text =
                "apps of this system start no processes; use `EngineConfig::compile_scanned`";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        if !ASKED.load(Ordering::Relaxed) {
            let text = "this program cannot be a compile child; call `CompileChild::enter_if_asked` first in its `main`";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        // On Linux the program itself, also when an update has put another one in its place by now.
        let program = if cfg!(target_os = "linux") {
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe().map_err(|error| Error::io("find this program", error))?
        };
        Ok(Self::program(program, authority))
    }

    /// Another program, which has to be of the same version, by its path.
    #[must_use]
    pub fn program(path: impl Into<PathBuf>, _: AmbientAuthority) -> Self {
        let options = CompileOptions::default();
        Self { program: path.into(), memory: None, cpu_time: None, time: None, options }
    }

    /// Bytes of address space it may have. Not on macOS and Windows: see [`check`](Self::check).
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// CPU time it may use, in whole seconds and at least one. Not on Windows: see [`check`](Self::check).
    #[must_use]
    pub fn cpu_time(mut self, time: Duration) -> Self {
        self.cpu_time = Some(time);
        self
    }

    /// Time it may take on the clock.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// How these limits are called where they are set, for errors.
    #[must_use]
    pub fn options(mut self, options: CompileOptions) -> Self {
        self.options = options;
        self
    }

    pub(super) fn path(&self) -> &Path {
        &self.program
    }

    /// Refuses a limit that was set and that nothing on this system enforces, as [`Engine::new`](crate::Engine::new) does. For
    /// whoever reads them from a file and wants to say which.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`], naming it.
    pub fn check(&self) -> Result<()> {
        self.check_where(Enforced::HERE)
    }

    fn check_where(&self, enforced: Enforced) -> Result<()> {
        let (what, option) = if self.memory.is_some() && !enforced.memory {
            ("memory", self.options.memory)
        } else if self.cpu_time.is_some() && !enforced.cpu_time {
            ("CPU time", self.options.cpu_time)
        } else {
            return Ok(());
        };
        Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "the {what} of compiling cannot be limited on this system; leave out `{option}`, and limit its time on the clock \
                 (`{}`)",
                self.options.time
            ),
        ))
    }

    /// How much an artifact of so many bytes may take.
    pub(super) fn bounds(&self, artifact: u64) -> Bounds {
        let default = Bounds::of(artifact);
        let at_least = Duration::from_secs(1);
        Bounds {
            memory: self.memory.unwrap_or(default.memory),
            cpu_time: self.cpu_time.unwrap_or(default.cpu_time).max(at_least),
            time: self.time.unwrap_or(default.time),
        }
    }

    pub(super) fn names(&self) -> &CompileOptions {
        &self.options
    }

    /// Whether the system holds a child to a limit of memory.
    pub(super) fn is_memory_limited() -> bool {
        Enforced::HERE.memory
    }
}

/// 64 hexadecimal digits.
fn token_of(text: &str) -> Option<[u8; 32]> {
    Some(*text.parse::<crate::Digest>().ok()?.as_bytes())
}

/// Compiles one artifact for whoever knows the token.
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
    let engine = settings.engine().map_err(io::Error::other)?;
    protocol::write_ready(to, &super::fingerprint(&engine))?;
    let mut artifact = Vec::new();
    from.take(request.artifact).read_to_end(&mut artifact)?;
    if artifact.len() as u64 != request.artifact {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let compile = || super::compile(&engine, request.form, &artifact);
    // A panic of the compiler is told as what it is, where it can be.
    let made = std::panic::catch_unwind(AssertUnwindSafe(|| threads::in_child(compile)));
    let answer = match made {
        Ok(Ok(Ok(code))) => Answer::Code(code),
        // What the system refuses in here is refused because of the limits.
        Ok(Ok(Err(error))) if error.kind() == ErrorKind::Io => {
            Answer::Failed(ErrorKind::CompileLimit, error.chain())
        }
        Ok(Ok(Err(error))) => Answer::Failed(error.kind(), error.chain()),
        // No threads are to be had: their stacks are what is left no room for.
        Ok(Err(error)) => Answer::Failed(ErrorKind::CompileLimit, error.chain()),
        Err(_) => Answer::Failed(ErrorKind::Compile, "the compiler failed".into()),
    };
    answer.write(to, &request.key)
}

#[cfg(unix)]
mod limit {
    //! What the system is asked to hold this process to.

    use std::io;

    use rustix::process::{Resource, Rlimit, setrlimit};

    use super::{Enforced, Request};

    /// Descriptors: the three standard streams, and none that could be opened.
    const DESCRIPTORS: u64 = 3;

    pub(super) fn apply(request: &Request) -> io::Result<()> {
        let set = |resource, most| {
            setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
        };
        set(Resource::Core, 0)?;
        // At the first it is ended by a signal that nothing else sends, so that who sees that knows why.
        let (current, maximum) = (request.cpu_seconds, request.cpu_seconds.saturating_add(1));
        setrlimit(Resource::Cpu, Rlimit { current: Some(current), maximum: Some(maximum) })?;
        set(Resource::Nofile, DESCRIPTORS)?;
        // Elsewhere it is the time that ends a bomb.
        if Enforced::HERE.memory {
            set(Resource::As, request.memory)?;
        }
        // With whoever started it, if that one is killed.
        #[cfg(target_os = "linux")]
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        Ok(())
    }
}

/// Elsewhere the parent's clock is what ends it.
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
        let options = CompileOptions {
            memory: "engine.compile.memory",
            cpu_time: "engine.compile.cpuTime",
            ..CompileOptions::default()
        };
        let child = || CompileChild::program("/program", ambient_authority()).options(options);
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
            // Defaults are silent: there is no one who believes that they hold.
            (&child(), macos, None),
            (&child(), windows, None),
            (&time, windows, None),
            (&memory, macos, Some("engine.compile.memory")),
            (&cpu_time, macos, None),
            (&both, macos, Some("engine.compile.memory")),
            (&memory, windows, Some("engine.compile.memory")),
            (&cpu_time, windows, Some("engine.compile.cpuTime")),
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
