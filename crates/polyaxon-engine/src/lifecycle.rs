//! Life of one run: which status follows which event, and what must be done about it.
//!
//! Invariants:
//! * a final status is left only by a resume or a forced post;
//! * every run that has not ended has a compilation, a queue entry, an attempt, a timer, a pipeline around it, children,
//!   a run that it listens to, or somebody outside (a gate, a tracking client, a command line executor, an agent) to move it on;
//! * an attempt number is launched once, and at most one attempt of a run is live;
//! * a run that waits for a time has its `Wake` outstanding; one that fires early is followed by another.

mod build;
mod cache;
mod pipeline;
mod waiting;

use std::time::Duration;

use polyaxon_model::JsonMap;
use polyaxon_model::backoff::Backoff;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::kinds::{LiveState, ManagedBy, Pending};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use crate::state::{
    Action, Birth, Compiled, Control, Decision, Ending, Event, Exit, Force, HistoryChange, Loss, Phase, Place,
    RunState, Verb,
};
use crate::timer::{self, Timer};
use crate::transition;

/// How long the folder of a deleted run stays, so that readers can finish.
pub const DELETE_DELAY: Duration = Duration::from_secs(80);

/// The reason of a failure that is only inferred from silence.
const HEARTBEAT_LOST: &str = "HeartbeatLost";

/// Decides how a run begins: its first condition, its gate, and whether it is compiled at once.
pub fn begin(birth: &Birth, now: Timestamp) -> Decision {
    let pending = match birth.pending {
        None if birth.requires_approval && birth.managed_by.is_managed() => Some(Pending::Approval),
        pending => pending,
    };
    let run = RunState {
        kind: birth.kind,
        managed_by: birth.managed_by,
        status: Status::Created,
        pending,
        live_state: LiveState::Live,
        last_condition: None,
        created_at: now,
        updated_at: now,
        beat_at: None,
        started_at: None,
        finished_at: None,
        wait_time: None,
        duration: None,
        control: Control {
            requires_approval: birth.requires_approval,
            place: birth.place,
            is_held: birth.is_held(),
            ..Control::default()
        },
    };
    let mut draft = Draft { run, history: Vec::new(), actions: Vec::new(), now };
    let reason = if birth.managed_by.is_managed() { "OperationServiceInit" } else { "ModelManager" };
    let created = StatusCondition::new(Status::Created, reason, "Run is created", now);
    draft.history.push(transition::record(&mut draft.run, created, now));
    let is_compiled_at_once = birth.place == Place::Independent && matches!(pending, None | Some(Pending::Upload));
    if is_compiled_at_once {
        draft.compile();
    }
    draft.finish()
}

/// Decides what an event means. An event that means nothing in this state changes nothing.
pub fn decide(run: &RunState, event: &Event, now: Timestamp) -> Decision {
    let mut draft = Draft { run: run.clone(), history: Vec::new(), actions: Vec::new(), now };
    match event {
        Event::Posted { condition, force } => draft.posted(condition, *force),
        Event::Compiled(compiled) => draft.compiled(compiled),
        Event::CompileFailed { message } => draft.compile_failed(message),
        Event::ConditionsFalse { condition, values } => draft.conditions_false(condition, values),
        Event::CacheHit => draft.cache_hit(),
        Event::CacheAwaited => draft.cache_awaited(),
        Event::CacheLost => draft.cache_lost(),
        Event::BuildAwaited => draft.build_awaited(),
        Event::Built => draft.built(),
        Event::Unneeded => draft.unneeded(),
        Event::Followed => draft.run.control.has_followers = true,
        Event::Watched => draft.run.control.has_listeners = true,
        Event::Listening => draft.listening(),
        Event::Admitted => draft.admitted(),
        Event::Unschedulable { message } => draft.unschedulable(message),
        Event::Reconsidered => draft.reconsidered(),
        Event::Observed { attempt, phase } => {
            if draft.run.control.attempt == *attempt {
                draft.observed(phase);
            }
        }
        Event::StopRequested => draft.stop("StateManager", "User requested to stop the run."),
        Event::SkipRequested => draft.skip(),
        Event::Approved => draft.approved(),
        Event::Invalidated => draft.invalidated(),
        Event::ResumeRequested => draft.resume(),
        Event::ArchiveRequested => draft.archive(),
        Event::RestoreRequested => draft.restore(),
        Event::DeleteRequested => draft.delete(),
        Event::Woke => draft.woke(),
        Event::Beat { silence } => draft.beat(*silence),
        Event::ExecutorLost { loss, message } => draft.executor_lost(*loss, message),
        Event::Released => draft.released(),
        Event::Enqueued => draft.enqueued(),
        Event::Expanded => draft.expanded(),
        Event::ExpansionFailed { message } => draft.expansion_failed(message),
        Event::Concluded(ending) => draft.concluded(ending),
        Event::StoppedEarly(ending) => draft.stopped_early(ending),
        Event::Pruned { message } => draft.pruned(message),
        Event::Reopened => draft.reopened(),
        Event::Reset => draft.reset(),
    }
    draft.finish()
}

