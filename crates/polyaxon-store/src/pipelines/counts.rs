//! The counts of pipelines, changed in the transaction that changes what they count.

use polyaxon_engine::flow::trigger::is_broken;
use polyaxon_engine::state::{Action, Event, Place, RunState, Verb};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::Trigger;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use super::react::{self, OPERATION};
use super::{advance, events, tracks};
use crate::db::{Row, Tx, args, first, scalar};
use crate::{Result, actions, lifecycle};

/// What a child costs its pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Preparing,
    Queued,
    Active,
}

fn stage(run: &RunState) -> Stage {
    let status = run.status;
    if run.control.place != Place::Child || run.control.is_held || run.pending.is_some() || status.is_done() {
        Stage::Idle
    } else if run.kind.is_pipeline() || status.is_compilable() || status == Status::Compiled {
        Stage::Preparing
    } else if status == Status::Queued {
        Stage::Queued
    } else {
        Stage::Active
    }
}

/// Keeps the counts around a run right when its state changes.
pub(crate) fn follow(
    tx: &mut dyn Tx,
    id: i64,
    around: Option<i64>,
    before: &RunState,
    after: &RunState,
    now: Timestamp,
) -> Result<()> {
    if after.control.place == Place::Independent {
        return Ok(());
    }
    let (from, to) = (stage(before), stage(after));
    if from != to {
        let is = |stage| i64::from(to == stage) - i64::from(from == stage);
        let leaves = is(Stage::Queued) + is(Stage::Active);
        let mut above = around;
        let mut direct = [is(Stage::Preparing), is(Stage::Queued)];
        while let Some(pipeline) = above.take_if(|_| leaves != 0 || direct != [0, 0]) {
            let sql = "UPDATE pipelines SET preparing = preparing + ?2, queued = queued + ?3, leaves = leaves + ?4 \
                       WHERE run_id = ?1 RETURNING parent_id";
            let row = first(tx, sql, args![pipeline, direct[0], direct[1], leaves])?;
            direct = [0, 0];
            above = row.map(|mut row| row.take::<Option<i64>>()).transpose()?.flatten();
        }
    }
    if before.status.is_done() && !after.status.is_done() {
        reopen(tx, id, now)?;
    }
    if let Some(pipeline) = around.filter(|_| becomes_ready(before, after)) {
        advance::enqueue(tx, pipeline, now)?;
    }
    Ok(())
}

/// Whether the run waits for nothing but its pipelines' limits from now on.
pub(crate) fn becomes_ready(before: &RunState, after: &RunState) -> bool {
    is_ready(after) && !is_ready(before)
}

fn is_ready(run: &RunState) -> bool {
    run.status == Status::Compiled
        && run.control.place == Place::Child
        && run.pending.is_none()
        && !run.kind.is_pipeline()
}

/// Takes back the end of a run that goes on, and opens the pipeline around it; one that is being stopped stops it too.
fn reopen(tx: &mut dyn Tx, id: i64, now: Timestamp) -> Result<()> {
    let sql = "SELECT c.counted, c.counted_bad, p.id, p.uuid, p.status FROM pipeline_children c \
               JOIN runs p ON p.id = c.pipeline_id WHERE c.run_id = ?1";
    let Some(mut row) = first(tx, sql, args![id])? else { return Ok(()) };
    let counted = Counted { end: row.take()?, is_bad: row.take()? };
    let (pipeline, run, status): (i64, RunId, Status) = (row.take()?, row.take()?, row.take()?);
    let downstream = replace(tx, id, pipeline, &counted, &Counted::default())?;
    react::take_back(tx, downstream)?;
    tracks::pardon(tx, id)?;
    tx.execute("UPDATE pipelines SET reopened = reopened + 1 WHERE run_id = ?1", args![pipeline])?;
    if status.is_done() {
        lifecycle::apply(tx, run, &Event::Reopened, now)?;
    } else if status == Status::Stopping {
        // What stops its children has passed this one, and it would never end.
        actions::write(tx, pipeline, &Action::Cascade { verb: Verb::Stop }, None, now)?;
    }
    Ok(())
}

