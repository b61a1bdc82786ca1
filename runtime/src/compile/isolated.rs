//! Compiles in a child process: the parent's side.

use std::{
    io::Write,
    process::{ChildStdin, ChildStdout, ExitStatus},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use super::{
    Form,
    child::{ARGUMENT, CompileChild, VARIABLE},
    limits::{Bounds, FAILURES, Hit},
    process::CompileProcess,
    protocol::{self, Answer, Broken, Request},
};
use crate::{Digest, Error, ErrorKind, Result, Setting, units};

/// Interval between checks for the time limit and for abandoned work. Only while something is compiled.
const LOOK: Duration = Duration::from_millis(20);

/// Bytes of code allowed for any artifact: small ones have a fixed part.
const MIN_CODE: u64 = 8 << 20;

/// Allowed bytes of code per byte of the artifact. Real programs become three to five times as large.
const CODE_RATIO: u64 = 8;

/// Most bytes of code for any artifact. The application holds them, and holds them twice while it links them.
const MAX_CODE: u64 = 1 << 30;

/// CPU time of a child younger than this does not show its share of the machine.
const STARTED: Duration = Duration::from_millis(100);

/// A compilation.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) form: Form,
    pub(crate) wasm: &'a [u8],
    /// Digest of the artifact.
    pub(crate) digest: &'a Digest,
    pub(crate) guest_stack: usize,
    /// Fingerprint of the engine that will load the code.
    pub(crate) fingerprint: &'a Digest,
}

/// The result of a compilation.
pub(crate) enum Done {
    Made(Vec<u8>),
    /// Nobody waited for the code any more.
    Abandoned,
    /// The program that was started is not a compile child.
    NoChild,
}

/// The result of one child.
enum Tried {
    Done(Done),
    /// Somebody waits for the code by now, and the child gets hardly any CPU time.
    Starved,
    /// The child hit a limit.
    Hit(Hit),
}

/// Compiles in a child while `wanted` returns true, at a low priority until `urgent` returns true.
pub(crate) fn compile(
    child: &CompileChild,
    job: Job<'_>,
    wanted: impl Fn() -> bool,
    urgent: impl Fn() -> bool,
) -> Result<Done> {
    let bounds = child.bounds(job.wasm.len() as u64);
    if let Some(hit) = FAILURES.known(job.digest, &bounds) {
        return Err(hit.error(&bounds));
    }
    let mut background = !urgent();
    loop {
        match try_once(child, &job, &bounds, background, &wanted, &urgent)? {
            Tried::Done(done) => return Ok(done),
            // A process cannot regain a higher priority, so a new one starts over. That loses less than waiting for the
            // old one would.
            Tried::Starved => background = false,
            Tried::Hit(hit) => {
                // At normal priority it might have finished in time.
                if !(background && hit == Hit::Time) {
                    FAILURES.remember(job.digest, hit, &bounds);
                }
                return Err(hit.error(&bounds));
            }
        }
    }
}

