//! Compiling in a child process: the side of whoever started it.

use std::{
    io::Write,
    process::{ChildStdin, ChildStdout, ExitStatus},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use super::{
    Form,
    bounds::{Bounds, FAILURES, Hit},
    child::{ARGUMENT, CompileChild, VARIABLE},
    protocol::{self, Answer, Broken, Request},
};
use crate::{Digest, Error, ErrorKind, Result, imp::Compiler, units};

/// How often it is looked whether the time is over or nobody waits any more. Only while something is compiled.
const LOOK: Duration = Duration::from_millis(20);

/// Bytes of code that any artifact may become: small ones carry a fixed part.
const MIN_CODE: u64 = 8 << 20;

/// Times its own size that an artifact may become, besides. Real ones become three to five times as large.
const CODE_RATIO: u64 = 8;

/// Bytes of code that no artifact may exceed: they are held in the application, and once more while they are linked.
const MAX_CODE: u64 = 1 << 30;

/// Before a child has run for this long, its CPU time says nothing about how much of the machine it gets.
const STARTED: Duration = Duration::from_millis(100);

/// What is to be compiled.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) form: Form,
    pub(crate) wasm: &'a [u8],
    /// Of the artifact.
    pub(crate) digest: &'a Digest,
    pub(crate) guest_stack: usize,
    /// Of the engine that is going to load the code.
    pub(crate) fingerprint: &'a Digest,
}

/// What came of it.
pub(crate) enum Done {
    Made(Vec<u8>),
    /// Nobody waited for it any more.
    Abandoned,
    /// The program that was started is no compile child.
    NoChild,
}

/// What came of one child.
enum Tried {
    Done(Done),
    /// Somebody waits for it by now, and it gets hardly any time of the machine.
    Starved,
    /// It has used up a limit.
    Hit(Hit),
}

/// Compiles in a child, as long as it is `wanted`. Until it is `urgent`, that is done at a low priority.
pub(crate) fn compile(
    child: &CompileChild,
    job: Job<'_>,
    wanted: impl Fn() -> bool,
    urgent: impl Fn() -> bool,
) -> Result<Done> {
    let bounds = child.bounds(job.wasm.len() as u64);
    if let Some(hit) = FAILURES.known(job.digest, &bounds) {
        return Err(hit.error(&bounds, child.names()));
    }
    let mut background = !urgent();
    loop {
        match try_once(child, &job, &bounds, background, &wanted, &urgent)? {
            Tried::Done(done) => return Ok(done),
            // A process cannot be given a higher priority again, so another one begins anew. Less is lost than it would
            // still have waited for.
            Tried::Starved => background = false,
            Tried::Hit(hit) => {
                // On a busy machine there might have been time at another priority.
                if !(background && hit == Hit::Time) {
                    FAILURES.remember(job.digest, hit, &bounds);
                }
                return Err(hit.error(&bounds, child.names()));
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
    let started = Compiler::start(child.path(), ARGUMENT, (VARIABLE, &token));
    let (mut process, stdin, stdout) =
        started.map_err(|error| Error::io("start a process for compiling", error))?;

    let (sender, answered) = mpsc::sync_channel(1);
    thread::scope(|scope| {
        let talk = || {
            // The receiver is there until this scope ends.
            let _ = sender.send(converse(stdin, stdout, &request, job));
        };
        let thread = thread::Builder::new().name("wasi-sidecar-compile".into());
        thread
            .spawn_scoped(scope, talk)
            .map_err(|error| Error::io("start a thread for compiling", error))?;
        loop {
            match answered.recv_timeout(LOOK) {
                Ok(answer) => return judge(answer, &mut process, child),
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

/// Whether it has been given less than half of one core. Beside other work a low priority is given about a tenth.
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
    // Whatever is wrong with a write is told by what can be read.
    let asked = request.write(&mut stdin);
    protocol::read_ready(&mut stdout, job.fingerprint)?;
    asked.and_then(|()| stdin.write_all(job.wasm)).map_err(|_| Broken::Ended)?;
    drop(stdin);
    Answer::read(&mut stdout, &request.key, max_code(job.wasm.len() as u64))
}

/// Bytes of code that an artifact of so many may become.
fn max_code(artifact: u64) -> u64 {
    MIN_CODE.saturating_add(CODE_RATIO.saturating_mul(artifact)).min(MAX_CODE)
}

/// What an answer means, or that there is none.
fn judge(
    answer: Result<Answer, Broken>,
    process: &mut Compiler,
    child: &CompileChild,
) -> Result<Tried> {
    match answer {
        Ok(Answer::Code(code)) => return Ok(Tried::Done(Done::Made(code))),
        // There was no memory left for something that can be refused without ending the process.
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
            return Err(no_limit(
                child,
                &format!("it would become {} of machine code", units::size(bytes)),
            ));
        }
        Err(Broken::Garbage) => {
            process.kill();
            return Err(broken("it answered something else than code"));
        }
        Err(Broken::Ended) => {}
    }
    // It has closed its output, which it does by ending. A kill does not change how it has ended, and nothing is waited for
    // if it closed it for another reason.
    process.kill();
    let status = process.wait().map_err(|error| Error::io("wait for the compile child", error))?;
    Err(match signal(status) {
        Some(SIGXCPU) => return Ok(Tried::Hit(Hit::CpuTime)),
        // Rust ends a process so when it cannot have memory.
        Some(SIGABRT) if CompileChild::is_memory_limited() => return Ok(Tried::Hit(Hit::Memory)),
        // Not a limit of ours: it may go well the next time.
        Some(SIGKILL) => Error::new(
            ErrorKind::Io,
            "the process that compiled it was killed, as the system does when the machine has no memory left",
        ),
        Some(signal) => no_limit(child, &format!("the compiler was ended by signal {signal}")),
        None => no_limit(child, &format!("the compiler ended without an answer ({status})")),
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

/// It cannot be compiled in a child, and no option would change that.
fn no_limit(child: &CompileChild, why: &str) -> Error {
    let trust = child.names().trust;
    Error::new(
        ErrorKind::CompileLimit,
        format!(
            "it cannot be compiled within the limits for artifacts that nobody vouches for: {why}; vouch for it (`{trust}`) to have \
             it compiled without limits"
        ),
    )
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
            (ms(9000), None, false), // nobody knows
        ];
        for (elapsed, used, starved) in rows {
            assert_eq!(is_starved(elapsed, used), starved, "{elapsed:?}, {used:?}");
        }
    }
}
