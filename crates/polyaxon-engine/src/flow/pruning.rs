//! Which running trials are stopped because others do better: the policies of `earlyStopping` that look at metrics over
//! time.
//!
//! A trial is judged at its latest checkpoint: the largest multiple of the interval that it has passed. Of a trial only
//! its [`Mark`]s are kept, one for each checkpoint at which something was new, so that a value that comes in costs the
//! same however many came before. Values are such that more is better; what users see is turned back.

use serde_json::Value as Json;

/// A policy that stops single runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Pruning {
    pub metric: String,
    is_maximized: bool,
    /// How far checkpoints are from each other.
    interval: u64,
    /// No run is judged before this step.
    first: u64,
    /// No run is judged when fewer others reached its checkpoint.
    samples: u64,
    rule: Rule,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    /// Its best is worse than the median of the means of the others.
    Median,
    /// Its best is among the worst share.
    Truncation { percent: f64, with_succeeded: bool },
    /// Its best is worse than the best of the others by a share of that.
    Difference { percent: f64 },
}

/// How far the metric of a trial was followed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Track {
    /// Values that came, with those that are no numbers.
    pub taken: u64,
    /// The step of the last number.
    pub last: Option<u64>,
    pub best: f64,
    pub total: f64,
    /// How many numbers `total` is made of.
    pub count: u64,
}

/// A trial at a checkpoint: what it reported until then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    pub step: u64,
    pub best: f64,
    pub mean: f64,
}

/// Another trial that reached the checkpoint of the one that is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Other {
    pub best: f64,
    pub mean: f64,
    pub standing: Standing,
}

/// How a trial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It runs, or was pruned: whoever judges a checkpoint again must find the same share to be the worst.
    Running,
    Succeeded,
    /// It ended in another way; what it reported until then still compares.
    Ended,
}

/// The numbers that explain why a trial is stopped, as the user knows them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    pub step: u64,
    /// Its own best until then.
    pub own: f64,
    /// What it had to reach.
    pub threshold: f64,
}

impl Pruning {
    /// Reads a resolved `metric_early_stopping` that has a policy.
    pub(super) fn read(entry: &Json, metric: &str, is_maximized: bool) -> Option<Pruning> {
        let policy = entry.get("policy")?;
        let count = |field: &str| policy.get(field).and_then(Json::as_f64).map(|count| count.max(0.0) as u64);
        let percent = || policy.get("percent").and_then(Json::as_f64);
        let rule = match policy.get("kind")?.as_str()? {
            "median" => Rule::Median,
            "truncation" => Rule::Truncation {
                percent: percent()?,
                with_succeeded: policy.get("includeSucceeded").and_then(Json::as_bool) == Some(true),
            },
            "diff" => Rule::Difference { percent: percent()? },
            _ => return None,
        };
        Some(Pruning {
            metric: metric.to_owned(),
            is_maximized,
            interval: count("evaluationInterval").unwrap_or(1).max(1),
            first: count("minInterval").unwrap_or(0),
            samples: count("minSamples").unwrap_or(1),
            rule,
        })
    }

