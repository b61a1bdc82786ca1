//! Ends abnormally: `trap [TEXT] [--recursion | --panic MESSAGE]`.
//!
//! Arguments: TEXT is written to standard output (flushed) first. Without an option the program aborts; `--recursion`
//! overflows the call stack; `--panic` panics with MESSAGE, which std reports on standard error.
//! It never exits by itself: a component traps, a native program dies of a signal (SIGABRT).

use std::hint::black_box;
use std::io::{self, Write};

enum How {
    Abort,
    Recursion,
    Panic(String),
}

fn main() {
    let mut how = How::Abort;
    let mut text = None;
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--recursion") => how = How::Recursion,
            Some("--panic") => {
                let message = arguments.next().unwrap_or_default();
                how = How::Panic(message.to_string_lossy().into_owned());
            }
            _ => text = Some(argument),
        }
    }
    if let Some(text) = text {
        let mut output = io::stdout().lock();
        // A closed pipe does not change how this program ends, and there is nobody left to tell.
        let _ = output.write_all(text.as_encoded_bytes()).and_then(|()| output.flush());
    }
    match how {
        How::Abort => std::process::abort(),
        How::Recursion => {
            black_box(descend(black_box(0)));
        }
        How::Panic(message) => panic!("{message}"),
    }
}

/// Its frames hold nothing in linear memory, where a component has a second stack: the one that overflows is the host's.
#[inline(never)]
fn descend(depth: u64) -> u64 {
    if depth == u64::MAX {
        return depth;
    }
    // Neither a tail call nor a sum, either of which the compiler would turn into a loop.
    descend(depth + 1).wrapping_mul(3) ^ depth
}
