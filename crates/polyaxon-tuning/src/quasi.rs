//! The first points of a search, spread evenly: a Halton sequence, shifted by the seed.

use crate::random::Xoshiro;
use crate::space::{Point, Space};

/// Bases of the first axes. Further axes are drawn by chance: there the sequence is no better.
const PRIMES: [u64; 24] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89];

const PURPOSE: u64 = 3;

pub(crate) fn point(space: &Space, seed: u64, number: u64) -> Point {
    space.at_chances(&chances(space.parameters.len(), seed, number))
}

/// The element of the sequence with this number: one part of 1 for each axis.
pub(crate) fn chances(axes: usize, seed: u64, number: u64) -> Vec<f64> {
    let mut shift = Xoshiro::new(&[seed, PURPOSE]);
    let mut own = Xoshiro::new(&[seed, PURPOSE, number]);
    (0..axes)
        .map(|axis| match PRIMES.get(axis) {
            Some(base) => (scrambled(*base, number + 1, seed) + shift.unit()).fract(),
            None => own.unit(),
        })
        .collect()
}

/// The digits of a number in a base, mirrored at the point, each exchanged for another by the seed.
fn scrambled(base: u64, number: u64, seed: u64) -> f64 {
    let factor = 1 + Xoshiro::new(&[seed, PURPOSE, base]).below(base - 1);
    let mut rest = number;
    let mut scale = 1.0 / base as f64;
    let mut sum = 0.0;
    while rest > 0 {
        sum += ((rest % base) * factor % base) as f64 * scale;
        rest /= base;
        scale /= base as f64;
    }
    sum
}