/// A decision in the making.
struct Draft {
    run: RunState,
    history: Vec<HistoryChange>,
    actions: Vec<Action>,
    now: Timestamp,
}

impl Draft {
    fn posted(&mut self, condition: &StatusCondition, force: Force) {
        let is_alive = self.was_thought_dead() && !matches!(condition.status, Status::Created | Status::Done);
        if is_alive {
            transition::reopen(&mut self.run);
        }
        let force = if is_alive { Force::Yes } else { force };
        let Some(change) = transition::enter(&mut self.run, condition.clone(), force, self.now) else { return };
        self.history.push(change);
        self.run.beat_at = self.run.beat_at.map(|at| at.max(self.now));
        if self.run.kind.is_pipeline() {
            return self.posted_on_pipeline();
        }
        if self.run.managed_by != ManagedBy::Agent {
            return;
        }
        let attempt = self.run.control.attempt;
        match self.run.status {
            // Whoever says that a run is stopped wants its process to be gone; one that says how it ended is
            // about to leave by itself.
            Status::Stopping => self.actions.push(Action::Stop { attempt }),
            Status::Stopped if self.run.control.is_attempt_live => self.actions.push(Action::Stop { attempt }),
            status if status.is_compilable() && !self.run.control.is_attempt_live && self.run.pending.is_none() => {
                self.compile();
            }
            _ => {}
        }
    }

    fn compiled(&mut self, compiled: &Compiled) {
        self.run.control.is_compiling = false;
        if !self.run.status.is_compilable() {
            return;
        }
        let control = &mut self.run.control;
        control.requires_approval = compiled.requires_approval;
        control.max_retries = compiled.max_retries;
        control.timeout_seconds = compiled.timeout.map(|timeout| timeout.as_secs());
        control.retry_at = None;
        control.has_hooks = Some(compiled.has_hooks);
        if self.run.pending.is_none() && compiled.requires_approval && !control.is_approved {
            self.run.pending = Some(Pending::Approval);
        }
        self.enter(Status::Compiled, "SchedulerPrepare", "Run is compiled");
        if self.run.pending.is_none() {
            self.start();
        }
    }

    fn compile_failed(&mut self, message: &str) {
        self.run.control.is_compiling = false;
        if self.run.status.is_compilable() {
            self.enter(Status::Failed, "SchedulerPrepare", format!("Failed to compile.\n{message}"));
        }
    }

    fn conditions_false(&mut self, condition: &str, values: &JsonMap) {
        self.run.control.is_compiling = false;
        if self.run.status.is_compilable() {
            let message = "The conditions of the operation are false.";
            let skipped = StatusCondition::new(Status::Skipped, "ConditionsCheckFailed", message, self.now);
            let skipped = skipped.with_meta("condition", condition).with_meta("values", values.clone());
            self.enter_condition(skipped);
        }
    }

    /// A compiled run without a gate waits for a slot, the child of a pipeline for its pipeline first, and a pipeline
    /// gets its children; whoever manages a run otherwise starts it by itself.
    fn start(&mut self) {
        if self.run.kind.is_pipeline() {
            self.actions.push(Action::Expand);
        } else if self.run.managed_by == ManagedBy::Agent && self.run.control.place != Place::Child {
            self.enter(Status::Queued, "SchedulerStart", "Run is queued");
        }
    }

    fn observed(&mut self, phase: &Phase) {
        match phase {
            Phase::Starting if self.run.control.is_attempt_live => {
                if matches!(self.run.status, Status::Queued | Status::Scheduled) {
                    self.enter_attempt(Status::Starting, "Executor", "Operation is starting");
                }
            }
            Phase::Running if self.run.control.is_attempt_live => {
                if self.run.status != Status::Running && !self.run.status.is_done() {
                    self.enter_attempt(Status::Running, "Executor", "Operation is running");
                }
            }
            Phase::Warning { reason, message } if self.run.control.is_attempt_live => {
                self.enter_attempt(Status::Warning, reason, message.clone());
            }
            Phase::Starting | Phase::Running | Phase::Warning { .. } => {}
            Phase::Exited(exit) => self.exited(exit),
            Phase::Lost => self.exited(&Exit::Failed {
                reason: "ResourceLost".to_owned(),
                message: "The process of the run disappeared without a trace.".to_owned(),
                exit_code: None,
            }),
        }
    }

