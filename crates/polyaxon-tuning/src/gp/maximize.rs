//! Where a rule promises most: many points at first, then a climb from the best of them.

use super::acquisition::Acquisition;
use super::kernel::{self, Feature};
use super::process::Process;
use crate::descent::{Limits, minimize};
use crate::evidence::Evidence;
use crate::math::{exp, normal_quantile};
use crate::quasi;
use crate::random::Xoshiro;
use crate::space::Point;

/// Points all over the space.
const SPREAD: usize = 600;

/// The best trials that points are tried around, and how many around each.
const CENTRES: usize = 5;
const AROUND: usize = 60;

/// Rounds of a climb: along the ranges, then over the levels.
const ROUNDS: usize = 3;

/// Levels that are all tried in one round; of more, those at growing distances.
const FEW_LEVELS: usize = 16;

/// Points that resemble each other more than this are neighbours.
pub(crate) const NEIGHBOUR: f64 = 0.5;

/// What is maximized.
pub(crate) struct Goal<'a> {
    pub(crate) process: &'a Process<'a>,
    pub(crate) rule: Acquisition,
    /// The best value so far.
    pub(crate) best: f64,
    pub(crate) axes: &'a [Feature],
    /// The number of points that are tried at least.
    pub(crate) warmup: usize,
    /// The number of points that are climbed from.
    pub(crate) refined: usize,
    /// The features of a point whose neighbourhood is left out.
    pub(crate) away_from: Option<Vec<f64>>,
}

impl Goal<'_> {
    fn is_wanted(&self, features: &[f64]) -> bool {
        self.away_from.as_ref().is_none_or(|centre| self.process.resemblance(centre, features) < NEIGHBOUR)
    }

    fn value(&self, features: &[f64]) -> f64 {
        self.rule.promise(self.process.at(features), self.best).value
    }
}

/// The new point that promises most. `leaders` are the features of the best trials.
pub(crate) fn maximize(
    goal: &Goal,
    evidence: &Evidence,
    leaders: &[Vec<f64>],
    random: &mut Xoshiro,
) -> Option<(f64, Point)> {
    let mut candidates = candidates(goal, evidence, leaders, random);
    candidates.retain(|features| goal.is_wanted(features));
    let expected = goal.process.at_all(&candidates);
    let mut ranked: Vec<(f64, Vec<f64>)> = expected
        .into_iter()
        .zip(candidates)
        .map(|(expected, features)| (goal.rule.promise(expected, goal.best).value, features))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let climbed: Vec<(f64, Vec<f64>)> =
        ranked.iter().take(goal.refined).map(|(value, features)| climb(goal, evidence, features, *value)).collect();
    ranked.splice(0..0, climbed.into_iter().filter(|(_, features)| goal.is_wanted(features)));
    // Stable: those that were climbed to win among equals.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut points =
        ranked.iter().map(|(value, features)| (*value, kernel::point(evidence.space, goal.axes, features)));
    points.find(|(_, point)| evidence.is_new(point))
}

fn candidates(goal: &Goal, evidence: &Evidence, leaders: &[Vec<f64>], random: &mut Xoshiro) -> Vec<Vec<f64>> {
    let space = evidence.space;
    let seed = random.bits();
    let around = leaders.len().min(CENTRES) * AROUND;
    let spread = SPREAD.max((goal.warmup.max(1000)).saturating_sub(around));
    let mut candidates: Vec<Vec<f64>> = (0..spread as u64)
        .map(|number| kernel::features(space, goal.axes, &quasi::point(space, seed, number)))
        .collect();
    for leader in leaders.iter().take(CENTRES) {
        for _ in 0..AROUND {
            // From the whole range down to a thousandth of it.
            let width = exp(-7.0 * random.unit());
            let moved: Vec<f64> =
                leader.iter().zip(goal.axes).map(|(at, axis)| near(*axis, *at, width, random)).collect();
            candidates.push(kernel::features(space, goal.axes, &kernel::point(space, goal.axes, &moved)));
        }
    }
    candidates
}