    /// The word of the document for the rule.
    pub fn policy(&self) -> &'static str {
        match self.rule {
            Rule::Median => "median",
            Rule::Truncation { .. } => "truncation",
            Rule::Difference { .. } => "diff",
        }
    }

    fn sign(&self) -> f64 {
        if self.is_maximized { 1.0 } else { -1.0 }
    }

    /// Takes in the next value of a trial, and tells what is to be kept of it. A value without a step counts as the step
    /// of its number. One whose step goes back was reported before, by an attempt that failed.
    pub fn take(&self, track: &mut Track, step: Option<i64>, value: f64) -> Option<Mark> {
        track.taken += 1;
        let step = step.map_or(track.taken, |step| u64::try_from(step).unwrap_or(0));
        if !value.is_finite() || track.last.is_some_and(|last| step < last) {
            return None;
        }
        let value = value * self.sign();
        track.best = if track.count == 0 { value } else { track.best.max(value) };
        track.total += value;
        track.count += 1;
        track.last = Some(step);
        let step = step.div_ceil(self.interval).saturating_mul(self.interval);
        Some(Mark { step, best: track.best, mean: track.total / track.count as f64 })
    }

    /// Where a trial is judged that has come to a step.
    pub fn checkpoint(&self, last: u64) -> Option<u64> {
        let step = last - last % self.interval;
        (step >= self.first).then_some(step)
    }

    /// Whether a running trial is stopped at a checkpoint; `own` is its best until then.
    pub fn judge(&self, step: u64, own: f64, others: &[Other]) -> Option<Verdict> {
        let threshold = self.threshold(own, others)?;
        let sign = self.sign();
        (own < threshold).then_some(Verdict { step, own: own * sign, threshold: threshold * sign })
    }

    /// What a trial must not be below; none when there is too little to compare with.
    fn threshold(&self, own: f64, others: &[Other]) -> Option<f64> {
        let is_compared = |other: &&Other| match (self.rule, other.standing) {
            (Rule::Truncation { with_succeeded, .. }, Standing::Succeeded) => with_succeeded,
            (Rule::Truncation { .. }, Standing::Ended) => false,
            _ => true,
        };
        let compared: Vec<&Other> = others.iter().filter(is_compared).collect();
        if (compared.len() as u64) < self.samples {
            return None;
        }
        let bests = compared.iter().map(|other| other.best);
        match self.rule {
            Rule::Median => median(compared.iter().map(|other| other.mean).collect()),
            Rule::Truncation { percent, .. } => {
                let mut all: Vec<f64> = bests.chain([own]).collect();
                all.sort_by(f64::total_cmp);
                // The first that is not among the worst share; equal ones stay.
                let worst = (percent / 100.0 * all.len() as f64).floor() as usize;
                all.get(worst.min(all.len() - 1)).copied().filter(|_| worst > 0)
            }
            Rule::Difference { percent } => {
                let leader = bests.max_by(f64::total_cmp)?;
                Some(leader - leader.abs() * percent / 100.0)
            }
        }
    }

    /// The verdict as a sentence.
    pub fn sentence(&self, verdict: &Verdict) -> String {
        let Verdict { step, own, threshold } = verdict;
        let (policy, metric) = (self.policy(), &self.metric);
        format!("At step {step} the best `{metric}` of the run was {own}; the policy `{policy}` asks for {threshold}.")
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
    use serde_json::json;

    use super::*;

    /// A trial and the points of its curve.
    type Seen = (Standing, Vec<(Option<i64>, f64)>);

    type Curve = (Standing, &'static [f64]);

    const CURVES: &[Curve] = &[
        (Standing::Running, &[0.1, 0.2, 0.3, 0.4]),
        (Standing::Running, &[0.5, 0.6, 0.7, 0.8]),
        (Standing::Running, &[0.4, 0.5, 0.6]),
        (Standing::Succeeded, &[0.6, 0.7, 0.8, 0.9]),
        (Standing::Ended, &[0.05]),
        (Standing::Running, &[]),
    ];

    fn read(policy: &Json) -> Pruning {
        Pruning::read(&json!({ "policy": policy }), "acc", true).unwrap()
    }

    /// The trials that are stopped, and why.
    fn stopped(pruning: &Pruning, curves: &[Seen]) -> Vec<(usize, Verdict)> {
        let followed: Vec<(Standing, Track, Vec<Mark>)> = curves
            .iter()
            .map(|(standing, values)| {
                let mut track = Track::default();
                let marks = values.iter().filter_map(|(step, value)| pruning.take(&mut track, *step, *value)).collect();
                (*standing, track, marks)
            })
            .collect();
        let at = |trial: usize, step: u64| {
            let (_, track, marks) = &followed[trial];
            marks.iter().rev().find(|mark| mark.step <= step).filter(|_| track.last.is_some_and(|last| last >= step))
        };
        let running = (0..followed.len()).filter(|trial| followed[*trial].0 == Standing::Running);
        running
            .filter_map(|trial| {
                let step = pruning.checkpoint(followed[trial].1.last?)?;
                let others = (0..followed.len()).filter(|other| *other != trial);
                let others: Vec<Other> = others
                    .filter_map(|other| {
                        let mark = at(other, step)?;
                        Some(Other { best: mark.best, mean: mark.mean, standing: followed[other].0 })
                    })
                    .collect();
                Some((trial, pruning.judge(step, at(trial, step)?.best, &others)?))
            })
            .collect()
    }

    fn by_ordinal(curves: &[Curve], of: impl Fn(f64) -> f64) -> Vec<Seen> {
        let values = |values: &[f64]| values.iter().map(|value| (None, of(*value))).collect();
        curves.iter().map(|(standing, curve)| (*standing, values(curve))).collect()
    }

    fn check(policy: &Json) -> Vec<usize> {
        stopped(&read(policy), &by_ordinal(CURVES, |value| value)).into_iter().map(|(trial, _)| trial).collect()
    }

    #[test]
    fn the_median_stops_what_is_worse_than_most() {
        let policy = json!({ "kind": "median" });
        // At step 4 only two others have values: means 0.65 and 0.75.
        let expected = [(0, Verdict { step: 4, own: 0.4, threshold: 0.7 })];
        assert_eq!(stopped(&read(&policy), &by_ordinal(CURVES, |value| value)), expected);
        let sentence = "At step 4 the best `acc` of the run was 0.4; the policy `median` asks for 0.7.";
        assert_eq!(read(&policy).sentence(&expected[0].1), sentence);
    }

    #[test]
    fn checkpoints_and_samples_are_waited_for() {
        for (interval, first, samples, expected) in
            [(1, 5, 1, vec![]), (1, 4, 1, vec![0]), (1, 0, 3, vec![]), (2, 0, 3, vec![2]), (3, 0, 3, vec![0])]
        {
            let policy = json!({ "kind": "median", "evaluationInterval": interval, "minInterval": first,
                "minSamples": samples });
            assert_eq!(check(&policy), expected, "{policy}");
        }
    }

    #[test]
    fn truncation_stops_the_worst_share() {
        let policy = |percent: f64, with_succeeded: bool| {
            json!({ "kind": "truncation", "evaluationInterval": 3, "percent": percent,
                "includeSucceeded": with_succeeded })
        };
        assert_eq!(check(&policy(34.0, false)), [0]);
        assert_eq!(check(&policy(30.0, false)), [] as [usize; 0]);
        assert_eq!(check(&policy(30.0, true)), [0]);
        assert_eq!(check(&policy(67.0, false)), [0, 2]);
    }

    #[test]
    fn the_difference_is_a_share_of_the_best() {
        let policy = |percent: f64| json!({ "kind": "diff", "evaluationInterval": 3, "percent": percent });
        assert_eq!(check(&policy(20.0)), [0, 2]);
        assert_eq!(check(&policy(50.0)), [0]);
    }

    #[test]
    fn small_metrics_can_be_the_good_ones() {
        let pruning = Pruning::read(&json!({ "policy": { "kind": "median" } }), "loss", false).unwrap();
        let found = stopped(&pruning, &by_ordinal(CURVES, |value| 1.0 - value));
        assert_eq!(found.len(), 1);
        let Verdict { own, threshold, .. } = found[0].1;
        assert!((own - 0.6).abs() < 1e-12 && (threshold - 0.3).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn steps_that_are_left_out_or_go_back_do_not_matter() {
        let pruning = read(&json!({ "kind": "median", "evaluationInterval": 10 }));
        let mut track = Track::default();
        let mut take = |step, value| pruning.take(&mut track, Some(step), value);
        assert_eq!(take(0, 0.5), Some(Mark { step: 0, best: 0.5, mean: 0.5 }));
        assert_eq!(take(7, f64::NAN), None);
        assert_eq!(take(7, 0.7), Some(Mark { step: 10, best: 0.7, mean: 0.6 }));
        assert_eq!(take(3, 9.0), None);
        assert_eq!(take(1_000_000, 0.3), Some(Mark { step: 1_000_000, best: 0.7, mean: 0.5 }));
        assert_eq!((track.taken, pruning.checkpoint(19)), (5, Some(10)));
    }
}
