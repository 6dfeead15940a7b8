//! Bayesian optimization: a Gaussian process as a model of the metric, and the point where it promises most.
//!
//! Trials that failed are left out. Pending ones count as if they had brought what the model expects of them, so that
//! parallel suggestions spread.

mod acquisition;
mod fit;
mod kernel;
mod linear;
mod maximize;
mod process;
mod warp;

pub(crate) use acquisition::Acquisition;
use kernel::Feature;
use maximize::{Goal, NEIGHBOUR, maximize};
use process::Process;

use crate::evidence::Evidence;
use crate::random::Xoshiro;
use crate::space::Point;

/// The settings of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Utility {
    pub(crate) acquisition: Acquisition,
    pub(crate) smoothness: Smoothness,
    /// Where the fit of the lengths starts, on axes from 0 to 1.
    pub(crate) length_scale: f64,
    /// How often the fit is started again.
    pub(crate) restarts: usize,
    /// How many points are tried, when more than usual.
    pub(crate) warmup: usize,
    /// How many of them are refined.
    pub(crate) refined: usize,
}

/// How smooth the metric is taken to be: `nu` of the Matérn kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Smoothness {
    Half,
    ThreeHalves,
    FiveHalves,
    Infinite,
}

impl Smoothness {
    /// The least smooth kernel that is as smooth as asked for.
    pub(crate) fn at_least(nu: f64) -> Smoothness {
        match nu {
            nu if nu <= 0.5 => Smoothness::Half,
            nu if nu <= 1.5 => Smoothness::ThreeHalves,
            nu if nu <= 2.5 => Smoothness::FiveHalves,
            _ => Smoothness::Infinite,
        }
    }
}

impl Default for Utility {
    fn default() -> Utility {
        Utility {
            acquisition: Acquisition::ExpectedImprovement { eps: 0.0 },
            smoothness: Smoothness::FiveHalves,
            length_scale: 1.0,
            restarts: 0,
            warmup: 0,
            refined: 10,
        }
    }
}

/// The process is exact for so many trials; of more, the best half and the latest are kept.
const MOST_TRIALS: usize = 500;

/// The shape is fitted to so many trials.
const MOST_FITTED: usize = 120;

pub(crate) fn suggest(utility: &Utility, evidence: &Evidence, random: &mut Xoshiro) -> Point {
    let axes = Feature::all(evidence.space);
    let features = |point: &Point| kernel::features(evidence.space, &axes, point);
    let losses: Vec<f64> = evidence.observed.iter().map(|(_, losses)| losses[0]).collect();
    let kept = best_and_latest(&losses, MOST_TRIALS);
    let points: Vec<Vec<f64>> = kept.iter().map(|index| features(&evidence.observed[*index].0)).collect();
    let (mut values, scale) = standardized(&kept.iter().map(|index| losses[*index]).collect::<Vec<f64>>());
    // Between names there are many hills; there bent values made searches settle too early.
    if !axes.iter().any(|axis| matches!(axis, Feature::Names(_))) {
        values = standardized(&warp::bent(&values)).0;
    }
    let shape = fitted(utility, &axes, &points, &values, random);
    let pending: Vec<Vec<f64>> = evidence.pending.iter().map(features).collect();
    let process = told(utility, &axes, &shape, (&points, &values), pending);
    let suggested = process.and_then(|process| {
        let rule = utility.acquisition.scaled(scale);
        promising(utility, rule, &process, (&axes, &points, &values), evidence, random)
    });
    suggested.unwrap_or_else(|| evidence.space.sample(random))
}

/// The shape, fitted to not too many trials.
fn fitted(
    utility: &Utility,
    axes: &[Feature],
    points: &[Vec<f64>],
    values: &[f64],
    random: &mut Xoshiro,
) -> fit::Shape {
    let chosen = best_and_latest(values, MOST_FITTED);
    let points: Vec<Vec<f64>> = chosen.iter().map(|index| points[*index].clone()).collect();
    let (values, _) = standardized(&chosen.iter().map(|index| values[*index]).collect::<Vec<f64>>());
    fit::fit(axes, utility.smoothness, &points, &values, utility.length_scale, utility.restarts, random)
}

/// The process that knows of all trials.
fn told<'a>(
    utility: &Utility,
    axes: &'a [Feature],
    shape: &'a fit::Shape,
    (points, values): (&[Vec<f64>], &[f64]),
    pending: Vec<Vec<f64>>,
) -> Option<Process<'a>> {
    let process = Process::new(axes, utility.smoothness, shape, points.to_vec(), values)?;
    if pending.is_empty() {
        return Some(process);
    }
    let mut values = values.to_vec();
    values.extend(process.at_all(&pending).iter().map(|expected| expected.mean));
    Process::new(axes, utility.smoothness, shape, [points, &pending].concat(), &values)
}

/// The point that promises most. When that is little, half of the suggestions look for another hill.
fn promising(
    utility: &Utility,
    rule: Acquisition,
    process: &Process,
    (axes, points, values): (&[Feature], &[Vec<f64>], &[f64]),
    evidence: &Evidence,
    random: &mut Xoshiro,
) -> Option<Point> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let top = *order.first()?;
    let leaders: Vec<Vec<f64>> = order.iter().map(|index| points[*index].clone()).collect();
    let (warmup, refined, best) = (utility.warmup, utility.refined, values[top]);
    let mut goal = Goal { process, rule, best, axes, warmup, refined, away_from: None };
    let (promise, point) = maximize(&goal, evidence, &leaders, random)?;
    if !rule.is_little(promise, best) || random.unit() < 0.5 {
        return Some(point);
    }
    order.retain(|index| process.resemblance(&points[top], &points[*index]) < NEIGHBOUR);
    let Some(other) = order.first() else { return Some(point) };
    goal.best = values[*other];
    goal.rule = Acquisition::ExpectedImprovement { eps: 0.0 };
    goal.away_from = Some(points[top].clone());
    let leaders: Vec<Vec<f64>> = order.iter().map(|index| points[*index].clone()).collect();
    maximize(&goal, evidence, &leaders, random).map(|(_, point)| point).or(Some(point))
}

/// Indexes, in their order: all, or the better half of `most` and the latest of the others.
fn best_and_latest(losses: &[f64], most: usize) -> Vec<usize> {
    let mut indexes: Vec<usize> = (0..losses.len()).collect();
    if indexes.len() <= most {
        return indexes;
    }
    indexes.sort_by(|a, b| losses[*a].total_cmp(&losses[*b]));
    let mut others = indexes.split_off(most / 2);
    others.sort_unstable();
    indexes.extend(others.split_off(others.len() - (most - most / 2)));
    indexes.sort_unstable();
    indexes
}

/// The values with mean 0 and deviation 1, and what they were divided by.
fn standardized(values: &[f64]) -> (Vec<f64>, f64) {
    let count = (values.len() as f64).max(1.0);
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    let scale = if variance > 0.0 && variance.is_finite() { variance.sqrt() } else { 1.0 };
    (values.iter().map(|value| (value - mean) / scale).collect(), scale)
}
