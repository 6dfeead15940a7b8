//! What a point promises: the rules by which expectations are compared. More is better.

use super::process::Expected;
use crate::math::{ln, normal_cdf, normal_density};

/// The rule, for values that are less the better they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Acquisition {
    /// `kappa` deviations below the mean.
    UpperBound { kappa: f64 },
    /// The logarithm of the expected gain over the best value less `eps`.
    ExpectedImprovement { eps: f64 },
    /// The logarithm of the chance to be better than the best value less `eps`.
    ProbabilityOfImprovement { eps: f64 },
}

/// A gain that is not worth all further trials, where the values have the deviation 1.
const LITTLE: f64 = 0.02;

/// From here on tails are calculated by their series.
const FAR: f64 = -6.0;

/// What a point promises, and how that changes with its mean and its deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Promise {
    pub(crate) value: f64,
    pub(crate) by_mean: f64,
    pub(crate) by_deviation: f64,
}

impl Acquisition {
    /// The same rule when values are divided by `scale`.
    pub(crate) fn scaled(self, scale: f64) -> Acquisition {
        match self {
            Acquisition::UpperBound { .. } => self,
            Acquisition::ExpectedImprovement { eps } => Acquisition::ExpectedImprovement { eps: eps / scale },
            Acquisition::ProbabilityOfImprovement { eps } => Acquisition::ProbabilityOfImprovement { eps: eps / scale },
        }
    }

    /// Whether a promise is so small that the best value is not going to be beaten by much.
    pub(crate) fn is_little(self, promise: f64, best: f64) -> bool {
        match self {
            Acquisition::UpperBound { .. } => promise + best < LITTLE,
            Acquisition::ExpectedImprovement { .. } | Acquisition::ProbabilityOfImprovement { .. } => {
                promise < ln(LITTLE)
            }
        }
    }

    /// `best` is the best value so far.
    pub(crate) fn promise(self, expected: Expected, best: f64) -> Promise {
        let Expected { mean, deviation } = expected;
        match self {
            Acquisition::UpperBound { kappa } => {
                Promise { value: kappa * deviation - mean, by_mean: -1.0, by_deviation: kappa }
            }
            Acquisition::ExpectedImprovement { eps } => {
                let z = (best - eps - mean) / deviation;
                // log(deviation · h(z)), where h' is the distribution function.
                let (log_gain, ratio) = log_gain(z);
                Promise {
                    value: ln(deviation) + log_gain,
                    by_mean: -ratio / deviation,
                    by_deviation: (1.0 - ratio * z) / deviation,
                }
            }
            Acquisition::ProbabilityOfImprovement { eps } => {
                let z = (best - eps - mean) / deviation;
                let (value, ratio) = log_chance(z);
                Promise { value, by_mean: -ratio / deviation, by_deviation: -ratio * z / deviation }
            }
        }
    }
}

/// The logarithm of `z Φ(z) + φ(z)`, and its slope.
fn log_gain(z: f64) -> (f64, f64) {
    if z > FAR {
        let chance = normal_cdf(z);
        let gain = z * chance + normal_density(z);
        return (ln(gain), chance / gain);
    }
    let square = 1.0 / (z * z);
    let series = 1.0 - 3.0 * square + 15.0 * square * square;
    let value = -0.5 * z * z - 0.918_938_533_204_672_7 + ln(square * series);
    (value, -z * (1.0 - square + 3.0 * square * square) / series)
}

/// The logarithm of `Φ(z)`, and its slope.
fn log_chance(z: f64) -> (f64, f64) {
    if z > FAR {
        let chance = normal_cdf(z);
        return (ln(chance), normal_density(z) / chance);
    }
    let square = 1.0 / (z * z);
    let series = 1.0 - square + 3.0 * square * square;
    (-0.5 * z * z - 0.918_938_533_204_672_7 + ln(-series / z), -z / series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_the_values() {
        let rules = [
            Acquisition::UpperBound { kappa: 1.2 },
            Acquisition::ExpectedImprovement { eps: 0.1 },
            Acquisition::ProbabilityOfImprovement { eps: 0.1 },
        ];
        for rule in rules {
            for mean in [-3.0, 0.5, 2.0, 9.0, 40.0] {
                let at = |mean: f64, deviation: f64| rule.promise(Expected { mean, deviation }, 0.3);
                let promise = at(mean, 0.8);
                let by_mean = (at(mean + 1e-5, 0.8).value - at(mean - 1e-5, 0.8).value) / 2e-5;
                let by_deviation = (at(mean, 0.8 + 1e-5).value - at(mean, 0.8 - 1e-5).value) / 2e-5;
                for (slope, expected) in [(promise.by_mean, by_mean), (promise.by_deviation, by_deviation)] {
                    assert!(
                        (slope - expected).abs() < 2e-3 * expected.abs().max(1e-3),
                        "{rule:?} {mean} {slope} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn tails_continue() {
        for log in [log_gain, log_chance] {
            let (near, far) = (log(FAR + 1e-9), log(FAR - 1e-9));
            assert!((near.0 - far.0).abs() < 1e-2 && (near.1 - far.1).abs() < 1e-1, "{near:?} {far:?}");
        }
    }
}
