//! What was acknowledged, and must be found again whatever is killed (4).

use std::collections::{BTreeMap, BTreeSet};

use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::LiveState;

use crate::mirror::Mirror;

#[derive(Debug, Default)]
pub(crate) struct Promises {
    /// Since the last look.
    created: BTreeSet<RunId>,
    deleted: BTreeSet<RunId>,
    /// Runs that are to end, and in which of their lives.
    stopped: BTreeMap<RunId, u32>,
}

impl Promises {
    /// Something was done to a run, and whoever did it was told so.
    pub(crate) fn note(&mut self, mirror: &Mirror, what: &str, run: RunId) {
        match what {
            "submission" | "restart" | "copy" => drop(self.created.insert(run)),
            "delete" => drop(self.deleted.insert(run)),
            "stop" => {
                let life = mirror.run(run).map_or(0, |run| run.control.life);
                self.stopped.insert(run, life);
            }
            _ => {}
        }
    }

    pub(crate) fn check(&mut self, mirror: &Mirror) -> Result<(), String> {
        // How a record may go later is checked when it goes.
        if let Some(run) = std::mem::take(&mut self.created).into_iter().find(|run| mirror.run(*run).is_none()) {
            return Err(format!("run {run} was created and is not there"));
        }
        let is_there = |run: &RunId| mirror.run(*run).is_some_and(|run| run.live_state != LiveState::Deleting);
        if let Some(run) = self.deleted.iter().find(|run| is_there(run)) {
            return Err(format!("run {run} was deleted and is there"));
        }
        for (run, life) in &self.stopped {
            let goes_on = |run: &&crate::mirror::Run| run.control.life == *life && !run.status.is_done_or_stopping();
            if let Some(run) = mirror.run(*run).filter(goes_on) {
                return Err(format!("run {} was stopped and is {}", run.uuid, run.status));
            }
        }
        Ok(())
    }
}
