//! Pipelines and their children: what `polyaxon_engine::flow` decides is loaded and persisted here.
//!
//! Invariants:
//! * everything that follows the end of a run happens in one transaction with closing its `React` action: ends are
//!   counted once, whatever crashes between two steps;
//! * the counts change with the statuses they count, in the same transaction ([`counts`]);
//! * the id of a child follows from its pipeline and its place in it, so that no child is created twice.

pub mod advance;
pub mod cascade;
pub mod children;
pub(crate) mod counts;
mod early_stopping;
pub mod events;
mod outputs;
pub mod react;
pub(crate) mod reports;
pub mod rerun;
pub mod schedule;
pub mod sources;
pub mod tracks;
pub mod trials;

use polyaxon_engine::flow::completion::Ends;
use polyaxon_engine::flow::concurrency;
use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{ManagedBy, RunKind};
use polyaxon_model::status::Status;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::Result;
use crate::db::{Row, Tx, args, first};

/// A pipeline as decisions see it.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) id: i64,
    pub(crate) run: RunId,
    pub(crate) kind: RunKind,
    pub(crate) status: Status,
    pub(crate) managed_by: ManagedBy,
    pub(crate) meta_info: JsonMap,
    pub(crate) expected: u64,
    pub(crate) position: u64,
    pub(crate) created: u64,
    pub(crate) ends: Ends,
    pub(crate) preparing: u64,
    pub(crate) queued: u64,
    pub(crate) leaves: u64,
}

const COLUMNS: &str = "r.id, r.uuid, r.kind, r.status, r.managed_by, r.meta_info, p.expected, p.position, p.created, \
     p.succeeded, p.failed, p.broken, p.upstream_failed, p.stopped, p.skipped, p.preparing, p.queued, p.leaves";

/// The state of a child towards its pipeline.
pub(crate) mod state {
    pub(crate) const WAITING: &str = "waiting";
    pub(crate) const READY: &str = "ready";
    pub(crate) const RELEASED: &str = "released";
    /// It ended by what was before it, and may begin when that changes.
    pub(crate) const DECIDED: &str = "decided";
    /// It ended as it was made, and nothing before it matters.
    pub(crate) const SETTLED: &str = "settled";
}

/// The id of a child: the same for the same place in the same pipeline.
pub fn child_id(pipeline: RunId, place: &str) -> RunId {
    RunId::new(Uuid::new_v5(&pipeline.uuid(), place.as_bytes()))
}

impl Pipeline {
    pub(crate) fn load(tx: &mut dyn Tx, id: i64) -> Result<Option<Pipeline>> {
        let sql = format!("SELECT {COLUMNS} FROM pipelines p JOIN runs r ON r.id = p.run_id WHERE p.run_id = ?1");
        first(tx, &sql, args![id])?.map(Pipeline::read).transpose()
    }

    fn read(mut row: Row) -> Result<Pipeline> {
        let row = &mut row;
        Ok(Pipeline {
            id: row.take()?,
            run: row.take()?,
            kind: row.take()?,
            status: row.take()?,
            managed_by: row.take()?,
            meta_info: row.take_json()?,
            expected: count(row)?,
            position: count(row)?,
            created: count(row)?,
            ends: Ends {
                succeeded: count(row)?,
                failed: count(row)?,
                broken: count(row)?,
                upstream_failed: count(row)?,
                stopped: count(row)?,
                skipped: count(row)?,
            },
            preparing: count(row)?,
            queued: count(row)?,
            leaves: count(row)?,
        })
    }

    pub(crate) fn limit(&self) -> Option<u64> {
        limit(&self.meta_info)
    }

    /// Whether every child exists and has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.position >= self.expected && self.ends.total() >= self.created
    }
}

/// The live limit of a pipeline: editable while it runs.
fn limit(meta_info: &JsonMap) -> Option<u64> {
    concurrency::limit(meta_info.get("concurrency").and_then(Json::as_i64))
}

/// A count; it never is negative, and one that a fault made so must not hang a pipeline.
fn count(row: &mut Row) -> Result<u64> {
    Ok(u64::try_from(row.take::<i64>()?).unwrap_or(0))
}
