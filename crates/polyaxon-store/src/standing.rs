//! The few facts about a run that most questions begin with; cheap to read.

use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{LiveState, ManagedBy, RunKind};
use polyaxon_model::status::Status;

use crate::Result;
use crate::db::{Tx, Value, args, first};

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The name of its project.
    pub project: String,
    pub kind: RunKind,
    pub status: Status,
    pub managed_by: ManagedBy,
    pub live_state: LiveState,
}

/// The standing of a run, whatever its live state.
pub fn of(tx: &mut dyn Tx, run: RunId) -> Result<Option<Standing>> {
    let sql = "SELECT p.name, r.kind, r.status, r.managed_by, r.live_state \
               FROM runs r JOIN projects p ON p.id = r.project_id WHERE r.uuid = ?1";
    let Some(mut row) = first(tx, sql, args![run])? else { return Ok(None) };
    Ok(Some(Standing {
        project: row.take()?,
        kind: row.take()?,
        status: row.take()?,
        managed_by: row.take()?,
        live_state: row.take()?,
    }))
}

/// The statuses of many runs at once; runs that are unknown or being deleted are left out.
pub fn statuses(tx: &mut dyn Tx, runs: &[RunId]) -> Result<Vec<(RunId, Status)>> {
    let mut found = Vec::with_capacity(runs.len());
    for runs in runs.chunks(CHUNK) {
        let list = (1..=runs.len()).map(|place| format!("?{place}")).collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT uuid, status, live_state FROM runs WHERE uuid IN ({list})");
        let runs: Vec<Value> = runs.iter().map(|run| Value::from(*run)).collect();
        for mut row in tx.query(&sql, &runs)? {
            let (run, status, live_state): (RunId, Status, LiveState) = (row.take()?, row.take()?, row.take()?);
            if live_state != LiveState::Deleting {
                found.push((run, status));
            }
        }
    }
    Ok(found)
}

/// Placeholders of one statement.
const CHUNK: usize = 500;
