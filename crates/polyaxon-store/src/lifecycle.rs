//! The one place where decisions about runs are persisted, for one run or many, for every caller.

use polyaxon_engine::executor::LEASE;
use polyaxon_engine::state::{Decision, Event, RunState};
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::kinds::LiveState;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use crate::db::value::json;
use crate::db::{Row, Tx, args, first};
use crate::{Error, Result, actions, cache, pipelines, projects, statuses};

const STATE: &str = "SELECT id, kind, managed_by, status, pending, live_state, created_at, updated_at, started_at, \
     finished_at, wait_time, duration, control, executor_id, beat_at FROM runs WHERE uuid = ?1";

/// Decides what an event means for a run and persists the decision: status, times, history, actions.
pub fn apply(tx: &mut dyn Tx, run: RunId, event: &Event, now: Timestamp) -> Result<Decision> {
    apply_for(tx, run, std::slice::from_ref(event), None, now)
}

/// The same for events that follow each other, with one write.
pub fn apply_each(tx: &mut dyn Tx, run: RunId, events: &[Event], now: Timestamp) -> Result<Decision> {
    apply_for(tx, run, events, None, now)
}

/// The same, and the run is with `executor` from now on.
pub(crate) fn apply_for(
    tx: &mut dyn Tx,
    run: RunId,
    events: &[Event],
    executor: Option<ExecutorId>,
    now: Timestamp,
) -> Result<Decision> {
    let Loaded { id, state, executor: holder } = load(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    let mut decision = Decision { next: state.clone(), history: Vec::new(), actions: Vec::new() };
    for event in events {
        decision = decision.then(event, now);
    }
    if pipelines::counts::becomes_ready(&state, &decision.next) && pipelines::advance::has_no_limit(tx, id)? {
        decision = decision.then(&Event::Enqueued, now);
    }
    let next = &decision.next;
    if *next != state || !decision.history.is_empty() || !decision.actions.is_empty() {
        let holder = executor.or(holder);
        // Whoever had it before, a run in the queue is with nobody.
        let waits = next.status == Status::Queued && !next.control.is_attempt_live;
        save(tx, id, next, holder.filter(|_| !waits), now)?;
        record(tx, id, &decision, holder, now)?;
        actions::close_unwanted(tx, id, next, now)?;
        cache::follow(tx, id, &state, next)?;
        pipelines::counts::follow(tx, id, &state, next, now)?;
    }
    if next.status == Status::Scheduled && events.iter().any(|event| matches!(event, Event::Posted { .. })) {
        let sql = "UPDATE runs SET lease_until = ?2 WHERE id = ?1 AND lease_until IS NOT NULL";
        tx.execute(sql, args![id, now.plus(LEASE)])?;
    }
    Ok(decision)
}

/// The same for many runs. Unknown runs are left out; the answer has one decision for each known run, in order.
pub fn apply_all(tx: &mut dyn Tx, runs: &[RunId], event: &Event, now: Timestamp) -> Result<Vec<(RunId, Decision)>> {
    let mut decisions = Vec::with_capacity(runs.len());
    for run in runs {
        match apply(tx, *run, event, now) {
            Ok(decision) => decisions.push((*run, decision)),
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(decisions)
}

/// Closes the action `(run, seq)` and applies what came of it, together. Nothing happens when it was closed
/// before: a second performer of the same action reports into the void.
pub fn complete(tx: &mut dyn Tx, run: RunId, seq: i64, event: &Event, now: Timestamp) -> Result<Option<Decision>> {
    if actions::done(tx, run, seq, now)? { apply(tx, run, event, now).map(Some) } else { Ok(None) }
}

/// The same for what followed each other.
pub fn complete_each(
    tx: &mut dyn Tx,
    run: RunId,
    seq: i64,
    events: &[Event],
    now: Timestamp,
) -> Result<Option<Decision>> {
    if actions::done(tx, run, seq, now)? { apply_each(tx, run, events, now).map(Some) } else { Ok(None) }
}

/// The state that decisions about a run depend on.
pub fn state(tx: &mut dyn Tx, run: RunId) -> Result<Option<RunState>> {
    Ok(load(tx, run)?.map(|loaded| loaded.state))
}

/// Archives, restores or deletes a project together with its runs.
pub fn set_project_live_state(tx: &mut dyn Tx, project: &str, state: LiveState, now: Timestamp) -> Result<()> {
    let sql =
        "SELECT r.uuid FROM runs r JOIN projects p ON p.id = r.project_id WHERE p.name = ?1 AND r.live_state >= 0";
    let runs = tx.query(sql, args![project])?.into_iter().map(|mut row| row.take()).collect::<Result<Vec<RunId>>>()?;
    let event = match state {
        LiveState::Live => Event::RestoreRequested,
        LiveState::Archived => Event::ArchiveRequested,
        LiveState::Deleting => Event::DeleteRequested,
    };
    projects::set_live_state(tx, project, state, now)?;
    apply_all(tx, &runs, &event, now).map(drop)
}

/// Writes the history and the actions of a decision.
pub(crate) fn record(
    tx: &mut dyn Tx,
    id: i64,
    decision: &Decision,
    executor: Option<ExecutorId>,
    now: Timestamp,
) -> Result<()> {
    for change in &decision.history {
        statuses::write(tx, id, change)?;
    }
    for action in &decision.actions {
        actions::write(tx, id, action, executor, now)?;
    }
    Ok(())
}

fn save(tx: &mut dyn Tx, id: i64, state: &RunState, executor: Option<ExecutorId>, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE runs SET status = ?2, pending = ?3, live_state = ?4, updated_at = ?5, started_at = ?6, \
         finished_at = ?7, wait_time = ?8, duration = ?9, control = ?10, attempt = ?11, attempt_live = ?12, \
         archived_at = CASE WHEN CAST(?4 AS BIGINT) = 0 THEN coalesce(archived_at, ?13) END, executor_id = ?14, beat_at = ?15, \
         lease_until = CASE WHEN CAST(?2 AS TEXT) = 'scheduled' THEN lease_until END, \
         queued_at = CASE WHEN CAST(?2 AS TEXT) = 'queued' THEN coalesce(queued_at, ?13) \
         WHEN CAST(?2 AS TEXT) IN ('scheduled', 'unschedulable') THEN queued_at END, \
         devices = CASE WHEN ?12 THEN devices END WHERE id = ?1",
        args![
            id,
            state.status,
            state.pending,
            state.live_state,
            state.updated_at,
            state.started_at,
            state.finished_at,
            state.wait_time,
            state.duration,
            json(&state.control),
            state.control.attempt,
            state.control.is_attempt_live,
            now,
            executor,
            state.beat_at,
        ],
    )?;
    Ok(())
}

struct Loaded {
    id: i64,
    state: RunState,
    executor: Option<ExecutorId>,
}

fn load(tx: &mut dyn Tx, run: RunId) -> Result<Option<Loaded>> {
    let Some(row) = first(tx, STATE, args![run])? else { return Ok(None) };
    let mut loaded = read(row)?;
    loaded.state.last_condition = statuses::last(tx, loaded.id)?;
    Ok(Some(loaded))
}

fn read(mut row: Row) -> Result<Loaded> {
    let id = row.take()?;
    let mut state = RunState {
        kind: row.take()?,
        managed_by: row.take()?,
        status: row.take()?,
        pending: row.take()?,
        live_state: row.take()?,
        last_condition: None,
        created_at: row.take()?,
        updated_at: row.take()?,
        beat_at: None,
        started_at: row.take()?,
        finished_at: row.take()?,
        wait_time: row.take()?,
        duration: row.take()?,
        control: row.take_json()?,
    };
    let executor = row.take()?;
    state.beat_at = row.take()?;
    Ok(Loaded { id, state, executor })
}
