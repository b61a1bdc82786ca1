//! Works on files and says how long it took: `file-bench OPERATION PATH [NUMBERS]`.
//!
//! Two lines on standard output: a count, and nanoseconds read from a clock in here, so that starting does not count.
//!
//! | operation | does | count |
//! |---|---|---|
//! | `read FILE BLOCK` | reads a file to its end, BLOCK bytes at a time | bytes |
//! | `write FILE BYTES BLOCK` | makes a file of BYTES bytes, BLOCK at a time | bytes |
//! | `open-read DIR` | opens each file of a directory and reads it | bytes |
//! | `stat DIR` | asks for the metadata of each file of a directory, by its path | entries |
//! | `list DIR` | reads a directory | entries |
//!
//! `open-read` and `stat` read the directory before the clock runs. Exit code: 0; 1 for arguments it does not know or an
//! operation that fails, which is said on standard error.

#![expect(
    clippy::disallowed_methods,
    reason = "an ordinary program: what it may reach is its host's affair"
)]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const USAGE: &str =
    "usage: file-bench read FILE BLOCK | write FILE BYTES BLOCK | open-read|stat|list DIR";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let fields: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some(done) = attempt(&fields) else {
        let _ = writeln!(io::stderr(), "{USAGE}");
        return ExitCode::FAILURE;
    };
    let written = match done {
        Ok((count, time)) => writeln!(io::stdout(), "{count}\n{}", time.as_nanos()),
        Err(error) => writeln!(io::stderr(), "{}: {error}", fields.join(" ")).and(Err(error)),
    };
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The count and the time, or `None` for arguments that mean nothing.
fn attempt(fields: &[&str]) -> Option<io::Result<(u64, Duration)>> {
    Some(match *fields {
        ["read", path, block] => {
            let mut block = vec![0; size(block)?];
            timed(|| read(path, &mut block))
        }
        ["write", path, bytes, block] => {
            let (bytes, block) = (bytes.parse().ok()?, vec![b'x'; size(block)?]);
            timed(|| write(path, bytes, &block))
        }
        ["open-read", path] => entries(path).and_then(|paths| {
            // Kept from file to file, as a program that reads many would.
            let mut content = Vec::new();
            timed(|| {
                paths.iter().try_fold(0, |bytes, path| {
                    content.clear();
                    Ok(bytes + File::open(path)?.read_to_end(&mut content)? as u64)
                })
            })
        }),
        ["stat", path] => entries(path).and_then(|paths| {
            timed(|| {
                paths.iter().try_fold(0, |count, path| {
                    let metadata = fs::metadata(path)?;
                    Ok(count + u64::from(metadata.is_file() || metadata.is_dir()))
                })
            })
        }),
        ["list", path] => timed(|| entries(path).map(|paths| paths.len() as u64)),
        _ => return None,
    })
}

/// Of a block; there is none of no bytes.
fn size(text: &str) -> Option<usize> {
    text.parse().ok().filter(|&size| size > 0)
}

fn timed(work: impl FnOnce() -> io::Result<u64>) -> io::Result<(u64, Duration)> {
    let start = Instant::now();
    let count = work()?;
    Ok((count, start.elapsed()))
}

fn read(path: &str, block: &mut [u8]) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut bytes = 0;
    loop {
        match file.read(block)? {
            0 => return Ok(bytes),
            count => bytes += count as u64,
        }
    }
}

fn write(path: &str, bytes: u64, block: &[u8]) -> io::Result<u64> {
    let mut file = File::create(path)?;
    let mut left = bytes;
    while left > 0 {
        let count = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        file.write_all(&block[..count])?;
        left -= count as u64;
    }
    Ok(bytes)
}

fn entries(path: &str) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect()
}
