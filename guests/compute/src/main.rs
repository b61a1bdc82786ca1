//! Computes something well known and says how long it took: `compute NAME [ROUNDS]`.
//!
//! NAME is `fib`, `json`, `matmul`, `nbody`, `qsort` or `sha256`, each in a file of its own. Two lines on standard
//! output: `NAME CHECKSUM`, which is the same for every way of building and running this program, and the nanoseconds
//! that the computation took, read from a clock in here so that starting does not count. Without ROUNDS it is as many
//! as take about 80 ms natively. Exit code: 0; 1 for arguments it does not know.
//!
//! A package of its own, because it is built for speed and the programs of `guests/rust` are built for size.

mod fib;
mod json;
mod matmul;
mod nbody;
mod qsort;
mod sha256;

use std::hint::black_box;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

struct Computation {
    name: &'static str,
    rounds: u32,
    /// From rounds to a checksum.
    run: fn(u32) -> u64,
}

const COMPUTATIONS: [Computation; 6] = [
    Computation { name: "fib", rounds: 7, run: fib::run },
    Computation { name: "json", rounds: 16, run: json::run },
    Computation { name: "matmul", rounds: 20, run: matmul::run },
    Computation { name: "nbody", rounds: 11, run: nbody::run },
    Computation { name: "qsort", rounds: 12, run: qsort::run },
    Computation { name: "sha256", rounds: 16, run: sha256::run },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let computation = COMPUTATIONS.iter().find(|computation| computation.name == name);
    let rounds = arguments.next().map(|text| text.parse()).transpose();
    let (Some(computation), Ok(rounds), None) = (computation, rounds, arguments.next()) else {
        let _ =
            writeln!(io::stderr(), "usage: compute fib|json|matmul|nbody|qsort|sha256 [ROUNDS]");
        return ExitCode::FAILURE;
    };
    let rounds = black_box(rounds.unwrap_or(computation.rounds));
    let start = Instant::now();
    let checksum = black_box((computation.run)(rounds));
    let time = start.elapsed().as_nanos();
    match writeln!(io::stdout(), "{name} {checksum:016x}\n{time}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Numbers without a pattern, the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn new() -> Numbers {
        Numbers(0x2545_f491_4f6c_dd1d)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Mixes a number into a checksum (the step of FNV-1a, by words).
fn mix(checksum: u64, number: u64) -> u64 {
    (checksum ^ number).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
}
