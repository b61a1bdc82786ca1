//! Moves bytes in large pieces, by the streams of `wasi-sidecar-guest`: `bulk write BYTES CHUNK`, or `bulk copy`, from input to
//! output until end of file.
//!
//! Byte number i that is written is `b'a' + i % 26`, as those of `flood`. Exit code: 0; 3 when a stream fails; 2 for arguments it
//! does not know.

use std::io::{self, BufRead, Write};

use wasi_sidecar_guest::{exit, stderr, stdin, stdout};

const LETTERS: usize = 26;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", bytes, chunk] => match (bytes.parse(), chunk.parse()) {
            (Ok(bytes), Ok(chunk)) if chunk > 0 => write(bytes, chunk),
            _ => usage(),
        },
        ["copy"] => copy(),
        _ => usage(),
    };
    if let Err(error) = done {
        let _ = writeln!(stderr(), "{error}");
        exit(3);
    }
}

fn usage() -> ! {
    let _ = writeln!(stderr(), "usage: bulk write BYTES CHUNK | bulk copy");
    exit(2)
}

fn write(mut left: u64, chunk: usize) -> io::Result<()> {
    let mut stdout = stdout();
    // A chunk may begin at any letter, so the pattern holds one alphabet more than a chunk.
    let pattern: Vec<u8> = (b'a'..=b'z').cycle().take(chunk + LETTERS).collect();
    let mut start = 0;
    while left > 0 {
        let count = chunk.min(usize::try_from(left).unwrap_or(usize::MAX));
        stdout.write_all(&pattern[start..start + count])?;
        start = (start + count) % LETTERS;
        left -= count as u64;
    }
    stdout.flush()
}

fn copy() -> io::Result<()> {
    let (mut stdin, mut stdout) = (stdin(), stdout());
    loop {
        let bytes = stdin.fill_buf()?;
        if bytes.is_empty() {
            return stdout.flush();
        }
        let length = bytes.len();
        stdout.write_all(bytes)?;
        stdin.consume(length);
    }
}
