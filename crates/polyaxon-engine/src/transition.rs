//! Which status may follow which, how the history grows, and the times that are stamped. One path for single
//! updates, bulk updates and the engine's own.
//!
//! Must not know why a status is written; that is [`crate::lifecycle`].

use polyaxon_model::condition::StatusCondition;
use polyaxon_model::status::Status;
use polyaxon_model::time::{Timestamp, round_seconds};

use crate::state::{Force, HistoryChange, RunState};

/// The transition rule. Anything that it does not forbid is allowed, also "backwards".
pub fn is_allowed(from: Status, to: Status, force: Force) -> bool {
    match to {
        // Only creation itself writes `created`, and `done` is no status of a run.
        Status::Created | Status::Done => false,
        _ if from == Status::Stopping => to.is_done(),
        _ if from.is_done() => force == Force::Yes,
        _ => true,
    }
}

/// Enters the status of `condition` when that is allowed, and tells how the history changes.
pub fn enter(run: &mut RunState, condition: StatusCondition, force: Force, now: Timestamp) -> Option<HistoryChange> {
    is_allowed(run.status, condition.status, force).then(|| record(run, condition, now))
}

/// Writes a condition without asking whether it is allowed; creation and [`enter`] only.
pub(crate) fn record(run: &mut RunState, condition: StatusCondition, now: Timestamp) -> HistoryChange {
    let status = condition.status;
    run.status = status;
    // A clock that was set back must not turn the record around.
    let now = now.max(run.created_at);
    run.updated_at = now.max(run.updated_at);
    if status.is_started() {
        stamp_start(run, now);
    }
    if status.is_done() {
        stamp_finish(run, now);
    }
    let repeats = run.last_condition.as_ref().is_some_and(|last| condition.repeats(last));
    run.last_condition = Some(condition.clone());
    if repeats { HistoryChange::ReplaceLast(condition) } else { HistoryChange::Append(condition) }
}

/// Opens the record for another life: the first start stays, the end is unknown again.
pub(crate) fn reopen(run: &mut RunState) {
    run.control.active_seconds = run.duration.unwrap_or(0.0);
    run.control.active_since = None;
    run.finished_at = None;
    run.duration = None;
}

fn stamp_start(run: &mut RunState, now: Timestamp) {
    if run.started_at.is_none() {
        run.started_at = Some(now);
        if run.wait_time.is_none() {
            run.wait_time = Some(now.seconds_since(run.created_at));
        }
    }
    if run.finished_at.is_none() && run.control.active_since.is_none() {
        run.control.active_since = Some(now);
    }
}

fn stamp_finish(run: &mut RunState, now: Timestamp) {
    if run.finished_at.is_some() {
        return;
    }
    // A run that never started has worked since it was created, as far as anyone can tell.
    if run.started_at.is_none() {
        run.started_at = Some(run.created_at);
        run.control.active_since = Some(run.created_at);
    }
    let finished = now.max(run.control.active_since.unwrap_or(now));
    // The first start may be of an earlier life, when the clock showed more than now.
    run.finished_at = Some(run.started_at.map_or(finished, |started| finished.max(started)));
    if run.duration.is_none() {
        let active = run.control.active_since.map_or(0.0, |since| finished.seconds_since(since));
        run.duration = Some(round_seconds(run.control.active_seconds + active));
    }
}
