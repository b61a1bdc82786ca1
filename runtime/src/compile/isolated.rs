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
    child::{ARGUMENT, CompileChild, VARIABLE},
    protocol::{self, Answer, Broken, Request},
};
use crate::{Digest, Error, ErrorKind, Result, imp::Compiler, units};

/// How often it is looked whether the time is over or nobody waits any more. Only while something is compiled.
const LOOK: Duration = Duration::from_millis(20);

/// Bytes of code that any artifact may become: small ones carry a fixed part.
const MIN_CODE: u64 = 8 << 20;

/// Times its own size that an artifact may become. Real ones become two to four times as large.
const CODE_RATIO: u64 = 16;

/// What is to be compiled.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) form: Form,
    pub(crate) wasm: &'a [u8],
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

/// Compiles in a child, as long as it is `wanted`.
pub(crate) fn compile(
    child: &CompileChild,
    job: Job<'_>,
    wanted: impl Fn() -> bool,
) -> Result<Done> {
    let (memory, cpu_time, time) = child.limits();
    let request = Request {
        token: random()?,
        key: random()?,
        form: job.form,
        guest_stack: job.guest_stack as u64,
        memory,
        cpu_seconds: cpu_time.as_secs().max(1),
        artifact: job.wasm.len() as u64,
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
            let _ = sender.send(converse(stdin, stdout, &request, &job));
        };
        let thread = thread::Builder::new().name("wasi-sidecar-compile".into());
        thread
            .spawn_scoped(scope, talk)
            .map_err(|error| Error::io("start a thread for compiling", error))?;
        loop {
            match answered.recv_timeout(LOOK) {
                Ok(answer) => return judge(answer, &mut process, child),
                Err(RecvTimeoutError::Timeout) if begin.elapsed() >= time => {
                    process.kill();
                    return Err(limit(&format!("it takes longer than {}", units::time(time))));
                }
                Err(RecvTimeoutError::Timeout) if !wanted() => {
                    process.kill();
                    return Ok(Done::Abandoned);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    process.kill();
                    return Err(broken("nobody listened to it"));
                }
            }
        }
    })
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
    let max = MIN_CODE.saturating_add(CODE_RATIO.saturating_mul(job.wasm.len() as u64));
    Answer::read(&mut stdout, &request.key, max)
}

/// What an answer means, or that there is none.
fn judge(
    answer: Result<Answer, Broken>,
    process: &mut Compiler,
    child: &CompileChild,
) -> Result<Done> {
    match answer {
        Ok(Answer::Code(code)) => return Ok(Done::Made(code)),
        Ok(Answer::Failed(ErrorKind::CompileLimit, text)) => return Err(limit(&text)),
        Ok(Answer::Failed(kind, text)) => return Err(Error::new(kind, text)),
        Err(Broken::NeverReady) => {
            process.kill();
            return Ok(Done::NoChild);
        }
        Err(Broken::OtherEngine) => {
            process.kill();
            tracing::warn!("the program that should compile is of another version");
            return Ok(Done::NoChild);
        }
        Err(Broken::TooLarge(bytes)) => {
            process.kill();
            return Err(limit(&format!("it would become {} of code", units::size(bytes))));
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
    let (memory, cpu_time, _) = child.limits();
    let status = process.wait().map_err(|error| Error::io("wait for the compile child", error))?;
    Err(limit(&match signal(status) {
        Some(SIGXCPU | SIGKILL) => format!(
            "it was ended, which the system does after {} of CPU time",
            units::time(cpu_time.max(Duration::from_secs(1)))
        ),
        Some(SIGABRT) => {
            format!("the compiler gave up, as it does without more than {}", units::size(memory))
        }
        Some(signal) => format!("the compiler was ended by signal {signal}"),
        None => format!("the compiler ended without an answer ({status})"),
    }))
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

fn limit(why: &str) -> Error {
    Error::new(
        ErrorKind::CompileLimit,
        format!(
            "it cannot be compiled within the limits for artifacts of strangers: {why}; if it is trusted, pin its digest \
             (`sha256`, `--trust`), or raise the limits (`CompileChild`, `engine.compile`, `--compile-memory`, `--compile-time`)"
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
