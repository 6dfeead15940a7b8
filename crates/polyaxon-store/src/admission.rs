//! Free slots of executors, and the runs that get them.
//!
//! Invariant: a run that is given out is with its executor in the same write, so that no two of them get it.

use polyaxon_engine::admission::{self, Waiting};
use polyaxon_engine::state::Event;
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use crate::db::{Tx, args, first, scalar};
use crate::{Result, lifecycle};

/// Runs that wait for an executor.
const WAITING: &str = "status = 'queued' AND pending IS NULL AND managed_by = 'agent' AND live_state >= 0 \
     AND kind NOT IN ('dag', 'matrix', 'schedule') AND NOT attempt_live";

/// Gives free slots of a server to waiting runs.
pub fn admit(tx: &mut dyn Tx, server: ExecutorId, capacity: usize, now: Timestamp) -> Result<Vec<RunId>> {
    let held = count_held(tx, server)?;
    give(tx, server, capacity, held, now)
}

/// Gives runs to an executor that may hold `capacity` and holds `active`.
pub(crate) fn give(
    tx: &mut dyn Tx,
    executor: ExecutorId,
    capacity: usize,
    active: usize,
    now: Timestamp,
) -> Result<Vec<RunId>> {
    let free = capacity.saturating_sub(active);
    if free == 0 {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT uuid, priority, created_at FROM runs WHERE {WAITING} ORDER BY priority DESC, created_at, uuid LIMIT ?1"
    );
    let rows = tx.query(&sql, args![free as i64])?;
    let waiting = rows
        .into_iter()
        .map(|mut row| Ok(Waiting { run: row.take()?, priority: row.take()?, created_at: row.take()? }))
        .collect::<Result<Vec<_>>>()?;
    let admitted = admission::admit(capacity, active, &waiting);
    for run in &admitted {
        lifecycle::apply_for(tx, *run, &[Event::Admitted], Some(executor), now)?;
    }
    Ok(admitted)
}

/// Whether a run waits for a slot.
pub fn has_waiting(tx: &mut dyn Tx) -> Result<bool> {
    Ok(first(tx, &format!("SELECT 1 FROM runs WHERE {WAITING} LIMIT 1"), &[])?.is_some())
}

/// How many runs an executor holds: those whose process has not been seen to end.
pub fn count_held(tx: &mut dyn Tx, executor: ExecutorId) -> Result<usize> {
    let sql = "SELECT count(*) FROM runs WHERE attempt_live AND executor_id = ?1";
    Ok(scalar::<i64>(tx, sql, args![executor])?.unwrap_or(0) as usize)
}

/// How many runs are with somebody who is none of the servers: agents, and whoever reports statuses by hand.
pub fn count_outside(tx: &mut dyn Tx) -> Result<usize> {
    let holding = Status::ON_CLUSTER.iter().chain(&[Status::Stopping]);
    let list = holding.map(|status| format!("'{status}'")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT (SELECT count(*) FROM runs WHERE status IN ({list}) AND managed_by = 'agent' AND NOT attempt_live \
         AND kind NOT IN ('dag', 'matrix', 'schedule')) + (SELECT count(*) FROM runs WHERE attempt_live \
         AND (executor_id IS NULL OR executor_id NOT IN (SELECT id FROM servers)))"
    );
    Ok(scalar::<i64>(tx, &sql, &[])?.unwrap_or(0) as usize)
}
