//! The trials of a search as far as they are known, so that an end of one does not mean to read all of them again.

use std::collections::BTreeSet;

use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_store::pipelines::trials::Trial as Record;
use polyaxon_tuning::{Outcome, Trial};
use serde_json::Value as Json;

/// What was read of the trials of a search.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fresh {
    /// All of them, or only those that are new or were not settled.
    pub(crate) is_whole: bool,
    pub(crate) records: Vec<Record>,
    pub(crate) reopened: u64,
}

/// What need not be read again.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) reopened: u64,
    /// How many trials are known.
    pub(crate) count: u64,
    /// Those of them that can still change.
    pub(crate) open: Vec<RunId>,
}

#[derive(Debug, Default)]
pub(super) struct History {
    reopened: u64,
    trials: Vec<Trial>,
    runs: Vec<RunId>,
    open: BTreeSet<usize>,
}

impl History {
    /// Brings the trials up to date; `metrics` are what they are compared by.
    pub(super) fn take(&mut self, fresh: &Fresh, metrics: &[String]) {
        if fresh.is_whole {
            *self = History::default();
        }
        self.reopened = fresh.reopened;
        for record in &fresh.records {
            let trial = trial(record, metrics);
            // A metric may come after the end.
            let lacks = record.status == Status::Succeeded && !matches!(trial.outcome, Outcome::Succeeded(_));
            let at = usize::try_from(record.position).unwrap_or(usize::MAX).min(self.trials.len());
            if at == self.trials.len() {
                self.trials.push(trial);
                self.runs.push(record.run);
            } else {
                self.trials[at] = trial;
            }
            if record.is_counted && !lacks {
                self.open.remove(&at);
            } else {
                self.open.insert(at);
            }
        }
    }

    pub(super) fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The runs of the trials, in the same order.
    pub(super) fn runs(&self) -> &[RunId] {
        &self.runs
    }

    pub(super) fn known(&self) -> Known {
        let open = self.open.iter().map(|at| self.runs[*at]).collect();
        Known { reopened: self.reopened, count: self.trials.len() as u64, open }
    }
}

/// A child as the search knows it.
pub(super) fn trial(record: &Record, metrics: &[String]) -> Trial {
    let measured: Option<Vec<f64>> =
        metrics.iter().map(|name| record.outputs.as_ref()?.get(name).and_then(Json::as_f64)).collect();
    let outcome = match (record.status, measured) {
        (Status::Succeeded, Some(metrics)) => Outcome::Succeeded(metrics),
        (Status::Stopped, Some(metrics)) => Outcome::Stopped(metrics),
        (status, _) if status.is_done() => Outcome::Failed,
        _ => Outcome::Pending,
    };
    let number = |key: &str| record.meta_info.get(key).and_then(Json::as_u64).unwrap_or(0);
    Trial {
        configuration: record.inputs.clone().unwrap_or_default(),
        outcome,
        iteration: number("iteration"),
        bracket_iteration: number("bracket_iteration"),
    }
}
