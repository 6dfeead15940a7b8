//! What follows the end of a run: its downstream operations, its pipeline, its schedule.

use std::collections::BTreeSet;

use polyaxon_engine::flow::completion::{self, Course};
use polyaxon_engine::flow::trigger::{OnSkip, Upstreams, Verdict, evaluate};
use polyaxon_engine::flow::{event, metrics};
use polyaxon_engine::state::{Action, Ending, Event, Verb};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{RunKind, Runtime, Trigger};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use super::{Pipeline, advance, counts, early_stopping, events, outputs, reports, schedule, state};
use crate::db::{Row, Tx, args, first, scalar};
use crate::{Result, actions, builds, cache, lifecycle};

/// Performs the `React` actions of runs and closes them.
pub fn react(tx: &mut dyn Tx, ended: &[(RunId, i64)], now: Timestamp) -> Result<()> {
    let mut touched = BTreeSet::new();
    for (run, seq) in ended {
        if actions::done(tx, *run, *seq, now)? {
            react_to(tx, *run, &mut touched, now)?;
        }
    }
    for pipeline in touched {
        look_further(tx, pipeline, now)?;
        settle(tx, pipeline, now)?;
    }
    Ok(())
}

/// A search that learns from its trials is asked for the next ones.
fn look_further(tx: &mut dyn Tx, pipeline: i64, now: Timestamp) -> Result<()> {
    let Some(found) = Pipeline::load(tx, pipeline)? else { return Ok(()) };
    let wants_more =
        found.kind == RunKind::Matrix && found.status == Status::Running && found.position < found.expected;
    if wants_more && !actions::is_open(tx, pipeline, &Action::Expand)? {
        actions::write(tx, pipeline, &Action::Expand, None, now)?;
    }
    Ok(())
}

/// Fills the room that a pipeline has, or ends it. For whenever something about it changed.
pub(crate) fn settle(tx: &mut dyn Tx, pipeline: i64, now: Timestamp) -> Result<()> {
    let Some(found) = Pipeline::load(tx, pipeline)? else { return Ok(()) };
    conclude(tx, &found, now)?;
    advance::advance(tx, found, now)
}

/// Notes the pipelines that are to be looked at.
fn react_to(tx: &mut dyn Tx, run: RunId, touched: &mut BTreeSet<i64>, now: Timestamp) -> Result<()> {
    let sql = "SELECT r.id, r.kind, r.status, r.pipeline_id, p.kind, o.plan IS NOT NULL, r.runtime, \
               EXISTS (SELECT 1 FROM run_edges e WHERE e.upstream_id = r.id AND e.events IS NOT NULL) FROM runs r \
               LEFT JOIN runs p ON p.id = r.pipeline_id LEFT JOIN pipelines o ON o.run_id = r.pipeline_id \
               WHERE r.uuid = ?1";
    let Some(mut row) = first(tx, sql, args![run])? else { return Ok(()) };
    let (id, kind, status): (i64, RunKind, Status) = (row.take()?, row.take()?, row.take()?);
    let (around, around_kind): (Option<i64>, Option<RunKind>) = (row.take()?, row.take()?);
    let (has_plan, runtime, has_listeners): (bool, Option<Runtime>, bool) = (row.take()?, row.take()?, row.take()?);
    if !status.is_done() {
        return Ok(());
    }
    touched.extend(around);
    cache::release(tx, id, now)?;
    if runtime == Some(Runtime::Builder) {
        builds::release(tx, id, run, status, now)?;
    }
    if has_listeners {
        touched.extend(events::tell(tx, id, now)?);
    }
    if matches!(kind, RunKind::Dag | RunKind::Matrix) && has_open_children(tx, id)? {
        actions::write(tx, id, &Action::Cascade { verb: Verb::Stop }, None, now)?;
    }
    if let Some(downstream) = counts::count(tx, id, status)? {
        decide_after(tx, downstream, now)?;
        if let Some(around) = around.filter(|_| has_plan) {
            early_stopping::check(tx, around, id, now)?;
        }
    }
    if let (Some(around), Some(RunKind::Schedule)) = (around, around_kind) {
        schedule::tick_ended(tx, around, now)?;
    }
    Ok(())
}

