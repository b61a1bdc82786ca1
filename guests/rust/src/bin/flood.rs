//! Writes bytes as fast as they are taken: `flood [stdout|stderr|both] [BYTES|forever] [CHUNK]`.
//!
//! Defaults: `stdout`, `forever`, chunks of 4096 bytes. Byte number i of a stream is `b'a' + i % 26`, and there is
//! never a newline. With `both`, chunks alternate between the streams and each stream gets BYTES.
//! Exit code: 0; 1 when a stream fails (a closed pipe ends it quietly) or for arguments it does not know.

#![cfg_attr(
    any(unix, target_os = "wasi"),
    expect(unsafe_code, reason = "std has no standard output without a buffer")
)]

use std::io::{self, Write};
use std::process::ExitCode;

const LETTERS: u64 = 26;

struct Plan {
    stdout: bool,
    stderr: bool,
    bytes: u64,
    chunk: usize,
}

fn main() -> ExitCode {
    let Some(plan) = parse(std::env::args().skip(1)) else {
        let _ = writeln!(io::stderr(), "usage: flood [stdout|stderr|both] [BYTES|forever] [CHUNK]");
        return ExitCode::FAILURE;
    };
    if run(&plan).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Plan> {
    let (stdout, stderr) = match arguments.next().as_deref() {
        None | Some("stdout") => (true, false),
        Some("stderr") => (false, true),
        Some("both") => (true, true),
        Some(_) => return None,
    };
    let bytes = match arguments.next().as_deref() {
        None | Some("forever") => u64::MAX,
        Some(text) => text.parse().ok()?,
    };
    let chunk = match arguments.next() {
        None => 4096,
        Some(text) => text.parse().ok().filter(|&chunk| chunk > 0)?,
    };
    Some(Plan { stdout, stderr, bytes, chunk })
}

/// Standard output without std's line buffer, which looks for a newline in all of what goes through it.
#[cfg(any(unix, target_os = "wasi"))]
fn unbuffered() -> impl Write {
    use std::os::fd::FromRawFd;

    // SAFETY: descriptor 1 is open as long as the program runs, since what is made of it here never closes it, and nothing
    // else does.
    let stdout: &std::fs::File = Box::leak(Box::new(unsafe { std::fs::File::from_raw_fd(1) }));
    stdout
}

#[cfg(not(any(unix, target_os = "wasi")))]
fn unbuffered() -> impl Write {
    io::stdout().lock()
}

fn run(plan: &Plan) -> io::Result<()> {
    // A chunk may begin at any letter, so the pattern holds one alphabet more than a chunk.
    let pattern: Vec<u8> = (b'a'..=b'z').cycle().take(plan.chunk + LETTERS as usize).collect();
    let mut stdout = unbuffered();
    let mut stderr = io::stderr().lock();
    let mut done = 0;
    while done < plan.bytes {
        let start = (done % LETTERS) as usize;
        let count = plan.chunk.min(usize::try_from(plan.bytes - done).unwrap_or(usize::MAX));
        let chunk = &pattern[start..start + count];
        if plan.stdout {
            stdout.write_all(chunk)?;
            stdout.flush()?;
        }
        if plan.stderr {
            stderr.write_all(chunk)?;
        }
        done += count as u64;
    }
    Ok(())
}
