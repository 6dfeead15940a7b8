//! A mixture of kernels, one for each trial, and one for what was known before.
//!
//! A kernel is a product over the axes: a normal distribution cut at the ends of its range, the same in steps for
//! levels with an order, and for levels without order a share that is spread over all levels. On an axis where a trial
//! had no value, its kernel is the prior.
//!
//! The numbers below were chosen by 200 seeds of the problems of `bench/tuner.py`. What made the most difference is
//! that the kernels of good trials narrow as these come together, which the kernels of bad ones must not do.

use crate::math::{exp, ln, normal_cdf, normal_quantile, pow};
use crate::random::Xoshiro;
use crate::space::{Domain, Point, Shape};

/// Levels with an order and more of them than this are treated as a continuous range.
const MOST_STEPS: usize = 64;

/// How wide the kernels of good trials are, in deviations of these trials.
const GOOD_WIDTH: f64 = 0.7;

/// The prior counts as so many trials when that deviation is computed.
const PRIOR_TRIALS: f64 = 1.3;

/// The kernels of good trials reach at least this part of the way to the next level.
const LEAST_STEP: f64 = 0.7;

/// How wide the kernels of bad trials are, as a part of the whole range.
const BAD_WIDTH: f64 = 0.2;

/// The narrowest kernel is this part of the range.
const NARROWEST: f64 = 0.01;

/// The weight of the prior among kernels of weight 1.
const PRIOR_WEIGHT: f64 = 0.6;

/// The best trial has nearly so much more weight than the worst of the good ones.
const RANK_WEIGHT: f64 = 8.0;

/// How the estimator sees a parameter. Coordinates of ranges go from 0 to 1, those of levels are their ranks.
#[derive(Clone, Debug)]
pub(crate) enum Axis {
    Range { levels: Option<usize> },
    Steps { levels: usize },
    Names { chances: Vec<f64> },
}

impl Axis {
    pub(crate) fn of(domain: &Domain) -> Axis {
        match domain.shape() {
            Shape::Continuous => Axis::Range { levels: None },
            Shape::Ordered(levels) if levels > MOST_STEPS => Axis::Range { levels: Some(levels) },
            Shape::Ordered(levels) => Axis::Steps { levels },
            Shape::Unordered(levels) => {
                let even = || vec![1.0 / levels as f64; levels];
                // No level may be impossible: it has been allowed.
                let floor = |weight: &f64| weight.max(1e-6);
                Axis::Names {
                    chances: domain.weights().map_or_else(even, |weights| weights.iter().map(floor).collect()),
                }
            }
        }
    }

    pub(crate) fn coordinate(&self, domain: &Domain, place: f64) -> f64 {
        match self {
            _ if place.is_nan() => f64::NAN,
            Axis::Range { levels: Some(levels) } => (domain.rank_of(place) + 0.5) / *levels as f64,
            Axis::Range { levels: None } => place,
            Axis::Steps { .. } => domain.rank_of(place),
            Axis::Names { .. } => place,
        }
    }

    pub(crate) fn place(&self, domain: &Domain, coordinate: f64) -> f64 {
        match self {
            Axis::Range { levels: Some(levels) } => domain.of_rank((coordinate * *levels as f64).floor()),
            Axis::Range { levels: None } => coordinate,
            Axis::Steps { .. } => domain.of_rank(coordinate),
            Axis::Names { .. } => coordinate,
        }
    }
}

