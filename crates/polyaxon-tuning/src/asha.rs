//! ASHA: successive halving without waiting. A trial goes on as soon as it is among the best of its rung.

use crate::error::Error;
use crate::hyperband::{Resource, Stage, ranked};
use crate::space::Key;
use crate::trial::{Objective, Trial};

/// Most rungs that a ladder has; 2⁶⁴ of anything is not reached.
const MOST_RUNGS: usize = 64;

/// A ladder of rungs. The rung of a trial is its `bracket_iteration`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asha {
    /// What a trial gets of the resource on each rung.
    amounts: Vec<f64>,
    eta: f64,
    /// How many configurations start.
    runs: u64,
    pub(crate) resource: Resource,
}

impl Asha {
    pub(crate) fn new(least: f64, most: f64, eta: f64, runs: u64, resource: Resource) -> Result<Asha, Error> {
        if !(least > 0.0 && least <= most) {
            return Err(Error::Field {
                field: "minResource",
                found: least.to_string(),
                expected: "more than 0 and not more than `maxIterations`",
            });
        }
        let mut amounts = vec![least];
        let mut amount = least;
        while amount < most && amounts.len() < MOST_RUNGS {
            amount = (amount * eta).min(most);
            amounts.push(amount);
        }
        Ok(Asha { amounts, eta, runs, resource })
    }

    /// What one free slot is used for, given that `space_size` limits how many configurations can start.
    ///
    /// `keys` tell the configurations of the trials apart, without the resource.
    pub(crate) fn next(
        &self,
        trials: &[Trial],
        keys: &[Key],
        objectives: &[Objective],
        space_size: Option<u64>,
    ) -> Next {
        let rungs: Vec<Vec<usize>> = (0..self.amounts.len() as u64)
            .map(|rung| (0..trials.len()).filter(|index| trials[*index].bracket_iteration == rung).collect())
            .collect();
        for rung in (0..self.amounts.len() - 1).rev() {
            if let Some(trial) = self.promotable(trials, keys, objectives, &rungs[rung], &rungs[rung + 1]) {
                return Next::Promote { stage: self.stage(rung + 1), trial };
            }
        }
        let started = rungs[0].len() as u64;
        if started < self.runs.min(space_size.unwrap_or(u64::MAX)) {
            return Next::Start { stage: self.stage(0), number: started };
        }
        if trials.iter().any(|trial| trial.outcome.is_pending()) { Next::Wait } else { Next::End }
    }

    /// The best trial of a rung that is among its best `1 / eta` and is not on the next rung yet.
    fn promotable(
        &self,
        trials: &[Trial],
        keys: &[Key],
        objectives: &[Objective],
        rung: &[usize],
        above: &[usize],
    ) -> Option<usize> {
        let done = rung.iter().filter(|index| !trials[**index].outcome.is_pending()).count();
        let best = (done as f64 / self.eta + 1e-9).floor() as usize;
        // Each trial above stands for one below with the same values.
        let mut gone: Vec<&Key> = above.iter().map(|index| &keys[*index]).collect();
        ranked(trials, rung, objectives).into_iter().take(best).find(|index| {
            match gone.iter().position(|other| **other == keys[*index]) {
                Some(at) => {
                    gone.swap_remove(at);
                    false
                }
                None => true,
            }
        })
    }

    fn stage(&self, rung: usize) -> Stage {
        Stage { iteration: 0, bracket_iteration: rung as u64, runs: 1, resource: self.amounts.get(rung).copied() }
    }

    pub(crate) fn most_trials(&self) -> u64 {
        self.runs.saturating_mul(self.amounts.len() as u64)
    }

    /// The rungs, with as many trials as each would have if promotions waited for all results.
    pub(crate) fn stages(&self) -> Vec<Stage> {
        let mut runs = self.runs;
        (0..self.amounts.len())
            .map(|rung| {
                let stage = Stage { runs, ..self.stage(rung) };
                runs = (runs as f64 / self.eta + 1e-9).floor() as u64;
                stage
            })
            .collect()
    }
}

/// What one free slot is used for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Next {
    /// A new configuration with this number.
    Start {
        stage: Stage,
        number: u64,
    },
    /// The trial with this index goes on.
    Promote {
        stage: Stage,
        trial: usize,
    },
    /// Nothing before a trial ends.
    Wait,
    End,
}
