//! Fibonacci numbers by the definition: nothing but calls.

use std::hint::black_box;

use crate::mix;

const NUMBER: u32 = 33;

pub(crate) fn run(rounds: u32) -> u64 {
    (0..rounds).fold(0, |checksum, _| mix(checksum, fib(black_box(NUMBER))))
}

fn fib(number: u32) -> u64 {
    if number < 2 { u64::from(number) } else { fib(number - 1) + fib(number - 2) }
}
