//! Annealing of hyperopt: a point near a good earlier one, nearer the more is known.

use crate::evidence::Evidence;
use crate::math;
use crate::pareto;
use crate::random::Xoshiro;
use crate::space::{Point, Shape};

/// The mean rank of the earlier point that is chosen.
const MEAN_RANK: f64 = 2.0;

/// How fast the neighbourhood shrinks with the number of trials.
const SHRINK: f64 = 0.1;

pub(crate) fn suggest(evidence: &Evidence, random: &mut Xoshiro) -> Point {
    let order = pareto::order(&evidence.observed);
    let rank = (math::ln(1.0 - random.unit()) / math::ln(1.0 - 1.0 / MEAN_RANK)).floor() as usize;
    let centre = &evidence.observed[order[rank.min(order.len() - 1)]].0;
    let width = 1.0 / (1.0 + order.len() as f64 * SHRINK);
    let mut point = evidence.space.sample(random);
    for (at, parameter) in evidence.space.parameters.iter().enumerate() {
        let (near, chance) = (random.unit(), random.unit());
        if centre[at].is_nan() {
            continue;
        }
        let span = match parameter.domain.shape() {
            Shape::Continuous => 1.0,
            Shape::Ordered(levels) => levels as f64,
            // Keeps the level, except with the chance that shrinks.
            Shape::Unordered(_) => {
                if chance >= width {
                    point[at] = centre[at];
                }
                continue;
            }
        };
        let rank = parameter.domain.rank_of(centre[at]);
        let low = (rank - width * span / 2.0).max(0.0);
        let high = (rank + width * span / 2.0).min(if span > 1.0 { span - 1.0 } else { 1.0 });
        point[at] = parameter.domain.of_rank(low + (high - low).max(0.0) * near);
    }
    point
}
