//! What runs hold together, kept up to date from what each of them is: the counts that pipelines must have, the slots
//! of executors, the use of queues.

use std::collections::BTreeMap;

use polyaxon_engine::state::Place;
use polyaxon_model::ids::ExecutorId;
use polyaxon_model::status::Status;

use crate::mirror::Run;

type Runs = BTreeMap<i64, Run>;

/// Children that are prepared, children that queue, working descendants.
pub(crate) type Expected = [i64; 3];

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pipelines: BTreeMap<i64, Expected>,
    slots: BTreeMap<ExecutorId, i64>,
    /// Runs and thousandths of processors.
    queues: BTreeMap<i64, [i64; 2]>,
}

impl Tally {
    pub(crate) fn add(&mut self, runs: &Runs, run: &Run) {
        self.count(runs, run, 1);
    }

    pub(crate) fn take(&mut self, runs: &Runs, run: &Run) {
        self.count(runs, run, -1);
    }

    pub(crate) fn of_pipeline(&self, pipeline: i64) -> Expected {
        self.pipelines.get(&pipeline).copied().unwrap_or_default()
    }

    /// How many runs each executor holds.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (ExecutorId, i64)> {
        self.slots.iter().map(|(executor, held)| (*executor, *held))
    }

    /// How many runs of a queue are held, and thousandths of processors that they ask for.
    pub(crate) fn of_queue(&self, queue: i64) -> [i64; 2] {
        self.queues.get(&queue).copied().unwrap_or_default()
    }

    fn count(&mut self, runs: &Runs, run: &Run, sign: i64) {
        if run.control.is_attempt_live {
            if let Some(executor) = run.executor {
                change(&mut self.slots, executor, |held| *held += sign);
            }
            change(&mut self.queues, run.queue, |[held, used]| {
                *held += sign;
                *used += sign * (run.cpu * 1000.0).round() as i64;
            });
        }
        let Some(parent) = run.pipeline.filter(|_| run.control.place == Place::Child) else { return };
        if run.control.is_held || run.pending.is_some() || run.status.is_done() {
            return;
        }
        if run.kind.is_pipeline() || run.status.is_compilable() || run.status == Status::Compiled {
            return change(&mut self.pipelines, parent, |expected| expected[0] += sign);
        }
        if run.status == Status::Queued {
            change(&mut self.pipelines, parent, |expected| expected[1] += sign);
        }
        let mut around = Some(parent);
        while let Some(id) = around {
            change(&mut self.pipelines, id, |expected| expected[2] += sign);
            around = above(runs, id);
        }
    }
}

/// The dag or matrix around a pipeline.
pub(crate) fn above(runs: &Runs, id: i64) -> Option<i64> {
    runs.get(&id).filter(|run| run.control.place == Place::Child).and_then(|run| run.pipeline)
}

/// Changes a count; one that comes to nothing is forgotten.
fn change<K: Ord + Copy, V: Default + PartialEq>(counts: &mut BTreeMap<K, V>, key: K, change: impl FnOnce(&mut V)) {
    let count = counts.entry(key).or_default();
    change(count);
    if *count == V::default() {
        counts.remove(&key);
    }
}