    fn exited(&mut self, exit: &Exit) {
        let was_live = std::mem::take(&mut self.run.control.is_attempt_live);
        let status = self.run.status;
        if status == Status::Stopping {
            self.stopped();
        } else if status.is_done() || !(was_live || status.is_on_cluster()) {
            // The end was already told by somebody else, or this is about an attempt of an earlier life.
        } else {
            match exit {
                Exit::Succeeded => self.enter_attempt(Status::Succeeded, "Executor", "Operation succeeded"),
                Exit::Failed { .. } if self.run.control.failures < self.run.control.max_retries => self.retry(exit),
                Exit::Failed { reason, message, exit_code } => {
                    self.run.control.failures += 1;
                    self.fail(reason, message, *exit_code);
                }
                Exit::Rejected { reason, message } => self.fail(reason, message, None),
                Exit::DeadlineExceeded => self.deadline_exceeded(),
                Exit::Stopped => self.enter_attempt(Status::Stopped, "Executor", "Operation was stopped"),
            }
        }
    }

    fn fail(&mut self, reason: &str, message: &str, exit_code: Option<i32>) {
        let mut condition = self.attempt_condition(Status::Failed, reason, message);
        if let Some(code) = exit_code {
            condition = condition.with_meta("exit_code", code);
        }
        self.enter_condition(condition);
    }

    fn retry(&mut self, exit: &Exit) {
        let control = &mut self.run.control;
        control.failures += 1;
        let delay = Backoff::RUN_RETRY.delay(control.failures);
        control.retry_at = Some(self.now.plus(delay));
        let summary = format!(
            "attempt {}/{}, next in {} s",
            control.failures,
            control.max_retries.saturating_add(1),
            delay.as_secs()
        );
        let (reason, message) = match exit {
            Exit::Failed { reason, message, .. } => (reason.as_str(), format!("{summary}: {message}")),
            _ => ("Executor", summary),
        };
        let mut condition = self.attempt_condition(Status::Retrying, reason, message);
        if let Exit::Failed { exit_code: Some(code), .. } = exit {
            condition = condition.with_meta("exit_code", *code);
        }
        self.enter_condition(condition);
    }

    fn deadline_exceeded(&mut self) {
        let ending = self.deadline_ending();
        let condition = self.attempt_condition(ending.status, &ending.reason, ending.message);
        self.enter_condition(condition);
    }

    /// A job that takes too long has failed; a service was only allowed that long.
    fn deadline_ending(&self) -> Ending {
        let status = if self.run.kind.is_service() { Status::Stopped } else { Status::Failed };
        let limit = self.run.control.timeout_seconds.map_or(String::new(), |seconds| format!(" of {seconds} s"));
        Ending {
            status,
            reason: "DeadlineExceeded".to_owned(),
            message: format!("The run was active longer than its timeout{limit}."),
        }
    }

    fn stop(&mut self, reason: &str, why: &str) {
        let status = self.run.status;
        if status.is_done_or_stopping() {
        } else if status.is_safe_stop() || status == Status::Retrying {
            self.enter(Status::Stopped, reason, format!("Run is stopped; {why}"));
        } else {
            self.enter(Status::Stopping, reason, format!("Run is stopping; {why}"));
            match self.run.managed_by {
                _ if self.run.kind.is_pipeline() => self.cascade(Verb::Stop),
                ManagedBy::User => self.stopped(),
                ManagedBy::Cli => {}
                ManagedBy::Agent => self.actions.push(Action::Stop { attempt: self.run.control.attempt }),
            }
        }
    }

    /// The last process of a run that was being stopped is gone.
    fn stopped(&mut self) {
        match self.run.control.ending.take() {
            Some(ending) => self.enter_attempt(ending.status, &ending.reason, ending.message),
            None => self.enter(Status::Stopped, "StateManager", "Run is stopped"),
        }
    }

    fn skip(&mut self) {
        if self.run.status.is_safe_stop() {
            self.enter(Status::Skipped, "StateManager", "Run is skipped; User requested to skip the run.");
        }
    }

