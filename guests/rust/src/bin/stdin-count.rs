//! Counts standard input until end of file and writes `bytes=N lines=M\n`, where lines are `\n` characters.
//!
//! Arguments: none. Exit code: 0, or 1 when a stream fails.

use std::io::{self, Read, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    if run().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut buffer = [0; 16 * 1024];
    let (mut bytes, mut lines) = (0, 0);
    loop {
        match input.read(&mut buffer)? {
            0 => break,
            count => {
                bytes += count as u64;
                lines += buffer[..count].iter().filter(|&&byte| byte == b'\n').count() as u64;
            }
        }
    }
    let mut output = io::stdout().lock();
    writeln!(output, "bytes={bytes} lines={lines}")?;
    output.flush()
}