fn try_once(
    child: &CompileChild,
    job: &Job<'_>,
    bounds: &Bounds,
    background: bool,
    wanted: &impl Fn() -> bool,
    urgent: &impl Fn() -> bool,
) -> Result<Tried> {
    let request = Request {
        token: random()?,
        key: random()?,
        form: job.form,
        guest_stack: job.guest_stack as u64,
        memory: bounds.memory,
        cpu_seconds: bounds.cpu_time.as_secs(),
        artifact: job.wasm.len() as u64,
        background,
    };
    let token = Digest(request.token).to_string();
    let begin = Instant::now();
    let started = CompileProcess::start(child.path(), ARGUMENT, (VARIABLE, &token));
    let (mut process, stdin, stdout) =
        started.map_err(|error| Error::io("start a process for compiling", error))?;

    let (sender, answered) = mpsc::sync_channel(1);
    thread::scope(|scope| {
        let talk = || {
            // The receiver lives until this scope ends.
            let _ = sender.send(converse(stdin, stdout, &request, job));
        };
        let thread = thread::Builder::new().name("wasi-sidecar-compile".into());
        thread
            .spawn_scoped(scope, talk)
            .map_err(|error| Error::io("start a thread for compiling", error))?;
        loop {
            match answered.recv_timeout(LOOK) {
                Ok(answer) => return judge(answer, &mut process),
                Err(RecvTimeoutError::Timeout) if begin.elapsed() >= bounds.time => {
                    process.kill();
                    return Ok(Tried::Hit(Hit::Time));
                }
                Err(RecvTimeoutError::Timeout) if !wanted() => {
                    process.kill();
                    return Ok(Tried::Done(Done::Abandoned));
                }
                Err(RecvTimeoutError::Timeout) => {
                    if background && urgent() && is_starved(begin.elapsed(), process.cpu_time()) {
                        process.kill();
                        return Ok(Tried::Starved);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    process.kill();
                    return Err(broken("its reader thread ended"));
                }
            }
        }
    })
}

/// Whether the child got less than half of one core. On a busy machine, a low priority gets about a tenth.
fn is_starved(elapsed: Duration, cpu_time: Option<Duration>) -> bool {
    elapsed >= STARTED && cpu_time.is_some_and(|used| used < elapsed / 2)
}

/// Sends the artifact and waits for the answer.
fn converse(
    mut stdin: ChildStdin,
    mut stdout: ChildStdout,
    request: &Request,
    job: &Job<'_>,
) -> Result<Answer, Broken> {
    // What can be read explains a failed write.
    let asked = request.write(&mut stdin);
    protocol::read_ready(&mut stdout, job.fingerprint)?;
    asked.and_then(|()| stdin.write_all(job.wasm)).map_err(|_| Broken::Ended)?;
    drop(stdin);
    Answer::read(&mut stdout, &request.key, max_code(job.wasm.len() as u64))
}

/// Most bytes of code for an artifact of this many bytes.
fn max_code(artifact: u64) -> u64 {
    MIN_CODE.saturating_add(CODE_RATIO.saturating_mul(artifact)).min(MAX_CODE)
}

/// Turns an answer, or its absence, into a result.
fn judge(answer: Result<Answer, Broken>, process: &mut CompileProcess) -> Result<Tried> {
    match answer {
        Ok(Answer::Code(code)) => return Ok(Tried::Done(Done::Made(code))),
        // The compiler reported a lack of memory, which did not end the process.
        Ok(Answer::Failed(ErrorKind::CompileLimit, _)) if CompileChild::is_memory_limited() => {
            return Ok(Tried::Hit(Hit::Memory));
        }
        Ok(Answer::Failed(kind, text)) => return Err(Error::new(kind, text)),
        Err(Broken::NeverReady) => {
            process.kill();
            return Ok(Tried::Done(Done::NoChild));
        }
        Err(Broken::OtherEngine) => {
            process.kill();
            tracing::warn!("the program that should compile is of another version");
            return Ok(Tried::Done(Done::NoChild));
        }
        Err(Broken::TooLarge(bytes)) => {
            process.kill();
            return Err(no_limit(&format!(
                "it would become {} of machine code",
                units::size(bytes)
            )));
        }
        Err(Broken::Garbage) => {
            process.kill();
            return Err(broken("it answered something else than code"));
        }
        Err(Broken::Ended) => {}
    }
    // The child closed its output, normally by exiting. A kill does not change the exit status, and prevents waiting
    // for a child that closed it for another reason.
    process.kill();
    let status = process.wait().map_err(|error| Error::io("wait for the compile child", error))?;
    Err(match signal(status) {
        Some(SIGXCPU) => return Ok(Tried::Hit(Hit::CpuTime)),
        // Rust aborts a process whose memory allocation fails.
        Some(SIGABRT) if CompileChild::is_memory_limited() => return Ok(Tried::Hit(Hit::Memory)),
        // Not one of our limits: the next try may succeed.
        Some(SIGKILL) => Error::new(
            ErrorKind::Io,
            "the process that compiled it was killed, as the system does when the machine has no memory left",
        ),
        Some(signal) => no_limit(&format!("the compiler was ended by signal {signal}")),
        None => no_limit(&format!("the compiler ended without an answer ({status})")),
    })
}

const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

/// The child cannot compile it, and no limit would change that.
fn no_limit(why: &str) -> Error {
    Error::new(
        ErrorKind::CompileLimit,
        format!(
            "it does not compile within the limits for untrusted artifacts: {why}; trust it (`{}`) to compile it without limits",
            Setting::Trusted
        ),
    )
    .about(Setting::Trusted)
}

fn broken(why: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("the compile child failed: {why}"))
}

fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::io("get random bytes", std::io::Error::other(error)))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_that_is_taken_has_a_bound() {
        const MIB: u64 = 1 << 20;
        for (artifact, code) in [(0, 8), (1, 16), (18, 152), (69, 560), (128, 1024), (4096, 1024)] {
            assert_eq!(max_code(artifact * MIB), code * MIB, "{artifact} MiB");
        }
    }

    #[test]
    fn a_child_that_gets_no_time_is_told_from_one_that_is_slow() {
        let ms = Duration::from_millis;
        let rows = [
            (ms(50), Some(ms(0)), false), // too early to tell
            (ms(1000), Some(ms(100)), true),
            (ms(1000), Some(ms(490)), true),
            (ms(1000), Some(ms(900)), false),
            (ms(1000), Some(ms(1900)), false),
            (ms(9000), None, false), // unknown
        ];
        for (elapsed, used, starved) in rows {
            assert_eq!(is_starved(elapsed, used), starved, "{elapsed:?}, {used:?}");
        }
    }
}