fn has_open_children(tx: &mut dyn Tx, id: i64) -> Result<bool> {
    let Some(pipeline) = Pipeline::load(tx, id)? else { return Ok(false) };
    Ok(pipeline.ends.total() < pipeline.created)
}

/// An operation of a dag and how its upstreams stand.
struct Operation {
    id: i64,
    trigger: Trigger,
    on_skip: OnSkip,
    state: String,
    upstreams: Upstreams,
    listens: bool,
}

/// The columns of `pipeline_children` that an operation is read from.
pub(super) const OPERATION: &str =
    "run_id, trigger_rule, on_skip, state, upstreams, succeeded, failed, stopped, skipped, listens";

/// Decides about an operation that can still begin.
pub(super) fn decide_one(tx: &mut dyn Tx, id: i64, now: Timestamp) -> Result<()> {
    let sql = format!("SELECT {OPERATION} FROM pipeline_children WHERE run_id = ?1");
    let operation = first(tx, &sql, args![id])?.map(read).transpose()?;
    operation.map_or(Ok(()), |operation| decide(tx, &operation, now))
}

/// Decides about every operation of a dag that waits: when it begins, and when it goes on after a resume.
pub(super) fn decide_all(tx: &mut dyn Tx, pipeline: i64, now: Timestamp) -> Result<()> {
    let sql = format!("SELECT {OPERATION} FROM pipeline_children WHERE pipeline_id = ?1 AND state = 'waiting'");
    let waiting: Vec<Operation> = tx.query(&sql, args![pipeline])?.into_iter().map(read).collect::<Result<_>>()?;
    waiting.iter().try_for_each(|operation| decide(tx, operation, now))
}

/// Decides about the operations after a run that has ended, or whose end counts differently now.
fn decide_after(tx: &mut dyn Tx, downstream: Vec<Row>, now: Timestamp) -> Result<()> {
    let operations = downstream.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    // One that can go on again takes its end back, which others of them may have counted.
    let can_change = operations.iter().any(|operation| operation.state == state::DECIDED);
    operations.iter().try_for_each(|operation| {
        if can_change { decide_one(tx, operation.id, now) } else { decide(tx, operation, now) }
    })
}

/// The end of a run was taken back: the operations after it that have not begun wait for it again.
pub(super) fn take_back(tx: &mut dyn Tx, downstream: Vec<Row>) -> Result<()> {
    for row in downstream {
        let operation = read(row)?;
        if operation.state == state::READY && verdict(tx, &operation)? != Verdict::Run {
            set_state(tx, operation.id, state::WAITING)?;
        }
    }
    Ok(())
}

fn read(mut row: Row) -> Result<Operation> {
    let row = &mut row;
    Ok(Operation {
        id: row.take()?,
        trigger: row.take()?,
        on_skip: if row.take()? { OnSkip::Skip } else { OnSkip::GoOn },
        state: row.take()?,
        upstreams: Upstreams {
            total: super::count(row)?,
            succeeded: super::count(row)?,
            failed: super::count(row)?,
            stopped: super::count(row)?,
            skipped: super::count(row)?,
        },
        listens: row.take()?,
    })
}

