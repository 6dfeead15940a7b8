//! The one place where decisions about runs are persisted, for one run or many, for every caller.

use polyaxon_engine::executor::LEASE;
use polyaxon_engine::state::{Decision, Event, RunState};
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::kinds::LiveState;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use crate::db::value::json;
use crate::db::{Row, Tx, Value, args, first};
use crate::{Error, Result, actions, builds, cache, pipelines, projects, statuses};

const STATE: &str = "SELECT r.id, r.kind, r.managed_by, r.status, r.pending, r.live_state, r.created_at, r.updated_at, \
     r.started_at, r.finished_at, r.wait_time, r.duration, r.control, r.beat_at, r.executor_id, r.pipeline_id, \
     EXISTS (SELECT 1 FROM actions a WHERE a.run_id = r.id AND a.done_at IS NULL), c.seq, c.condition \
     FROM runs r LEFT JOIN status_conditions c ON c.run_id = r.id \
     AND c.seq = (SELECT max(seq) FROM status_conditions WHERE run_id = r.id) WHERE r.uuid = ?1";

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
    let loaded = load(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    let Loaded { id, state, pipeline, .. } = &loaded;
    let mut decision = Decision { next: state.clone(), history: Vec::new(), actions: Vec::new() };
    for event in events {
        decision = decision.then(event, now);
    }
    if pipelines::counts::becomes_ready(state, &decision.next) && pipelines::advance::has_no_limit(tx, *pipeline)? {
        decision = decision.then(&Event::Enqueued, now);
    }
    let next = &decision.next;
    if *next != *state || !decision.history.is_empty() || !decision.actions.is_empty() {
        let holder = executor.or(loaded.executor);
        // Whoever had it before, a run in the queue is with nobody.
        let waits = next.status == Status::Queued && !next.control.is_attempt_live;
        save(tx, &loaded, next, holder.filter(|_| !waits), now)?;
        if loaded.has_open_actions {
            actions::close_unwanted(tx, *id, next, now)?;
        }
        record(tx, *id, loaded.conditions, &decision, holder, now)?;
        builds::follow(tx, *id, state, next, now)?;
        cache::follow(tx, *id, state, next)?;
        pipelines::counts::follow(tx, *id, *pipeline, state, next, now)?;
    }
    let id = *id;
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

/// Writes the history of a decision behind so many conditions, and the actions that its outcome still wants.
pub(crate) fn record(
    tx: &mut dyn Tx,
    id: i64,
    conditions: i64,
    decision: &Decision,
    executor: Option<ExecutorId>,
    now: Timestamp,
) -> Result<()> {
    statuses::write(tx, id, conditions, &decision.history)?;
    for action in decision.actions.iter().filter(|action| decision.next.wants(action)) {
        actions::write(tx, id, action, executor, now)?;
    }
    Ok(())
}

/// Writes the columns that changed, so that the indexes over the others are left alone.
fn save(tx: &mut dyn Tx, loaded: &Loaded, next: &RunState, executor: Option<ExecutorId>, now: Timestamp) -> Result<()> {
    let before = &loaded.state;
    let mut columns = Columns { sql: String::from("UPDATE runs SET updated_at = ?2"), values: Vec::with_capacity(12) };
    columns.values.extend([Value::from(loaded.id), Value::from(next.updated_at)]);
    columns.set_changed("status", before.status, next.status);
    columns.set_changed("pending", before.pending, next.pending);
    columns.set_changed("live_state", before.live_state, next.live_state);
    columns.set_changed("beat_at", before.beat_at, next.beat_at);
    columns.set_changed("started_at", before.started_at, next.started_at);
    columns.set_changed("finished_at", before.finished_at, next.finished_at);
    columns.set_changed("wait_time", before.wait_time, next.wait_time);
    columns.set_changed("duration", before.duration, next.duration);
    columns.set_changed("attempt", before.control.attempt, next.control.attempt);
    columns.set_changed("attempt_live", before.control.is_attempt_live, next.control.is_attempt_live);
    columns.set_changed("executor_id", loaded.executor, executor);
    if before.control != next.control {
        columns.set("control = {}", json(&next.control));
    }
    match next.live_state {
        LiveState::Archived => columns.set("archived_at = coalesce(archived_at, {})", now),
        LiveState::Live | LiveState::Deleting if before.live_state == LiveState::Archived => {
            columns.sql.push_str(", archived_at = NULL");
        }
        LiveState::Live | LiveState::Deleting => {}
    }
    match next.status {
        Status::Queued => columns.set("queued_at = coalesce(queued_at, {})", now),
        Status::Scheduled | Status::Unschedulable => {}
        _ => columns.sql.push_str(", queued_at = NULL"),
    }
    if next.status != Status::Scheduled {
        columns.sql.push_str(", lease_until = NULL");
    }
    if !next.control.is_attempt_live {
        columns.sql.push_str(", devices = NULL");
    }
    columns.sql.push_str(" WHERE id = ?1");
    tx.execute(&columns.sql, &columns.values).map(drop)
}

/// A statement that grows.
struct Columns {
    sql: String,
    values: Vec<Value>,
}

impl Columns {
    fn set_changed<T: PartialEq + Into<Value>>(&mut self, column: &str, before: T, next: T) {
        if before != next {
            self.set(&format!("{column} = {{}}"), next);
        }
    }

    /// `{}` stands for the value.
    fn set(&mut self, assignment: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        let place = format!("?{}", self.values.len());
        self.sql.push_str(", ");
        self.sql.push_str(&assignment.replace("{}", &place));
    }
}

/// A run as decisions and what follows them need it.
struct Loaded {
    id: i64,
    state: RunState,
    executor: Option<ExecutorId>,
    pipeline: Option<i64>,
    has_open_actions: bool,
    /// The number of the last condition.
    conditions: i64,
}

fn load(tx: &mut dyn Tx, run: RunId) -> Result<Option<Loaded>> {
    first(tx, STATE, args![run])?.map(read).transpose()
}

fn read(mut row: Row) -> Result<Loaded> {
    let row = &mut row;
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
        started_at: row.take()?,
        finished_at: row.take()?,
        wait_time: row.take()?,
        duration: row.take()?,
        control: row.take_json()?,
        beat_at: row.take()?,
    };
    let (executor, pipeline, has_open_actions) = (row.take()?, row.take()?, row.take()?);
    let conditions = row.take::<Option<i64>>()?.unwrap_or(0);
    state.last_condition = row.take_optional_json::<StatusCondition>()?;
    Ok(Loaded { id, state, executor, pipeline, has_open_actions, conditions })
}
