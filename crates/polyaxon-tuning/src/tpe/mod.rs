//! Tree-structured Parzen estimators: where good trials are dense and bad ones are not.
//!
//! The good share of the trials and the rest each become a mixture of kernels over all parameters at once; of many
//! points drawn from the good one, that with the largest ratio of the two densities is suggested. Trials that failed
//! count as the worst, and pending ones too, so that parallel suggestions spread.

mod estimator;

use estimator::{Axis, Estimator};

use crate::evidence::Evidence;
use crate::pareto;
use crate::random::Xoshiro;
use crate::space::Point;

/// Trials with results before the model is used.
pub(crate) const START: u64 = 10;

/// How many points are compared.
const CANDIDATES: usize = 40;

/// The good trials are one in ten, and within these bounds.
const LEAST_GOOD: usize = 2;
const MOST_GOOD: usize = 25;

pub(crate) fn suggest(evidence: &Evidence, random: &mut Xoshiro) -> Point {
    let axes: Vec<Axis> = evidence.space.parameters.iter().map(|parameter| Axis::of(&parameter.domain)).collect();
    let ranked = |point: &Point| -> Point {
        let places = evidence.space.parameters.iter().zip(point);
        places.zip(&axes).map(|((parameter, place), axis)| axis.coordinate(&parameter.domain, *place)).collect()
    };
    let order = pareto::order(&evidence.observed);
    let count = order.len();
    let good_count = count.div_ceil(10).clamp(LEAST_GOOD, MOST_GOOD);
    let observed = |indexes: &[usize]| indexes.iter().map(|index| ranked(&evidence.observed[*index].0)).collect();
    let good: Vec<Point> = observed(&order[..good_count]);
    let mut bad: Vec<Point> = observed(&order[good_count..]);
    bad.extend(evidence.failed.iter().chain(&evidence.pending).map(ranked));
    let good = Estimator::of_good(&axes, good);
    let bad = Estimator::of_bad(&axes, bad);
    let mut best: Option<(f64, Point)> = None;
    for _ in 0..CANDIDATES {
        let drawn = good.sample(&axes, random);
        let places = drawn.iter().zip(&axes).zip(&evidence.space.parameters);
        let mut point: Point =
            places.map(|((coordinate, axis), parameter)| axis.place(&parameter.domain, *coordinate)).collect();
        evidence.space.snap(&mut point);
        if !evidence.is_new(&point) {
            continue;
        }
        let exact = ranked(&point);
        let score = good.log_density(&axes, &exact) - bad.log_density(&axes, &exact);
        if best.as_ref().is_none_or(|(least, _)| score > *least) {
            best = Some((score, point));
        }
    }
    match best {
        Some((_, point)) => point,
        // All were tried before.
        None => evidence.space.sample(random),
    }
}
