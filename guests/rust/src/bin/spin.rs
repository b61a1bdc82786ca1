//! Writes `spinning\n`, then computes for ever without calling the host again.
//!
//! Arguments: none. Exit code: none, it has to be killed; 1 when standard output fails.

use std::hint::black_box;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut output = io::stdout().lock();
    if output.write_all(b"spinning\n").and_then(|()| output.flush()).is_err() {
        return ExitCode::FAILURE;
    }
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}
