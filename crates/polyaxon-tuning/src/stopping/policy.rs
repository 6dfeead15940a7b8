//! Policies that compare running trials by their metrics over time.
//!
//! A trial is judged at its latest checkpoint: the largest multiple of the interval that it has passed. Judging again
//! with the same series gives the same, so it may be done as often as something changes.

pub use crate::trial::Goal;

/// Which running trials are stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Policy {
    /// Those whose best is worse than the median of the means of the others.
    Median { interval: u64, first: u64, samples: u64 },
    /// The worst share.
    Truncation { interval: u64, first: u64, samples: u64, percent: f64, with_succeeded: bool },
    /// Those that are worse than the best by a share of it.
    Difference { interval: u64, first: u64, samples: u64, percent: f64 },
}

/// How a trial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Running,
    Succeeded,
    /// It ended in another way; what it reported until then still compares.
    Ended,
}

/// The metric of one trial over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// (step, value) in the order they came. Where steps were not reported, they are the ordinals.
    pub series: Vec<(u64, f64)>,
    pub standing: Standing,
}

/// A trial that a policy stops, and the numbers that explain why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop {
    /// Its index among the tracks.
    pub trial: usize,
    /// The checkpoint.
    pub step: u64,
    /// Its own best metric until then.
    pub own: f64,
    /// What it had to reach.
    pub threshold: f64,
}

/// The running trials that a policy stops now.
pub fn stopped(policy: Policy, goal: Goal, tracks: &[Track]) -> Vec<Stop> {
    let sign = match goal {
        Goal::Maximize => 1.0,
        Goal::Minimize => -1.0,
    };
    let running = (0..tracks.len()).filter(|trial| tracks[*trial].standing == Standing::Running);
    running
        .filter_map(|trial| {
            let step = checkpoint(policy, &tracks[trial])?;
            let own = best(&tracks[trial], step, sign)?;
            let threshold = threshold(policy, sign, tracks, trial, step)?;
            (own < threshold).then_some(Stop { trial, step, own: own * sign, threshold: threshold * sign })
        })
        .collect()
}

fn checkpoint(policy: Policy, track: &Track) -> Option<u64> {
    let (Policy::Median { interval, first, .. }
    | Policy::Truncation { interval, first, .. }
    | Policy::Difference { interval, first, .. }) = policy;
    let latest = last_step(track)?;
    let step = latest - latest % interval.max(1);
    (step >= first).then_some(step)
}

fn last_step(track: &Track) -> Option<u64> {
    track.series.iter().map(|(step, _)| *step).max()
}

/// Values until a step, such that more is better.
fn until(track: &Track, step: u64, sign: f64) -> impl Iterator<Item = f64> {
    track.series.iter().filter(move |(at, value)| *at <= step && !value.is_nan()).map(move |(_, value)| value * sign)
}

fn best(track: &Track, step: u64, sign: f64) -> Option<f64> {
    until(track, step, sign).max_by(f64::total_cmp)
}

