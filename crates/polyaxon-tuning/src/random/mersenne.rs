//! The generator of seeded random searches: MT19937 and the distributions of numpy's `RandomState`, draw for draw.
//!
//! A file with a seed gives the same runs here as with earlier versions of the official tools. Must not be "improved".

use crate::math;

const LENGTH: usize = 624;
const PERIOD: usize = 397;

/// `numpy.random.RandomState(seed)`.
#[derive(Clone, Debug)]
pub(crate) struct Mersenne {
    state: Box<[u32; LENGTH]>,
    next: usize,
    /// The polar method makes two normal numbers at once.
    spare_normal: Option<f64>,
}

impl Mersenne {
    pub(crate) fn new(seed: u32) -> Mersenne {
        let mut state = Box::new([0; LENGTH]);
        let mut word = seed;
        for (index, slot) in state.iter_mut().enumerate() {
            *slot = word;
            word = 1_812_433_253_u32.wrapping_mul(word ^ (word >> 30)).wrapping_add(index as u32 + 1);
        }
        Mersenne { state, next: LENGTH, spare_normal: None }
    }

    fn word(&mut self) -> u32 {
        if self.next == LENGTH {
            self.refill();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    fn refill(&mut self) {
        for index in 0..LENGTH {
            let joined = (self.state[index] & 0x8000_0000) | (self.state[(index + 1) % LENGTH] & 0x7fff_ffff);
            let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[index] = self.state[(index + PERIOD) % LENGTH] ^ (joined >> 1) ^ twist;
        }
        self.next = 0;
    }

    /// A number from 0 to before 1.
    pub(crate) fn unit(&mut self) -> f64 {
        let high = f64::from(self.word() >> 5);
        let low = f64::from(self.word() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    pub(crate) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    pub(crate) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let z = self.spare_normal.take().unwrap_or_else(|| {
            loop {
                let x = 2.0 * self.unit() - 1.0;
                let y = 2.0 * self.unit() - 1.0;
                let radius = x * x + y * y;
                if radius < 1.0 && radius != 0.0 {
                    let factor = (-2.0 * math::ln(radius) / radius).sqrt();
                    self.spare_normal = Some(factor * x);
                    return factor * y;
                }
            }
        });
        mean + deviation * z
    }

    /// A whole number from 0 to before `count`, as `randint` finds it: words too large are thrown away.
    pub(crate) fn below(&mut self, count: u64) -> u64 {
        let Some(largest) = count.checked_sub(1).filter(|largest| *largest > 0) else { return 0 };
        let mask = u64::MAX >> largest.leading_zeros();
        loop {
            let value = if u32::try_from(largest).is_ok() {
                u64::from(self.word()) & mask
            } else {
                ((u64::from(self.word()) << 32) | u64::from(self.word())) & mask
            };
            if value <= largest {
                return value;
            }
        }
    }

    /// The index of a probability, as `multinomial(1, probabilities)` finds it: what is missing to 1 is the last one's.
    pub(crate) fn multinomial(&mut self, probabilities: &[f64]) -> usize {
        let mut remaining = 1.0;
        let last = probabilities.len().saturating_sub(1);
        for (index, probability) in probabilities[..last].iter().enumerate() {
            let is_drawn = match probability / remaining {
                share if share <= 0.0 => false,
                share if share <= 0.5 => self.unit() > 1.0 - share,
                // The generator counts the misses of the likelier outcome.
                share => self.unit() <= share,
            };
            if is_drawn {
                return index;
            }
            remaining -= probability;
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_of_numpy() {
        let mut random = Mersenne::new(42);
        assert_eq!(random.unit(), 0.374_540_118_847_362_5);
        assert_eq!(random.unit(), 0.950_714_306_409_916_2);
        assert_eq!(Mersenne::new(42).below(100), 51);
        assert_eq!(Mersenne::new(42).below(1), 0);
        let mut random = Mersenne::new(42);
        assert_eq!(random.normal(0.0, 1.0), 0.496_714_153_011_232_7);
        assert_eq!(random.normal(0.0, 1.0), -0.138_264_301_171_184_66);
        assert_eq!(Mersenne::new(0).unit(), 0.548_813_503_927_324_8);
    }
}