    fn approved(&mut self) {
        let still_closed = self.run.control.requires_approval && !self.run.control.is_approved;
        match self.run.pending {
            None => return,
            Some(Pending::Upload) if still_closed => self.run.pending = Some(Pending::Approval),
            Some(Pending::Build) if still_closed && self.run.status == Status::Created => {
                self.run.pending = Some(Pending::Approval);
            }
            Some(gate) => {
                self.run.control.is_approved |= gate == Pending::Approval;
                if self.run.control.has_listeners {
                    self.actions.push(Action::Tell);
                }
                self.run.control.runs_anyway |= gate == Pending::Cache;
                self.run.pending = None;
            }
        }
        self.run.updated_at = self.now.max(self.run.updated_at);
        if self.run.pending.is_some() || self.run.control.is_held || self.run.status.is_done_or_stopping() {
        } else if self.run.status.is_compilable() {
            self.compile();
        } else if self.run.status == Status::Compiled {
            self.start();
        }
    }

    fn invalidated(&mut self) {
        let was_invalidated = std::mem::replace(&mut self.run.control.is_invalidated, true);
        if self.run.control.has_listeners && !was_invalidated {
            self.actions.push(Action::Tell);
        }
    }

    fn resume(&mut self) {
        if !self.run.status.is_done() || self.run.live_state == LiveState::Deleting {
            return;
        }
        let control = &mut self.run.control;
        if std::mem::take(&mut control.is_attempt_live) {
            self.actions.push(Action::Stop { attempt: control.attempt });
        }
        self.begin_life("ResumeManager", "Run is resuming");
        self.compile();
    }

    fn begin_life(&mut self, reason: &str, message: &str) {
        let control = &mut self.run.control;
        control.failures = 0;
        control.retry_at = None;
        control.ending = None;
        control.is_held = false;
        control.is_invalidated = false;
        control.life += 1;
        self.run.pending = None;
        transition::reopen(&mut self.run);
        let resuming = StatusCondition::new(Status::Resuming, reason, message, self.now);
        self.history.extend(transition::enter(&mut self.run, resuming, Force::Yes, self.now));
    }

    fn archive(&mut self) {
        if self.run.live_state == LiveState::Live {
            self.run.live_state = LiveState::Archived;
            self.run.updated_at = self.now.max(self.run.updated_at);
            self.stop("StateManager", "It was archived.");
            self.cascade(Verb::Archive);
        }
    }

    fn restore(&mut self) {
        if self.run.live_state == LiveState::Archived {
            self.run.live_state = LiveState::Live;
            self.run.updated_at = self.now.max(self.run.updated_at);
            self.cascade(Verb::Restore);
        }
    }

    fn delete(&mut self) {
        if self.run.live_state == LiveState::Deleting {
            return;
        }
        self.run.live_state = LiveState::Deleting;
        self.run.updated_at = self.now.max(self.run.updated_at);
        self.stop("StateManager", "It was deleted.");
        self.cascade(Verb::Delete);
        if self.run.status.is_done() {
            self.remove_folder();
        }
    }

    fn woke(&mut self) {
        self.run.control.wake_at = None;
        let Some((_, timer)) = timer::next(&self.run).filter(|(at, _)| *at <= self.now) else { return };
        match timer {
            Timer::Retry => {
                self.run.control.retry_at = None;
                self.compile();
            }
            Timer::Tick => self.tick_due(),
            Timer::Deadline => self.deadline_passed(),
            Timer::Stopping => {
                self.run.control.is_attempt_live = false;
                let silent = "Run was stopping for 30 minutes without a sign of life.";
                match self.run.control.ending.take() {
                    Some(ending) => self.enter(ending.status, &ending.reason, ending.message),
                    None => self.enter(Status::Stopped, "HeartbeatStopping", silent),
                }
            }
            Timer::Warning => {
                let message = "Run is stopping; it made no progress for 3 days.";
                self.enter(Status::Stopping, "HeartbeatWarningCleanup", message);
                if self.run.managed_by == ManagedBy::Agent {
                    self.actions.push(Action::Stop { attempt: self.run.control.attempt });
                }
            }
            Timer::Heartbeat => {
                let seconds = self.run.control.silence_seconds.unwrap_or_default();
                let message = format!("The run gave no sign of life for {seconds} s.");
                self.enter(Status::Failed, HEARTBEAT_LOST, message);
            }
            Timer::Upload => {
                self.enter(Status::Failed, "StaleUpload", "The announced upload did not arrive within 120 minutes.");
            }
        }
    }

    fn beat(&mut self, silence: Duration) {
        if self.run.managed_by != ManagedBy::Agent {
            self.run.beat_at = Some(self.now);
            self.run.control.silence_seconds = (!silence.is_zero()).then_some(silence.as_secs());
        }
    }