/// An end of a child as it is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counted {
    /// The column of the pipeline that it is counted in.
    end: Option<String>,
    is_bad: bool,
}

/// Counts the end of a child in its pipeline and its downstreams, and answers those. None when it was counted before.
pub(super) fn count(tx: &mut dyn Tx, id: i64, status: Status) -> Result<Option<Vec<Row>>> {
    let sql =
        "SELECT counted, counted_bad, trigger_rule, bad, pipeline_id, listens FROM pipeline_children WHERE run_id = ?1";
    let Some(mut row) = first(tx, sql, args![id])? else { return Ok(None) };
    let before = Counted { end: row.take()?, is_bad: row.take()? };
    let (trigger, bad, pipeline): (Trigger, i64, i64) = (row.take()?, row.take()?, row.take()?);
    let listens: bool = row.take()?;
    let has_bad_upstream = bad > 0 || (listens && events::has_bad_source(tx, id)?);
    let is_broken = is_broken(status, trigger, has_bad_upstream);
    let end = if is_broken { "broken" } else { status.as_str() };
    let is_bad = is_broken || matches!(status, Status::Failed | Status::Stopped);
    let after = Counted { end: Some(end.to_owned()), is_bad };
    if before == after { Ok(None) } else { replace(tx, id, pipeline, &before, &after).map(Some) }
}

/// The same for an end that was counted before, when what it depends on has changed.
pub(super) fn recount(tx: &mut dyn Tx, id: i64) -> Result<Option<Vec<Row>>> {
    let sql = "SELECT r.status FROM pipeline_children c JOIN runs r ON r.id = c.run_id \
               WHERE c.run_id = ?1 AND c.counted IS NOT NULL";
    scalar(tx, sql, args![id])?.map_or(Ok(None), |status| count(tx, id, status))
}

/// Counts an end instead of another. Answers the operations after the run as they are then.
fn replace(tx: &mut dyn Tx, id: i64, pipeline: i64, before: &Counted, after: &Counted) -> Result<Vec<Row>> {
    if before == after {
        return Ok(Vec::new());
    }
    let mut in_pipeline = Vec::new();
    let mut downstream = Vec::new();
    for (end, delta) in [(&before.end, -1), (&after.end, 1)] {
        let Some(column) = end.as_deref().and_then(column) else { continue };
        in_pipeline.push(format!("{column} = {column} + {delta}"));
        let column = if matches!(column, "broken" | "upstream_failed") { "failed" } else { column };
        downstream.push((column, delta));
    }
    downstream.push(("bad", i64::from(after.is_bad) - i64::from(before.is_bad)));
    let sql = format!("UPDATE pipelines SET {} WHERE run_id = ?1", in_pipeline.join(", "));
    tx.execute(&sql, args![pipeline])?;
    let sql = "UPDATE pipeline_children SET counted = ?2, counted_bad = ?3 WHERE run_id = ?1";
    tx.execute(sql, args![id, after.end.as_deref(), after.is_bad])?;
    let sum =
        |name: &str| downstream.iter().filter(|(column, _)| *column == name).map(|(_, delta)| *delta).sum::<i64>();
    let sql = format!(
        "UPDATE pipeline_children SET succeeded = succeeded + ?2, failed = failed + ?3, stopped = stopped + ?4, \
         skipped = skipped + ?5, bad = bad + ?6 WHERE run_id IN \
         (SELECT downstream_id FROM run_edges WHERE upstream_id = ?1 AND kind = 'dag') RETURNING {OPERATION}"
    );
    tx.query(&sql, args![id, sum("succeeded"), sum("failed"), sum("stopped"), sum("skipped"), sum("bad")])
}

/// The columns that ends are counted in.
fn column(end: &str) -> Option<&'static str> {
    ["succeeded", "failed", "broken", "upstream_failed", "stopped", "skipped"].into_iter().find(|name| *name == end)
}
