//! The own generator: xoshiro256++ (Blackman and Vigna), filled by splitmix64.

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Xoshiro {
    state: [u64; 4],
}

impl Xoshiro {
    /// The stream of a seed and of what else tells it apart: a round, the number of a suggestion.
    pub(crate) fn new(parts: &[u64]) -> Xoshiro {
        let mut seed = parts.iter().fold(0, |seed, part| mix(seed ^ mix(*part)));
        let state = std::array::from_fn(|_| {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(seed)
        });
        Xoshiro { state }
    }

    pub(crate) fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number from 0 to before 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number from 0 to before `count`, which must not be 0.
    pub(crate) fn below(&mut self, count: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(count)) >> 64) as u64
    }

    /// The index of a weight, by chance; the weights need not add up to 1.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut rest = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            rest -= weight;
            if rest < 0.0 {
                return index;
            }
        }
        // Rounding may leave a rest: then the last that can be drawn at all.
        weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0)
    }
}

/// The output function of splitmix64: spreads every bit over all.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_each_part_and_repeat() {
        let first = |parts: &[u64]| Xoshiro::new(parts).bits();
        assert_eq!(first(&[1, 2]), first(&[1, 2]));
        for other in [[2, 1], [1, 3], [0, 2], [0, 0]] {
            assert_ne!(first(&[1, 2]), first(&other));
        }
    }

    #[test]
    fn weights_are_followed() {
        let mut random = Xoshiro::new(&[5]);
        let mut counts = [0_u32; 3];
        for _ in 0..10_000 {
            counts[random.weighted(&[1.0, 0.0, 3.0])] += 1;
        }
        assert!((2_300..2_700).contains(&counts[0]) && counts[1] == 0, "{counts:?}");
    }
}
