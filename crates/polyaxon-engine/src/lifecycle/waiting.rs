//! What admission decides about a run that waits for a slot.
//!
//! Must not know queues; [`crate::admission`] makes verdicts of them, which arrive here as events.

use polyaxon_model::status::Status;

use super::Draft;
use crate::state::Action;

impl Draft {
    pub(super) fn admitted(&mut self) {
        let ready = self.run.status == Status::Queued && self.run.pending.is_none();
        if !ready || self.run.control.is_attempt_live {
            return;
        }
        self.run.control.attempt += 1;
        self.run.control.is_attempt_live = true;
        self.enter_attempt(Status::Scheduled, "AgentController", "Operation is scheduled");
        self.actions.push(Action::Launch { attempt: self.run.control.attempt });
    }

    pub(super) fn unschedulable(&mut self, message: &str) {
        let waits = self.run.status == Status::Queued && self.run.pending.is_none();
        if waits && !self.run.control.is_attempt_live {
            self.enter(Status::Unschedulable, "AgentController", message);
        }
    }

    pub(super) fn reconsidered(&mut self) {
        if self.run.status == Status::Unschedulable && !self.run.control.is_attempt_live {
            self.enter(Status::Queued, "AgentController", "Run is queued");
        }
    }
}