fn decide(tx: &mut dyn Tx, operation: &Operation, now: Timestamp) -> Result<()> {
    let Operation { id, trigger, ref upstreams, .. } = *operation;
    let is_decided = operation.state == state::DECIDED;
    if !is_decided && operation.state != state::WAITING {
        return Ok(());
    }
    let (status, message) = match (verdict(tx, operation)?, is_decided) {
        (Verdict::Wait, false) => return Ok(()),
        (Verdict::Wait, true) => return go_on(tx, id, state::WAITING, now),
        // What is ready is released when its pipeline has room.
        (Verdict::Run, false) => return set_state(tx, id, state::READY),
        (Verdict::Run, true) => return go_on(tx, id, state::READY, now),
        (Verdict::Skip | Verdict::UpstreamFailed, true) => return count_again(tx, id, now),
        (Verdict::Skip, false) => (Status::Skipped, "An upstream operation was skipped.".to_owned()),
        (Verdict::UpstreamFailed, false) => {
            let mut reasons = Vec::new();
            if operation.listens {
                reasons.push(events::lost(tx, id)?);
            }
            if upstreams.total > 0 {
                reasons.push(format!("The trigger `{trigger}` cannot come true any more: {}.", told(upstreams)));
            }
            (Status::UpstreamFailed, reasons.join(" "))
        }
    };
    set_state(tx, id, state::DECIDED)?;
    let Some(run) = scalar(tx, RUN, args![id])? else { return Ok(()) };
    let is_lost = operation.listens && status == Status::UpstreamFailed;
    let reason = if is_lost { event::LOST } else { "SchedulerNotifyDone" };
    let ending = Ending { status, reason: reason.to_owned(), message };
    lifecycle::apply(tx, run, &Event::Concluded(ending), now).map(drop)
}

fn verdict(tx: &mut dyn Tx, operation: &Operation) -> Result<Verdict> {
    let Operation { id, trigger, on_skip, ref upstreams, .. } = *operation;
    if operation.listens {
        events::verdict(tx, id, trigger, on_skip, upstreams)
    } else {
        Ok(evaluate(trigger, on_skip, upstreams))
    }
}

const RUN: &str = "SELECT uuid FROM runs WHERE id = ?1";

/// An operation that could not run can again. One that is deleted stays as it ended.
fn go_on(tx: &mut dyn Tx, id: i64, next: &str, now: Timestamp) -> Result<()> {
    let Some(run) = scalar(tx, RUN, args![id])? else { return Ok(()) };
    if lifecycle::apply(tx, run, &Event::Reset, now)?.next.status.is_done() {
        count_again(tx, id, now)
    } else {
        set_state(tx, id, next)
    }
}

/// Whether an operation that could not run counts as a failure depends on upstreams that have changed.
fn count_again(tx: &mut dyn Tx, id: i64, now: Timestamp) -> Result<()> {
    counts::recount(tx, id)?.map_or(Ok(()), |downstream| decide_after(tx, downstream, now))
}

/// The upstreams in words.
fn told(upstreams: &Upstreams) -> String {
    let Upstreams { total, succeeded, failed, stopped, skipped } = *upstreams;
    let counts = [(succeeded, "succeeded"), (failed, "failed"), (stopped, "stopped"), (skipped, "skipped")];
    let words: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    format!("of {total} upstream operations {}", words.join(", "))
}

pub(super) fn set_state(tx: &mut dyn Tx, id: i64, state: &str) -> Result<()> {
    tx.execute("UPDATE pipeline_children SET state = ?2 WHERE run_id = ?1", args![id, state])?;
    Ok(())
}

/// Ends a pipeline whose children have all ended.
fn conclude(tx: &mut dyn Tx, pipeline: &Pipeline, now: Timestamp) -> Result<()> {
    let is_stopping = pipeline.status == Status::Stopping;
    // A pipeline that is being stopped gets no further children.
    let is_over = pipeline.is_over() || (is_stopping && pipeline.ends.total() >= pipeline.created);
    let has_begun = is_stopping || matches!(pipeline.status, Status::Compiled | Status::Running);
    if !is_over || !has_begun || (pipeline.kind == RunKind::Schedule && !is_stopping) {
        return Ok(());
    }
    let course = if is_stopping { Course::Stopping } else { Course::Ordinary };
    let mut ending = completion::conclude(course, &pipeline.ends);
    if pipeline.kind == RunKind::Matrix && course == Course::Ordinary {
        ending = metrics::judge(ending, &reports::of(tx, pipeline.id)?);
    }
    if pipeline.kind == RunKind::Dag && ending.status == Status::Succeeded {
        outputs::hand_out(tx, pipeline)?;
    }
    lifecycle::apply(tx, pipeline.run, &Event::Concluded(ending), now).map(drop)
}
