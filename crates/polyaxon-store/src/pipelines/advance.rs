//! Lets children begin and queue as far as the limits of their pipelines allow.

use polyaxon_engine::flow::concurrency::{self, Leaf};
use polyaxon_engine::state::Event;
use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::ManagedBy;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use super::{COLUMNS, Pipeline, limit, state};
use crate::db::{Tx, args, first};
use crate::{Result, lifecycle};

/// Runs that one pipeline can let queue in one pass.
const MOST: u64 = 500;

/// Lets children of a pipeline begin, and then those below its limits queue.
pub(super) fn advance(tx: &mut dyn Tx, pipeline: Pipeline, now: Timestamp) -> Result<()> {
    if pipeline.managed_by != ManagedBy::Agent {
        return Ok(());
    }
    if pipeline.status == Status::Running {
        release(tx, &pipeline, now)?;
    }
    enqueue(tx, pipeline.id, now)
}

/// Children that may begin do so, a few more than there is room for, so that the room never waits for them.
fn release(tx: &mut dyn Tx, pipeline: &Pipeline, now: Timestamp) -> Result<()> {
    let ahead = concurrency::look_ahead(pipeline.limit());
    let room = ahead.saturating_sub(pipeline.preparing + pipeline.queued);
    if room == 0 {
        return Ok(());
    }
    let sql = "SELECT c.run_id, r.uuid FROM pipeline_children c JOIN runs r ON r.id = c.run_id \
               WHERE c.pipeline_id = ?1 AND c.state = ?2 ORDER BY c.position LIMIT ?3";
    for mut row in tx.query(sql, args![pipeline.id, state::READY, room as i64])? {
        let (id, run): (i64, RunId) = (row.take()?, row.take()?);
        super::react::set_state(tx, id, state::RELEASED)?;
        lifecycle::apply(tx, run, &Event::Released, now)?;
    }
    Ok(())
}

/// Compiled runs queue wherever in the tree of pipelines there is room now.
pub(super) fn enqueue(tx: &mut dyn Tx, pipeline: i64, now: Timestamp) -> Result<()> {
    let top = top(tx, pipeline)?;
    let tree = tree(tx, top)?;
    let known: Vec<concurrency::Pipeline> = tree.iter().map(|(pipeline, _)| *pipeline).collect();
    let mut waiting = Vec::new();
    for (pipeline, preparing) in tree {
        let room = pipeline.limit.map_or(MOST, |limit| limit.saturating_sub(pipeline.leaves)).min(MOST);
        if room == 0 || preparing == 0 {
            continue;
        }
        let sql = "SELECT uuid, priority, created_at FROM runs WHERE pipeline_id = ?1 AND status = ?2 \
                   AND pending IS NULL AND kind NOT IN ('dag', 'matrix', 'schedule') AND managed_by = ?3 \
                   ORDER BY priority DESC, created_at, uuid LIMIT ?4";
        let rows = tx.query(sql, args![pipeline.id, Status::Compiled, ManagedBy::Agent, room as i64])?;
        for mut row in rows {
            let (run, priority, created_at) = (row.take()?, row.take()?, row.take()?);
            waiting.push(Leaf { run, pipeline: pipeline.id, priority, created_at });
        }
    }
    for run in concurrency::enqueue(&known, &waiting) {
        lifecycle::apply(tx, run, &Event::Enqueued, now)?;
    }
    Ok(())
}

/// Whether this pipeline and all around it are running and have no limit, so that there is nothing to weigh.
pub(crate) fn has_no_limit(tx: &mut dyn Tx, mut around: Option<i64>) -> Result<bool> {
    let sql = "SELECT p.parent_id, r.status, r.meta_info FROM pipelines p JOIN runs r ON r.id = p.run_id \
               WHERE p.run_id = ?1";
    while let Some(pipeline) = around {
        let Some(mut row) = first(tx, sql, args![pipeline])? else { return Ok(false) };
        around = row.take()?;
        let (status, meta_info): (Status, JsonMap) = (row.take()?, row.take_json()?);
        if status != Status::Running || limit(&meta_info).is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn top(tx: &mut dyn Tx, pipeline: i64) -> Result<i64> {
    let mut top = pipeline;
    while let Some(mut row) = first(tx, "SELECT parent_id FROM pipelines WHERE run_id = ?1", args![top])? {
        match row.take::<Option<i64>>()? {
            Some(parent) => top = parent,
            None => break,
        }
    }
    Ok(top)
}

/// The running pipelines below and including one, with how many children each prepares. Nothing begins below one that
/// does not run, such as one that is being stopped.
fn tree(tx: &mut dyn Tx, top: i64) -> Result<Vec<(concurrency::Pipeline, u64)>> {
    let sql = format!(
        "WITH RECURSIVE tree (id) AS (SELECT id FROM runs WHERE id = ?1 AND status = 'running' UNION ALL \
         SELECT p.run_id FROM pipelines p JOIN tree t ON p.parent_id = t.id JOIN runs r ON r.id = p.run_id \
         WHERE r.status = 'running') \
         SELECT p.parent_id, {COLUMNS} FROM tree t JOIN pipelines p ON p.run_id = t.id JOIN runs r ON r.id = p.run_id"
    );
    tx.query(&sql, args![top])?
        .into_iter()
        .map(|mut row| {
            let parent = row.take()?;
            let Pipeline { id, leaves, preparing, meta_info, .. } = Pipeline::read(row)?;
            let limit = limit(&meta_info);
            Ok((concurrency::Pipeline { id, parent, limit, leaves }, preparing))
        })
        .collect()
}

/// Looks at every running pipeline, in case that a limit was raised or a step was missed.
pub fn advance_all(tx: &mut dyn Tx, now: Timestamp) -> Result<()> {
    let sql = "SELECT p.run_id FROM pipelines p JOIN runs r ON r.id = p.run_id \
               WHERE r.status IN ('running', 'stopping', 'compiled') AND r.kind <> 'schedule' ORDER BY p.run_id";
    for mut row in tx.query(sql, &[])? {
        super::react::settle(tx, row.take()?, now)?;
    }
    Ok(())
}
