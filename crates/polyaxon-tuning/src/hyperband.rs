//! Hyperband: brackets of successive halving, from many short runs to few long ones.
//!
//! Stages follow each other strictly; the table is the formula of Li et al. 2018, with whole powers instead of
//! logarithms, whose rounding loses a bracket at 243 = 3⁵.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::trial::{Objective, Outcome, Stopped, Trial};

/// A table of brackets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hyperband {
    /// What one run gets at most of the resource.
    pub(crate) most: u64,
    pub(crate) eta: f64,
    pub(crate) resource: Resource,
}

/// The input that later stages get more of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) name: String,
    pub(crate) is_whole: bool,
}

impl Resource {
    pub(crate) fn value(&self, amount: f64) -> Json {
        // A whole amount that arithmetic left a little short of it must not lose one.
        if self.is_whole { Json::from((amount + 1e-9).floor().max(1.0) as i64) } else { Json::from(amount) }
    }
}

/// One stage of a bracket, or one round of another search.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub iteration: u64,
    pub bracket_iteration: u64,
    /// How many runs it has.
    pub runs: u64,
    /// What each run gets of the resource, in hyperband.
    pub resource: Option<f64>,
}

impl Hyperband {
    /// The number of the first bracket: the largest power of `eta` that is not above `most`.
    pub(crate) fn largest_bracket(&self) -> u32 {
        let mut power = self.eta;
        let mut bracket = 0;
        while power <= self.most as f64 && bracket < 64 {
            power *= self.eta;
            bracket += 1;
        }
        bracket
    }

    pub(crate) fn stages(&self) -> Vec<Stage> {
        let largest = self.largest_bracket();
        (0..=largest).flat_map(|iteration| self.bracket(iteration, largest)).collect()
    }

    fn bracket(&self, iteration: u32, largest: u32) -> impl Iterator<Item = Stage> + use<'_> {
        let bracket = largest - iteration;
        let power = |exponent: u32| (0..exponent).fold(1.0, |power, _| power * self.eta);
        let configurations = (f64::from(largest + 1) * power(bracket) / f64::from(bracket + 1) - 1e-9).ceil();
        (0..=bracket).map(move |stage| Stage {
            iteration: u64::from(iteration),
            bracket_iteration: u64::from(stage),
            runs: (configurations / power(stage) + 1e-9).floor().max(1.0) as u64,
            resource: Some(self.most as f64 * power(stage) / power(bracket)),
        })
    }
}

/// What a search in stages does next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Next {
    /// New configurations in this stage, numbered from `first`.
    Start {
        stage: Stage,
        first: u64,
        count: u64,
    },
    /// The trials with these indexes go on in this stage.
    Promote {
        stage: Stage,
        trials: Vec<usize>,
    },
    /// Nothing before a trial ends.
    Wait,
    End,
}

/// The first stage that is not complete. `space_size` limits how many new configurations there can be.
pub(crate) fn next(
    stages: &[Stage],
    trials: &[Trial],
    objectives: &[Objective],
    space_size: Option<u64>,
    slots: u64,
) -> Next {
    let mut by_stage: BTreeMap<(u64, u64), Vec<usize>> = BTreeMap::new();
    for (index, trial) in trials.iter().enumerate() {
        by_stage.entry((trial.iteration, trial.bracket_iteration)).or_default().push(index);
    }
    let none = Vec::new();
    for stage in stages {
        let created = by_stage.get(&(stage.iteration, stage.bracket_iteration)).unwrap_or(&none);
        let done = created.len() as u64;
        let before = (stage.iteration, stage.bracket_iteration.wrapping_sub(1));
        let survivors = by_stage.get(&before).map(|before| ranked(trials, before, objectives)).unwrap_or_default();
        let wanted = if stage.bracket_iteration == 0 {
            stage.runs.min(space_size.unwrap_or(u64::MAX))
        } else {
            stage.runs.min(survivors.len() as u64)
        };
        if done < wanted {
            let count = slots.min(wanted - done);
            return match (count, stage.bracket_iteration) {
                (0, _) => Next::Wait,
                (_, 0) => Next::Start { stage: stage.clone(), first: done, count },
                _ => {
                    let survivors = survivors.into_iter().skip(done as usize).take(count as usize);
                    Next::Promote { stage: stage.clone(), trials: survivors.collect() }
                }
            };
        }
        if created.iter().any(|index| trials[*index].outcome.is_pending()) {
            return Next::Wait;
        }
    }
    Next::End
}

/// The trials that succeeded, best first; equal ones in the order of their creation.
pub(crate) fn ranked(trials: &[Trial], among: &[usize], objectives: &[Objective]) -> Vec<usize> {
    let loss =
        |outcome: &Outcome| outcome.losses(objectives, Stopped::IsLeftOut).and_then(|losses| losses.first().copied());
    let mut ranked: Vec<(usize, f64)> =
        among.iter().filter_map(|index| Some((*index, loss(&trials[*index].outcome)?))).collect();
    ranked.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    ranked.into_iter().map(|(index, _)| index).collect()
}