fn mean(track: &Track, step: u64, sign: f64) -> Option<f64> {
    let values: Vec<f64> = until(track, step, sign).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// What a trial must not be below at a checkpoint; `None` when there is too little to compare with.
fn threshold(policy: Policy, sign: f64, tracks: &[Track], trial: usize, step: u64) -> Option<f64> {
    let others = || {
        let others = tracks.iter().enumerate().filter(move |(other, _)| *other != trial);
        others.map(|(_, track)| track).filter(move |track| last_step(track).is_some_and(|last| last >= step))
    };
    match policy {
        Policy::Median { samples, .. } => {
            let means: Vec<f64> = others().filter_map(|track| mean(track, step, sign)).collect();
            (means.len() as u64 >= samples).then(|| median(means)).flatten()
        }
        Policy::Truncation { samples, percent, with_succeeded, .. } => {
            let is_compared = |track: &&Track| match track.standing {
                Standing::Running => true,
                Standing::Succeeded => with_succeeded,
                Standing::Ended => false,
            };
            let mut all: Vec<f64> = others().filter(is_compared).filter_map(|track| best(track, step, sign)).collect();
            if (all.len() as u64) < samples {
                return None;
            }
            all.push(best(&tracks[trial], step, sign)?);
            all.sort_by(f64::total_cmp);
            // The first that is not among the worst share; equal ones stay.
            let worst = (percent / 100.0 * all.len() as f64).floor() as usize;
            all.get(worst.min(all.len() - 1)).copied().filter(|_| worst > 0)
        }
        Policy::Difference { samples, percent, .. } => {
            let bests: Vec<f64> = others().filter_map(|track| best(track, step, sign)).collect();
            if (bests.len() as u64) < samples {
                return None;
            }
            let leader = bests.into_iter().max_by(f64::total_cmp)?;
            Some(leader - leader.abs() * percent / 100.0)
        }
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(standing: Standing, values: &[f64]) -> Track {
        Track { series: values.iter().enumerate().map(|(at, value)| (at as u64 + 1, *value)).collect(), standing }
    }

    /// The indexes of the trials that are stopped.
    fn check(policy: Policy, goal: Goal, tracks: &[Track]) -> Vec<usize> {
        stopped(policy, goal, tracks).into_iter().map(|stop| stop.trial).collect()
    }

    fn curves() -> Vec<Track> {
        vec![
            track(Standing::Running, &[0.1, 0.2, 0.3, 0.4]),
            track(Standing::Running, &[0.5, 0.6, 0.7, 0.8]),
            track(Standing::Running, &[0.4, 0.5, 0.6]),
            track(Standing::Succeeded, &[0.6, 0.7, 0.8, 0.9]),
            track(Standing::Ended, &[0.05]),
            track(Standing::Running, &[]),
        ]
    }

    #[test]
    fn the_median_stops_what_is_worse_than_most() {
        let policy = Policy::Median { interval: 1, first: 0, samples: 1 };
        assert_eq!(check(policy, Goal::Maximize, &curves()), [0]);
        let found = stopped(policy, Goal::Maximize, &curves());
        // At step 4 only two others have values: means 0.65 and 0.75.
        assert_eq!(found[0], Stop { trial: 0, step: 4, own: 0.4, threshold: 0.7 });
    }

    #[test]
    fn checkpoints_and_samples_are_waited_for() {
        for (policy, expected) in [
            (Policy::Median { interval: 1, first: 5, samples: 1 }, vec![]),
            (Policy::Median { interval: 1, first: 4, samples: 1 }, vec![0]),
            (Policy::Median { interval: 1, first: 0, samples: 3 }, vec![]),
            (Policy::Median { interval: 2, first: 0, samples: 3 }, vec![2]),
            (Policy::Median { interval: 3, first: 0, samples: 3 }, vec![0]),
        ] {
            assert_eq!(check(policy, Goal::Maximize, &curves()), expected, "{policy:?}");
        }
    }

    #[test]
    fn truncation_stops_the_worst_share() {
        let policy =
            |percent, with_succeeded| Policy::Truncation { interval: 3, first: 0, samples: 1, percent, with_succeeded };
        assert_eq!(check(policy(34.0, false), Goal::Maximize, &curves()), [0]);
        assert_eq!(check(policy(30.0, false), Goal::Maximize, &curves()), [] as [usize; 0]);
        assert_eq!(check(policy(30.0, true), Goal::Maximize, &curves()), [0]);
        assert_eq!(check(policy(67.0, false), Goal::Maximize, &curves()), [0, 2]);
    }

    #[test]
    fn the_difference_is_a_share_of_the_best() {
        let policy = |percent| Policy::Difference { interval: 3, first: 0, samples: 1, percent };
        assert_eq!(check(policy(20.0), Goal::Maximize, &curves()), [0, 2]);
        assert_eq!(check(policy(50.0), Goal::Maximize, &curves()), [0]);
    }

    #[test]
    fn small_metrics_can_be_the_good_ones() {
        let mirrored: Vec<Track> = curves()
            .into_iter()
            .map(|track| Track {
                series: track.series.iter().map(|(step, value)| (*step, 1.0 - value)).collect(),
                ..track
            })
            .collect();
        let policy = Policy::Median { interval: 1, first: 0, samples: 1 };
        let found = stopped(policy, Goal::Minimize, &mirrored);
        assert_eq!(found.len(), 1);
        assert!((found[0].own - 0.6).abs() < 1e-12 && (found[0].threshold - 0.3).abs() < 1e-12, "{found:?}");
    }
}