/// What the kernels of one axis have in common.
#[derive(Clone, Debug)]
enum Spread {
    Range {
        deviation: f64,
    },
    /// The logarithm of the probability of each rank around each rank.
    Steps {
        chances: Vec<Vec<f64>>,
        logarithms: Vec<Vec<f64>>,
    },
    /// The share that is spread over all levels by their chances.
    Names {
        spread: f64,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Estimator {
    centres: Vec<Point>,
    spreads: Vec<Spread>,
    /// The weight of the prior, and that of each kernel; 1 in total.
    weights: Vec<f64>,
    /// For each kernel the part of its logarithm that does not depend on the point.
    constants: Vec<f64>,
}

impl Estimator {
    /// The mixture of good trials, best first.
    pub(crate) fn of_good(axes: &[Axis], centres: Vec<Point>) -> Estimator {
        let tightness = tightness(axes, &centres);
        let deviation = |at: usize| {
            let levels = axes[at].scale();
            let places: Vec<f64> =
                centres.iter().map(|centre| centre[at] / levels).filter(|place| !place.is_nan()).collect();
            let weight = places.len() as f64 + PRIOR_TRIALS;
            let mean = (places.iter().sum::<f64>() + PRIOR_TRIALS * 0.5) / weight;
            let squares: f64 = places.iter().map(|place| (place - mean) * (place - mean)).sum();
            let deviation = ((squares + PRIOR_TRIALS / 12.0) / weight).sqrt() * GOOD_WIDTH * tightness;
            let least = if let Axis::Steps { levels } = axes[at] { LEAST_STEP / levels as f64 } else { NARROWEST };
            deviation.clamp(least.min(0.5), 0.5)
        };
        let count = centres.len() as f64;
        let weights = (0..centres.len()).map(|rank| 1.0 + RANK_WEIGHT * (1.0 - (rank as f64 + 0.5) / count));
        Estimator::new(axes, deviation, weights.collect(), &centres)
    }

    /// The mixture of the other trials, in any order.
    pub(crate) fn of_bad(axes: &[Axis], centres: Vec<Point>) -> Estimator {
        let count = centres.len() as f64;
        let deviation = (BAD_WIDTH * tightness(axes, &centres)).max(NARROWEST.max(1.0 / (count + 2.0)));
        Estimator::new(axes, |_| deviation, vec![1.0; centres.len()], &centres)
    }

    fn new(axes: &[Axis], deviation: impl Fn(usize) -> f64, mut weights: Vec<f64>, centres: &[Point]) -> Estimator {
        let count = centres.len() as f64;
        let spreads = axes.iter().enumerate().map(|(at, axis)| Spread::new(axis, deviation(at), count)).collect();
        weights.insert(0, PRIOR_WEIGHT);
        let total: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }
        let mut estimator = Estimator { centres: centres.to_vec(), spreads, weights, constants: Vec::new() };
        estimator.constants = centres.iter().map(|centre| estimator.constant(centre)).collect();
        estimator
    }

    fn constant(&self, centre: &Point) -> f64 {
        centre.iter().zip(&self.spreads).map(|(centre, spread)| spread.constant(*centre)).sum()
    }

    /// Coordinates drawn from the mixture.
    pub(crate) fn sample(&self, axes: &[Axis], random: &mut Xoshiro) -> Point {
        let kernel = random.weighted(&self.weights).checked_sub(1);
        let centre = kernel.and_then(|kernel| self.centres.get(kernel));
        axes.iter()
            .zip(&self.spreads)
            .enumerate()
            .map(|(at, (axis, spread))| match centre.map(|centre| centre[at]).filter(|centre| !centre.is_nan()) {
                Some(centre) => spread.sample(axis, centre, random),
                None => axis.sample(random),
            })
            .collect()
    }

    /// The logarithm of the density at a point.
    pub(crate) fn log_density(&self, axes: &[Axis], point: &Point) -> f64 {
        let prior: f64 = axes.iter().zip(point).map(|(axis, coordinate)| axis.log_prior(*coordinate)).sum();
        let mut logarithms = Vec::with_capacity(self.centres.len() + 1);
        logarithms.push(prior);
        for (centre, constant) in self.centres.iter().zip(&self.constants) {
            let mut sum = *constant;
            for (((axis, spread), coordinate), centre) in axes.iter().zip(&self.spreads).zip(point).zip(centre) {
                if coordinate.is_nan() {
                    // The constant belongs to an axis that the point does not have.
                    sum -= spread.constant(*centre);
                } else if centre.is_nan() {
                    sum += axis.log_prior(*coordinate);
                } else {
                    sum += spread.log_kernel(axis, *centre, *coordinate);
                }
            }
            logarithms.push(sum);
        }
        let largest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = logarithms.iter().zip(&self.weights).map(|(log, weight)| weight * exp(log - largest)).sum();
        largest + ln(total)
    }
}

/// How much narrower kernels are the more of them there are, by Scott's rule.
fn tightness(axes: &[Axis], centres: &[Point]) -> f64 {
    pow((centres.len() as f64).max(1.0), -1.0 / (axes.len() as f64 + 4.0))
}

impl Axis {
    /// What coordinates are divided by to be between 0 and 1.
    fn scale(&self) -> f64 {
        match self {
            Axis::Steps { levels } => *levels as f64,
            Axis::Range { .. } | Axis::Names { .. } => 1.0,
        }
    }

