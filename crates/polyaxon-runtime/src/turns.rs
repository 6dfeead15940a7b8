//! Work of pipelines waits for its turn: there may be thousands of actions, and together they would keep those from the
//! processors and the store for whom somebody waits. What piles up meanwhile is performed together.
//!
//! Must not know how actions are performed.

use std::collections::VecDeque;

use polyaxon_engine::state::Action;
use polyaxon_store::actions::OpenAction;

use crate::actions::{Due, LARGEST_GROUP};

#[derive(Debug)]
pub(crate) struct Turns {
    /// How many groups may be performed at once.
    width: usize,
    going: usize,
    compilations: VecDeque<Due>,
    reactions: VecDeque<Due>,
}

/// Whether an action waits for its turn.
pub(crate) fn is_patient(action: &OpenAction) -> bool {
    action.is_of_pipeline && matches!(action.action, Action::Compile | Action::React { .. })
}

impl Turns {
    pub(crate) fn new(width: usize) -> Turns {
        Turns { width, going: 0, compilations: VecDeque::new(), reactions: VecDeque::new() }
    }

    pub(crate) fn add(&mut self, due: Due) {
        match due.action.action {
            Action::React { .. } => self.reactions.push_back(due),
            _ => self.compilations.push_back(due),
        }
    }

    /// The next group, the oldest work first. [`Turns::ended`] must follow its end.
    pub(crate) fn next(&mut self) -> Option<Vec<Due>> {
        if self.going >= self.width {
            return None;
        }
        let first = |queue: &VecDeque<Due>| queue.front().map(|due| due.action.id);
        let queue = match (first(&self.compilations), first(&self.reactions)) {
            (Some(compilation), Some(reaction)) if compilation < reaction => &mut self.compilations,
            (_, Some(_)) => &mut self.reactions,
            (Some(_), None) => &mut self.compilations,
            (None, None) => return None,
        };
        self.going += 1;
        // What is left is for those that can begin now as well.
        let size = queue.len().div_ceil(self.width - self.going + 1).min(LARGEST_GROUP);
        Some(queue.drain(..size).collect())
    }

    pub(crate) fn ended(&mut self) {
        self.going = self.going.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polyaxon_model::ids::RunId;
    use polyaxon_model::time::Timestamp;
    use uuid::Uuid;

    fn due(id: i64, action: Action) -> Due {
        let run = RunId::new(Uuid::from_u128(id.unsigned_abs().into()));
        let created_at = Timestamp::from_micros(id);
        Due { action: OpenAction { id, run, seq: 1, action, created_at, is_of_pipeline: true }, at: None }
    }

    fn next(turns: &mut Turns) -> Vec<i64> {
        turns.next().into_iter().flatten().map(|due| due.action.id).collect()
    }

    #[test]
    fn the_oldest_work_is_next_and_no_more_goes_on_than_may() {
        let mut turns = Turns::new(2);
        for id in [1, 2, 5] {
            turns.add(due(id, Action::Compile));
        }
        for id in [3, 4] {
            turns.add(due(id, Action::React { life: 0 }));
        }
        assert_eq!(next(&mut turns), [1, 2], "shared with another worker");
        assert_eq!(next(&mut turns), [3, 4]);
        assert_eq!(next(&mut turns), [0; 0], "both workers are busy");
        turns.ended();
        assert_eq!(next(&mut turns), [5]);
        turns.ended();
        turns.ended();
        assert_eq!(next(&mut turns), [0; 0]);
    }

    #[test]
    fn what_piled_up_is_done_together() {
        let mut turns = Turns::new(1);
        for id in 0..200 {
            turns.add(due(id, Action::Compile));
        }
        assert_eq!(next(&mut turns).len(), LARGEST_GROUP);
    }
}
