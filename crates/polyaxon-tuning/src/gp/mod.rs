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

pub(crate) use acquisition::Acquisition;
use kernel::Feature;
use maximize::{Goal, maximize};
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
    let kept_losses: Vec<f64> = kept.iter().map(|index| losses[*index]).collect();
    let (values, scale) = standardized(&kept_losses);
    let fitted = best_and_latest(&values, MOST_FITTED);
    let fitted_points: Vec<Vec<f64>> = fitted.iter().map(|index| points[*index].clone()).collect();
    let (fitted_values, _) = standardized(&fitted.iter().map(|index| values[*index]).collect::<Vec<f64>>());
    let shape = fit::fit(
        &axes,
        utility.smoothness,
        &fitted_points,
        &fitted_values,
        utility.length_scale,
        utility.restarts,
        random,
    );
    let mut leaders: Vec<usize> = (0..values.len()).collect();
    leaders.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let best = leaders.first().map_or(0.0, |index| values[*index]);
    let leaders: Vec<Vec<f64>> = leaders.into_iter().take(10).map(|index| points[index].clone()).collect();
    let pending: Vec<Vec<f64>> = evidence.pending.iter().map(features).collect();
    let process = Process::new(&axes, utility.smoothness, &shape, points.clone(), &values).and_then(|process| {
        if pending.is_empty() {
            return Some(process);
        }
        let (mut points, mut values) = (points.clone(), values.clone());
        values.extend(process.at_all(&pending).iter().map(|expected| expected.mean));
        points.extend(pending);
        Process::new(&axes, utility.smoothness, &shape, points, &values)
    });
    let suggested = process.and_then(|process| {
        let goal = Goal {
            process: &process,
            rule: utility.acquisition.scaled(scale),
            best,
            axes: &axes,
            warmup: utility.warmup,
            refined: utility.refined,
        };
        maximize(&goal, evidence, &leaders, random)
    });
    suggested.unwrap_or_else(|| evidence.space.sample(random))
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