    /// Whether silence was taken for death: the one verdict that the run itself may take back.
    fn was_thought_dead(&self) -> bool {
        let last = self.run.last_condition.as_ref();
        last.is_some_and(|last| last.status == Status::Failed && last.reason.as_deref() == Some(HEARTBEAT_LOST))
    }

    fn executor_lost(&mut self, loss: Loss, message: &str) {
        if !self.run.control.is_attempt_live {
            return;
        }
        if self.run.status == Status::Scheduled {
            self.run.control.is_attempt_live = false;
            self.enter_attempt(Status::Queued, "ExecutorLost", message);
        } else if loss == Loss::Everything && self.run.status.is_running() {
            self.enter_attempt(Status::Unknown, "ExecutorLost", message);
        }
    }

    fn deadline_passed(&mut self) {
        let message = "Run is stopping; its timeout has passed.";
        if self.run.kind.is_pipeline() {
            self.run.control.ending = Some(self.deadline_ending());
            self.enter(Status::Stopping, "DeadlineExceeded", message);
            self.cascade(Verb::Stop);
        } else if self.run.control.is_attempt_live {
            self.run.control.ending = Some(self.deadline_ending());
            self.enter(Status::Stopping, "DeadlineExceeded", message);
            self.actions.push(Action::Stop { attempt: self.run.control.attempt });
        } else {
            self.deadline_exceeded();
        }
    }

    fn compile(&mut self) {
        if self.run.managed_by.is_managed() && !std::mem::replace(&mut self.run.control.is_compiling, true) {
            self.actions.push(Action::Compile);
        }
    }

    fn remove_folder(&mut self) {
        self.actions.push(Action::Delete { at: self.now.plus(DELETE_DELAY) });
    }

    fn enter(&mut self, status: Status, reason: &str, message: impl Into<String>) {
        self.enter_condition(StatusCondition::new(status, reason, message, self.now));
    }

    fn enter_attempt(&mut self, status: Status, reason: &str, message: impl Into<String>) {
        let condition = self.attempt_condition(status, reason, message);
        self.enter_condition(condition);
    }

    fn attempt_condition(&self, status: Status, reason: &str, message: impl Into<String>) -> StatusCondition {
        StatusCondition::new(status, reason, message, self.now).with_meta("attempt", self.run.control.attempt)
    }

    fn enter_condition(&mut self, condition: StatusCondition) {
        self.history.extend(transition::enter(&mut self.run, condition, Force::No, self.now));
    }

    fn finish(mut self) -> Decision {
        let ended_now = self.run.status.is_done() && !self.history.is_empty();
        if self.run.status.is_done() {
            self.run.control.is_compiling = false;
            self.run.control.ending = None;
            self.run.control.retry_at = None;
            // Other runs would have opened these gates.
            self.run.pending.take_if(|pending| matches!(pending, Pending::Build | Pending::Cache));
        }
        if ended_now && self.run.has_followers() {
            self.actions.push(Action::React { life: self.run.control.life });
        } else if self.has_news() {
            self.actions.push(Action::Tell);
        }
        // What ends before it is compiled may have hooks as well.
        if ended_now && self.run.managed_by.is_managed() && self.run.control.has_hooks.unwrap_or(true) {
            self.actions.push(Action::Hooks { life: self.run.control.life });
        }
        let is_removed = self.actions.iter().any(|action| matches!(action, Action::Delete { .. }));
        if ended_now && self.run.live_state == LiveState::Deleting && !is_removed {
            self.remove_folder();
        }
        self.schedule_wake();
        Decision { next: self.run, history: self.history, actions: self.actions }
    }

    /// Whether something happened that others may wait for.
    fn has_news(&self) -> bool {
        let is_new = |change: &HistoryChange| matches!(change, HistoryChange::Append(_));
        let is_known = self.actions.contains(&Action::Tell);
        self.run.control.has_listeners && self.history.iter().any(is_new) && !is_known
    }

    /// Keeps one `Wake` outstanding. A timer that moved later needs no new one: the earlier fires, finds nothing
    /// due, and is followed by the right one.
    fn schedule_wake(&mut self) {
        let Some((at, _)) = timer::next(&self.run) else {
            self.run.control.wake_at = None;
            return;
        };
        if self.run.control.wake_at.is_none_or(|outstanding| at < outstanding) {
            self.run.control.wake_at = Some(at);
            self.actions.push(Action::Wake { at });
        }
    }
}