    fn sample(&self, random: &mut Xoshiro) -> f64 {
        match self {
            Axis::Range { .. } => random.unit(),
            Axis::Steps { levels } => random.below(*levels as u64) as f64,
            Axis::Names { chances } => random.weighted(chances) as f64,
        }
    }

    fn log_prior(&self, coordinate: f64) -> f64 {
        match self {
            _ if coordinate.is_nan() => 0.0,
            Axis::Range { .. } => 0.0,
            Axis::Steps { levels } => -ln(*levels as f64),
            Axis::Names { chances } => ln(chances[coordinate as usize]),
        }
    }
}

impl Spread {
    fn new(axis: &Axis, deviation: f64, count: f64) -> Spread {
        match axis {
            Axis::Range { .. } => Spread::Range { deviation },
            Axis::Steps { levels } => {
                let half = 0.5 / *levels as f64;
                let middle = |rank: usize| (rank as f64 + 0.5) / *levels as f64;
                let row = |centre: usize| -> Vec<f64> {
                    let below = |edge: f64| normal_cdf((edge - middle(centre)) / deviation);
                    let mass = below(1.0) - below(0.0);
                    (0..*levels)
                        .map(|rank| ((below(middle(rank) + half) - below(middle(rank) - half)) / mass).max(1e-12))
                        .collect()
                };
                let chances: Vec<Vec<f64>> = (0..*levels).map(row).collect();
                let logarithms = chances.iter().map(|row| row.iter().map(|chance| ln(*chance)).collect()).collect();
                Spread::Steps { chances, logarithms }
            }
            Axis::Names { chances } => {
                let levels = chances.len() as f64;
                Spread::Names { spread: levels / (count + 1.0 + levels) }
            }
        }
    }

    /// The part of the logarithm of a kernel that only depends on its centre.
    fn constant(&self, centre: f64) -> f64 {
        match self {
            Spread::Range { deviation } if !centre.is_nan() => {
                let mass = normal_cdf((1.0 - centre) / deviation) - normal_cdf(-centre / deviation);
                -ln(mass * deviation) - 0.918_938_533_204_672_7
            }
            Spread::Range { .. } | Spread::Steps { .. } | Spread::Names { .. } => 0.0,
        }
    }

    fn log_kernel(&self, axis: &Axis, centre: f64, coordinate: f64) -> f64 {
        match (self, axis) {
            (Spread::Range { deviation }, _) => {
                let z = (coordinate - centre) / deviation;
                -0.5 * z * z
            }
            (Spread::Steps { logarithms, .. }, _) => logarithms[centre as usize][coordinate as usize],
            (Spread::Names { spread }, Axis::Names { chances }) => {
                let own = if centre == coordinate { 1.0 - spread } else { 0.0 };
                ln(own + spread * chances[coordinate as usize])
            }
            (Spread::Names { .. }, _) => 0.0,
        }
    }

    fn sample(&self, axis: &Axis, centre: f64, random: &mut Xoshiro) -> f64 {
        match self {
            Spread::Range { deviation } => {
                let low = normal_cdf(-centre / deviation);
                let high = normal_cdf((1.0 - centre) / deviation);
                let chance = low + (high - low) * random.unit();
                (centre + deviation * normal_quantile(chance)).clamp(0.0, 1.0)
            }
            Spread::Steps { chances, .. } => random.weighted(&chances[centre as usize]) as f64,
            Spread::Names { spread } => {
                if random.unit() < *spread {
                    axis.sample(random)
                } else {
                    centre
                }
            }
        }
    }
}
