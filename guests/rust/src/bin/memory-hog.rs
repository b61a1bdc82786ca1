//! Takes memory and keeps it: `memory-hog [MIB] [--abort]`, without MIB until there is none left.
//!
//! Allocates and touches one MiB at a time and writes `held N MiB\n` (flushed) after each. When one is refused it
//! writes `refused at N MiB\n` and exits with 1; with `--abort` it takes the path most programs take, where std
//! aborts. Exit code: 0 when all of MIB was held; 1 when refused, when standard output fails, or for
//! arguments it does not know.

use std::hint::black_box;
use std::io::{self, Write};
use std::process::ExitCode;

const MIB: usize = 1024 * 1024;

fn main() -> ExitCode {
    let mut limit = u64::MAX;
    let mut abort = false;
    for argument in std::env::args().skip(1) {
        match (argument.as_str(), argument.parse()) {
            ("--abort", _) => abort = true,
            (_, Ok(number)) => limit = number,
            _ => {
                let _ = writeln!(io::stderr(), "usage: memory-hog [MIB] [--abort]");
                return ExitCode::FAILURE;
            }
        }
    }
    match run(limit, abort) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// Says whether all of it was given.
fn run(limit: u64, abort: bool) -> io::Result<bool> {
    let mut output = io::stdout().lock();
    let mut held = Vec::new();
    for count in 0..limit {
        let mut block = Vec::new();
        // The list of blocks grows too, and can be what is refused.
        let refused = !abort
            && (held.try_reserve(1).is_err()
                || Vec::<u8>::try_reserve_exact(&mut block, MIB).is_err());
        if refused {
            writeln!(output, "refused at {count} MiB")?;
            output.flush()?;
            return Ok(false);
        }
        // Not zeroes: those can come as pages that nobody has touched.
        block.resize(MIB, count as u8 | 1);
        held.push(black_box(block));
        writeln!(output, "held {} MiB", count + 1)?;
        output.flush()?;
    }
    black_box(&held);
    Ok(true)
}
