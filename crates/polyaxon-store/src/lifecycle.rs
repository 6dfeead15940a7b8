//! The one place where decisions about runs are persisted, for one run or many, for every caller.

use polyaxon_engine::admission::{self, Waiting};
use polyaxon_engine::lifecycle as engine;
use polyaxon_engine::state::{Decision, Event, RunState};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{LiveState, ManagedBy};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use crate::db::value::json;
use crate::db::{Row, Tx, args, first, scalar};
use crate::{Error, Result, actions, projects, statuses};

const STATE: &str = "SELECT id, kind, managed_by, status, pending, live_state, created_at, updated_at, started_at, \
     finished_at, wait_time, duration, control FROM runs WHERE uuid = ?1";

/// Decides what an event means for a run and persists the decision: status, times, history, actions.
pub fn apply(tx: &mut dyn Tx, run: RunId, event: &Event, now: Timestamp) -> Result<Decision> {
    let (id, state) = load(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    let decision = engine::decide(&state, event, now);
    if decision.next != state || !decision.history.is_empty() || !decision.actions.is_empty() {
        save(tx, id, &decision.next, now)?;
        record(tx, id, &decision, now)?;
        actions::close_unwanted(tx, id, &decision.next, now)?;
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

/// The state that decisions about a run depend on.
pub fn state(tx: &mut dyn Tx, run: RunId) -> Result<Option<RunState>> {
    Ok(load(tx, run)?.map(|(_, state)| state))
}

/// Gives free slots to waiting runs. Runs that hold one: handed out, running, being stopped, or with a process
/// whose end was not seen yet.
pub fn admit(tx: &mut dyn Tx, capacity: usize, now: Timestamp) -> Result<Vec<RunId>> {
    let active = count_active(tx)?;
    let free = capacity.saturating_sub(active);
    if free == 0 {
        return Ok(Vec::new());
    }
    let sql = "SELECT uuid, priority, created_at FROM runs WHERE status = ?1 AND pending IS NULL AND managed_by = ?2 \
               AND live_state >= 0 ORDER BY priority DESC, created_at, uuid LIMIT ?3";
    let rows = tx.query(sql, args![Status::Queued, ManagedBy::Agent, free as i64])?;
    let waiting = rows
        .into_iter()
        .map(|mut row| Ok(Waiting { run: row.take()?, priority: row.take()?, created_at: row.take()? }))
        .collect::<Result<Vec<_>>>()?;
    let admitted = admission::admit(capacity, active, &waiting);
    for run in &admitted {
        apply(tx, *run, &Event::Admitted, now)?;
    }
    Ok(admitted)
}

/// Whether a run waits for a slot.
pub fn has_waiting(tx: &mut dyn Tx) -> Result<bool> {
    let sql =
        "SELECT 1 FROM runs WHERE status = ?1 AND pending IS NULL AND managed_by = ?2 AND live_state >= 0 LIMIT 1";
    Ok(first(tx, sql, args![Status::Queued, ManagedBy::Agent])?.is_some())
}

/// How many runs hold a slot.
pub fn count_active(tx: &mut dyn Tx) -> Result<usize> {
    let holding = Status::ON_CLUSTER.iter().chain(&[Status::Stopping]);
    let list = holding.map(|status| format!("'{status}'")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT (SELECT count(*) FROM runs WHERE status IN ({list}) AND managed_by = 'agent' AND NOT attempt_live) \
         + (SELECT count(*) FROM runs WHERE attempt_live)"
    );
    Ok(scalar::<i64>(tx, &sql, &[])?.unwrap_or(0) as usize)
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
pub(crate) fn record(tx: &mut dyn Tx, id: i64, decision: &Decision, now: Timestamp) -> Result<()> {
    for change in &decision.history {
        statuses::write(tx, id, change)?;
    }
    for action in &decision.actions {
        actions::write(tx, id, action, now)?;
    }
    Ok(())
}

fn save(tx: &mut dyn Tx, id: i64, state: &RunState, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE runs SET status = ?2, pending = ?3, live_state = ?4, updated_at = ?5, started_at = ?6, \
         finished_at = ?7, wait_time = ?8, duration = ?9, control = ?10, attempt = ?11, attempt_live = ?12, \
         archived_at = CASE WHEN ?4 = 0 THEN coalesce(archived_at, ?13) END WHERE id = ?1",
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
        ],
    )?;
    Ok(())
}

fn load(tx: &mut dyn Tx, run: RunId) -> Result<Option<(i64, RunState)>> {
    let Some(row) = first(tx, STATE, args![run])? else { return Ok(None) };
    let (id, mut state) = read(row)?;
    state.last_condition = statuses::last(tx, id)?;
    Ok(Some((id, state)))
}

fn read(mut row: Row) -> Result<(i64, RunState)> {
    let id = row.take()?;
    let state = RunState {
        kind: row.take()?,
        managed_by: row.take()?,
        status: row.take()?,
        pending: row.take()?,
        live_state: row.take()?,
        last_condition: None,
        created_at: row.take()?,
        updated_at: row.take()?,
        started_at: row.take()?,
        finished_at: row.take()?,
        wait_time: row.take()?,
        duration: row.take()?,
        control: row.take_json()?,
    };
    Ok((id, state))
}
