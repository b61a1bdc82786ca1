//! Quicksort of random numbers: branches that cannot be foreseen, and memory with bounds checks.

use crate::{Numbers, mix};

const COUNT: usize = 100_000;
/// Below this, insertion is faster than dividing further.
const SMALL: usize = 16;

pub(crate) fn run(rounds: u32) -> u64 {
    let mut numbers = Numbers::new();
    let mut values = vec![0; COUNT];
    let mut checksum = 0;
    for _ in 0..rounds {
        values.fill_with(|| (numbers.next() >> 32) as u32);
        sort(&mut values);
        assert!(values.is_sorted(), "sorted");
        checksum = values.iter().step_by(997).fold(checksum, |sum, &v| mix(sum, u64::from(v)));
    }
    checksum
}

fn sort(mut values: &mut [u32]) {
    while values.len() > SMALL {
        let middle = partition(values);
        let (left, right) = values.split_at_mut(middle);
        // The smaller half by a call and the larger by the loop: so calls never go deeper than the logarithm.
        values = if left.len() < right.len() {
            sort(left);
            right
        } else {
            sort(right);
            left
        };
    }
    for end in 1..values.len() {
        let mut at = end;
        while at > 0 && values[at - 1] > values[at] {
            values.swap(at - 1, at);
            at -= 1;
        }
    }
}

/// Hoare's: afterwards nothing before the returned place is larger than anything from there on, and neither side is
/// empty.
fn partition(values: &mut [u32]) -> usize {
    let (first, middle, last) = (values[0], values[values.len() / 2], values[values.len() - 1]);
    let pivot = first.min(middle).max(first.max(middle).min(last));
    let (mut low, mut high) = (0, values.len() - 1);
    loop {
        while values[low] < pivot {
            low += 1;
        }
        while values[high] > pivot {
            high -= 1;
        }
        if low >= high {
            return low.max(1);
        }
        values.swap(low, high);
        low += 1;
        high -= 1;
    }
}
