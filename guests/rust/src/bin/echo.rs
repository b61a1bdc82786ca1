//! Copies standard input to standard output as it arrives, flushed after each read, until end of file.
//!
//! Arguments: `[BLOCK]`, the most bytes read at once (default 16384). Exit code: 0, or 1 when a stream fails (a closed
//! pipe ends it quietly) or BLOCK is not a number above 0.

use std::io::{self, Read, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    if run().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut buffer = vec![0; block()?];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                output.write_all(&buffer[..count])?;
                output.flush()?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn block() -> io::Result<usize> {
    let Some(text) = std::env::args().nth(1) else { return Ok(16 * 1024) };
    text.parse().ok().filter(|&block| block > 0).ok_or(io::ErrorKind::InvalidInput.into())
}