/// A feature near another.
fn near(axis: Feature, at: f64, width: f64, random: &mut Xoshiro) -> f64 {
    let (move_by, chance, name) = (random.unit(), random.unit(), random.bits());
    match axis {
        _ if at.is_nan() => at,
        Feature::Range => (at + width * normal_quantile(move_by.max(1e-12))).clamp(0.0, 1.0),
        Feature::Steps(_) if chance < 0.3 => {
            axis.of_rank((axis.rank(at) + (move_by * 5.0).floor() - 2.0).clamp(0.0, axis.rank(1.0)).round())
        }
        Feature::Names(names) if chance < 0.2 => (name % names.max(1) as u64) as f64,
        Feature::Steps(_) | Feature::Names(_) => at,
    }
}

/// The top of the hill that a point stands on.
fn climb(goal: &Goal, evidence: &Evidence, start: &[f64], value: f64) -> (f64, Vec<f64>) {
    let mut top = (value, start.to_vec());
    for _ in 0..ROUNDS {
        let before = top.0;
        top = along_ranges(goal, top);
        top = over_levels(goal, evidence, top);
        if top.0 <= before + 1e-9 * before.abs().max(1.0) || goal.axes.iter().all(|axis| *axis == Feature::Range) {
            break;
        }
    }
    top
}

fn along_ranges(goal: &Goal, (value, start): (f64, Vec<f64>)) -> (f64, Vec<f64>) {
    let ranges: Vec<usize> =
        (0..start.len()).filter(|at| goal.axes[*at] == Feature::Range && !start[*at].is_nan()).collect();
    if ranges.is_empty() {
        return (value, start);
    }
    let mut features = start.clone();
    let place = |x: &[f64], features: &mut Vec<f64>| ranges.iter().zip(x).for_each(|(at, x)| features[*at] = *x);
    let from: Vec<f64> = ranges.iter().map(|at| start[*at]).collect();
    let limits = Limits { evaluations: 40, tolerance: 1e-9, first_step: 0.02 };
    let (x, negative) = minimize(&from, &vec![(0.0, 1.0); ranges.len()], limits, |x, gradient| {
        place(x, &mut features);
        let (expected, of_mean, of_deviation) = goal.process.slope(&features);
        let promise = goal.rule.promise(expected, goal.best);
        for (slope, at) in gradient.iter_mut().zip(&ranges) {
            *slope = -(promise.by_mean * of_mean[*at] + promise.by_deviation * of_deviation[*at]);
        }
        -promise.value
    });
    if -negative <= value {
        return (value, start);
    }
    place(&x, &mut features);
    (-negative, features)
}

fn over_levels(goal: &Goal, evidence: &Evidence, mut top: (f64, Vec<f64>)) -> (f64, Vec<f64>) {
    for (at, axis) in goal.axes.iter().enumerate() {
        for level in levels(*axis, top.1[at]) {
            let mut features = top.1.clone();
            features[at] = level;
            // Other parameters may come or go with it.
            let point = kernel::point(evidence.space, goal.axes, &features);
            let features = kernel::features(evidence.space, goal.axes, &point);
            let value = goal.value(&features);
            if value > top.0 {
                top = (value, features);
            }
        }
    }
    top
}

/// Other levels to try.
fn levels(axis: Feature, at: f64) -> Vec<f64> {
    match axis {
        _ if at.is_nan() => Vec::new(),
        Feature::Range => Vec::new(),
        Feature::Names(count) => (0..count).map(|name| name as f64).filter(|name| *name != at).collect(),
        Feature::Steps(count) if count <= FEW_LEVELS => {
            (0..count).map(|rank| axis.of_rank(rank as f64)).filter(|feature| *feature != at).collect()
        }
        Feature::Steps(count) => {
            let rank = axis.rank(at).round();
            let distances = (0..usize::BITS).map(|power| (1_u64 << power.min(62)) as f64);
            let reachable = distances.take_while(|distance| *distance < count as f64);
            let both = reachable.flat_map(|distance| [rank - distance, rank + distance]);
            both.filter(|rank| (0.0..count as f64).contains(rank)).map(|rank| axis.of_rank(rank)).collect()
        }
    }
}
