//! The part of a run's life that others decide: its pipeline, its children, its schedule.
//!
//! Must not know counts or graphs; [`crate::flow`] makes verdicts of them, which arrive here as events.

use polyaxon_model::condition::{EARLY_STOPPING, StatusCondition};
use polyaxon_model::kinds::{LiveState, ManagedBy, RunKind};
use polyaxon_model::status::Status;

use super::Draft;
use crate::state::{Action, Ending, Force, Place, Verb};
use crate::transition;

impl Draft {
    pub(super) fn released(&mut self) {
        let was_held = std::mem::take(&mut self.run.control.is_held);
        self.run.control.was_released |= was_held;
        if was_held && self.run.pending.is_none() && self.run.status.is_compilable() {
            self.compile();
        }
    }

    /// It is held as the child of a pipeline is, and whoever it listens to releases it.
    pub(super) fn listening(&mut self) {
        self.run.control.is_compiling = false;
        let waits_for_nothing_else = self.run.control.place == Place::Independent;
        if waits_for_nothing_else && self.run.status.is_compilable() && !self.run.control.was_released {
            self.run.control.is_held = true;
            self.run.updated_at = self.now.max(self.run.updated_at);
        }
    }

    pub(super) fn enqueued(&mut self) {
        let is_ready = self.run.status == Status::Compiled && self.run.pending.is_none();
        if is_ready && self.run.managed_by == ManagedBy::Agent && !self.run.kind.is_pipeline() {
            self.enter(Status::Queued, "AgentController", "Run is queued");
        }
    }

    pub(super) fn expanded(&mut self) {
        if self.run.status == Status::Compiled && self.run.managed_by == ManagedBy::Agent {
            let is_schedule = self.run.kind == RunKind::Schedule;
            let reason = if is_schedule { "SchedulerStart" } else { "SchedulerPipeline" };
            self.enter(Status::Running, reason, "Pipeline is running");
        }
    }

    pub(super) fn expansion_failed(&mut self, message: &str) {
        self.enter(Status::Failed, "SchedulerPrepare", format!("Failed to compile.\n{message}"));
    }

    /// The end of a pipeline that is being stopped was chosen when that began.
    pub(super) fn concluded(&mut self, ending: &Ending) {
        let chosen = self.run.control.ending.take().filter(|_| self.run.status == Status::Stopping);
        let Ending { status, reason, message } = chosen.unwrap_or_else(|| ending.clone());
        self.enter(status, &reason, message);
    }

    pub(super) fn stopped_early(&mut self, ending: &Ending) {
        if !self.run.status.is_done_or_stopping() {
            self.run.control.ending = Some(ending.clone());
            self.enter(Status::Stopping, "SchedulerEarlyStopping", ending.message.clone());
            self.cascade(Verb::Stop);
        }
    }

    /// The end says why as well: it is what lists and tuners see.
    pub(super) fn pruned(&mut self, message: &str) {
        if !self.run.status.is_done_or_stopping() {
            let reason = EARLY_STOPPING.to_owned();
            self.run.control.ending = Some(Ending { status: Status::Stopped, reason, message: message.to_owned() });
            self.stop(EARLY_STOPPING, message);
        }
    }

    pub(super) fn reopened(&mut self) {
        if self.run.status.is_done() && self.run.kind.is_pipeline() && self.run.live_state != LiveState::Deleting {
            self.run.control.life += 1;
            self.run.pending = None;
            transition::reopen(&mut self.run);
            let running = StatusCondition::new(Status::Running, "ResumeManager", "An operation is resuming", self.now);
            self.history.extend(transition::enter(&mut self.run, running, Force::Yes, self.now));
        }
    }

    pub(super) fn reset(&mut self) {
        if self.run.status.is_done() && self.run.live_state != LiveState::Deleting {
            self.begin_life("ResumeManager", "The pipeline is resuming, the operation waits for its turn");
            self.run.control.is_held = true;
        }
    }

    pub(super) fn posted_on_pipeline(&mut self) {
        if self.run.status.is_done_or_stopping() {
            self.cascade(Verb::Stop);
        }
    }

    pub(super) fn tick_due(&mut self) {
        self.enter(Status::OnSchedule, "AgentSchedules", "The time of the run has come");
        self.actions.push(Action::Tick);
    }

    pub(super) fn cascade(&mut self, verb: Verb) {
        if self.run.kind.is_pipeline() {
            self.actions.push(Action::Cascade { verb });
        }
    }
}
