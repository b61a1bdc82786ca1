//! The product of two matrices: floating-point numbers in loops that a compiler can turn into vectors.

use crate::{Numbers, mix};

const SIZE: usize = 256;

type Matrix = Vec<f64>;

pub(crate) fn run(rounds: u32) -> u64 {
    let mut numbers = Numbers::new();
    let mut matrix = || -> Matrix {
        // Small whole numbers over a power of two: sums of products are exact for some rounds.
        (0..SIZE * SIZE).map(|_| (numbers.next() % 17) as f64 / 16.0 - 0.5).collect()
    };
    let (left, mut right) = (matrix(), matrix());
    for _ in 0..rounds {
        let mut product = vec![0.0; SIZE * SIZE];
        multiply(&left, &right, &mut product);
        // Kept in range, so that any number of rounds stays finite.
        right.clear();
        right.extend(product.iter().map(|value| value / SIZE as f64));
    }
    right.iter().fold(0, |checksum, value| mix(checksum, value.to_bits()))
}

/// By rows, which reads memory in its order; each sum is still added up in the order of the definition, so the result is
/// the same to the last bit with and without vectors.
#[cfg_attr(target_family = "wasm", target_feature(enable = "simd128"))]
fn multiply(left: &[f64], right: &[f64], product: &mut [f64]) {
    for (row, sums) in left.chunks_exact(SIZE).zip(product.chunks_exact_mut(SIZE)) {
        for (factor, values) in row.iter().zip(right.chunks_exact(SIZE)) {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += factor * value;
            }
        }
    }
}
