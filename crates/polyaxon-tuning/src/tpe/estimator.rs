//! A mixture of kernels, one for each trial, and one for what was known before.
//!
//! A kernel is a product over the axes: a normal distribution cut at the ends of its range, the same in steps for
//! levels with an order, and for levels without order a share that is spread over all levels. On an axis where a trial
//! had no value, its kernel is the prior.

use crate::math::{exp, ln, normal_cdf, normal_quantile};
use crate::random::Xoshiro;
use crate::space::{Domain, Point, Shape};

/// Levels with an order and more of them than this are treated as a continuous range.
const MOST_STEPS: usize = 64;

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
    /// For each kernel the part of its logarithm that does not depend on the point.
    constants: Vec<f64>,
}

impl Estimator {
    pub(crate) fn new(axes: &[Axis], centres: Vec<Point>) -> Estimator {
        let count = centres.len() as f64;
        let tightness = crate::math::pow(count.max(1.0), -1.0 / (axes.len() as f64 + 4.0));
        let deviation = (0.2 * tightness).max(1.0 / (count + 2.0).min(100.0));
        let spreads: Vec<Spread> = axes.iter().map(|axis| Spread::new(axis, deviation, count)).collect();
        let constants = centres
            .iter()
            .map(|centre| {
                let axes = centre.iter().zip(&spreads);
                axes.map(|(centre, spread)| spread.constant(*centre)).sum::<f64>()
            })
            .collect();
        Estimator { centres, spreads, constants }
    }

    /// Coordinates drawn from the mixture.
    pub(crate) fn sample(&self, axes: &[Axis], random: &mut Xoshiro) -> Point {
        let kernel = random.below(self.centres.len() as u64 + 1) as usize;
        let centre = self.centres.get(kernel);
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
        let total: f64 = logarithms.iter().map(|logarithm| exp(logarithm - largest)).sum();
        largest + ln(total) - ln(logarithms.len() as f64)
    }
}

impl Axis {
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
