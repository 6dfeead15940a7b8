//! What must hold after each step, whatever happened.

use std::collections::{BTreeMap, BTreeSet};

use polyaxon_engine::flow::completion::{Course, Ends, conclude};
use polyaxon_engine::flow::concurrency;
use polyaxon_engine::flow::trigger::{OnSkip, Upstreams, Verdict, evaluate};
use polyaxon_engine::state::{Control, Force, Place};
use polyaxon_engine::transition::is_allowed;
use polyaxon_model::JsonMap;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{Pending, RunKind, Trigger};
use polyaxon_model::status::Status;
use polyaxon_store::db::Tx;
use polyaxon_store::{Error, statuses};

use crate::world::{World, told};

/// A run as the store has it.
struct Run {
    id: i64,
    uuid: RunId,
    kind: RunKind,
    status: Status,
    pending: Option<Pending>,
    pipeline: Option<i64>,
    meta_info: JsonMap,
    control: Control,
}

/// What a pipeline has counted.
struct Counts {
    preparing: i64,
    queued: i64,
    leaves: i64,
    created: i64,
    ends: Ends,
}

/// An operation of a dag.
struct Operation {
    run: i64,
    state: String,
    trigger: Trigger,
    on_skip: bool,
    upstreams: Vec<i64>,
}

type Result<T> = std::result::Result<T, String>;

fn read<T>(world: &World, closure: impl FnOnce(&mut dyn Tx) -> std::result::Result<T, Error>) -> Result<T> {
    world.store.read_blocking(closure).map_err(told)
}

fn all(world: &World) -> Result<BTreeMap<i64, Run>> {
    let sql = "SELECT id, uuid, kind, status, pending, pipeline_id, meta_info, control FROM runs ORDER BY id";
    read(world, |tx| {
        tx.query(sql, &[])?
            .into_iter()
            .map(|mut row| {
                let run = Run {
                    id: row.take()?,
                    uuid: row.take()?,
                    kind: row.take()?,
                    status: row.take()?,
                    pending: row.take()?,
                    pipeline: row.take()?,
                    meta_info: row.take_json()?,
                    control: row.take_json()?,
                };
                Ok((run.id, run))
            })
            .collect()
    })
}

pub(crate) fn runs(world: &World) -> Result<Vec<RunId>> {
    Ok(all(world)?.into_values().map(|run| run.uuid).collect())
}

pub(crate) fn count(world: &World) -> Result<u64> {
    Ok(all(world)?.len() as u64)
}

fn counts(world: &World) -> Result<BTreeMap<i64, Counts>> {
    let sql = "SELECT run_id, preparing, queued, leaves, created, succeeded, failed, broken, upstream_failed, stopped, \
               skipped FROM pipelines";
    read(world, |tx| {
        tx.query(sql, &[])?
            .into_iter()
            .map(|mut row| {
                let id = row.take()?;
                let (preparing, queued, leaves, created) = (row.take()?, row.take()?, row.take()?, row.take()?);
                let mut end = || row.take::<i64>().map(|count| count as u64);
                let ends = Ends {
                    succeeded: end()?,
                    failed: end()?,
                    broken: end()?,
                    upstream_failed: end()?,
                    stopped: end()?,
                    skipped: end()?,
                };
                Ok((id, Counts { preparing, queued, leaves, created, ends }))
            })
            .collect()
    })
}

fn operations(world: &World) -> Result<Vec<Operation>> {
    read(world, |tx| {
        let mut upstreams: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for mut row in tx.query("SELECT downstream_id, upstream_id FROM run_edges WHERE kind = 'dag'", &[])? {
            upstreams.entry(row.take()?).or_default().push(row.take()?);
        }
        tx.query("SELECT run_id, state, trigger_rule, on_skip FROM pipeline_children", &[])?
            .into_iter()
            .map(|mut row| {
                let run = row.take()?;
                let upstreams = upstreams.remove(&run).unwrap_or_default();
                Ok(Operation { run, state: row.take()?, trigger: row.take()?, on_skip: row.take()?, upstreams })
            })
            .collect()
    })
}

pub(crate) fn check(world: &World) -> Result<()> {
    let all = all(world)?;
    histories(world, &all)?;
    slots(world, &all)?;
    limits(world, &all)?;
    if world.has_users { Ok(()) } else { order(world, &all) }
}

/// 1, 2: a final status is left only by another life, and every step of the history is legal.
fn histories(world: &World, all: &BTreeMap<i64, Run>) -> Result<()> {
    for run in all.values() {
        let history: Vec<StatusCondition> =
            read(world, |tx| Ok(statuses::since(tx, run.uuid, 0)?.into_iter().map(|item| item.condition).collect()))?;
        for pair in history.windows(2) {
            let (from, to) = (pair[0].status, pair[1].status);
            let force = if pair[1].reason.as_deref() == Some("ResumeManager") { Force::Yes } else { Force::No };
            if !is_allowed(from, to, force) {
                return Err(format!("run {} went from {from} to {to}", run.uuid));
            }
        }
        if history.last().map(|last| last.status) != Some(run.status) {
            return Err(format!("run {} is {}, which is not the end of its history", run.uuid, run.status));
        }
    }
    Ok(())
}

/// 3, 5: one live attempt a run, and no more of them than slots.
fn slots(world: &World, all: &BTreeMap<i64, Run>) -> Result<()> {
    let live = all.values().filter(|run| run.control.is_attempt_live).count();
    if live > 4 {
        return Err(format!("{live} runs have one of 4 slots"));
    }
    for (uuid, attempt) in world.executor.live() {
        let run = all.values().find(|run| run.uuid == uuid).ok_or("a process belongs to no run")?;
        if run.control.attempt < attempt {
            return Err(format!("attempt {attempt} of run {uuid} was never decided"));
        }
    }
    Ok(())
}

/// 5: pipelines keep their limits at any depth, and have counted right.
fn limits(world: &World, all: &BTreeMap<i64, Run>) -> Result<()> {
    let mut expected: BTreeMap<i64, [i64; 3]> = BTreeMap::new();
    for run in all.values() {
        let Some(parent) = run.pipeline.filter(|_| run.control.place == Place::Child) else { continue };
        if run.control.is_held || run.pending.is_some() || run.status.is_done() {
            continue;
        }
        let is_preparing = run.kind.is_pipeline() || run.status.is_compilable() || run.status == Status::Compiled;
        if is_preparing {
            expected.entry(parent).or_default()[0] += 1;
            continue;
        }
        if run.status == Status::Queued {
            expected.entry(parent).or_default()[1] += 1;
        }
        let mut around = Some(parent);
        while let Some(id) = around {
            expected.entry(id).or_default()[2] += 1;
            around = all.get(&id).filter(|run| run.control.place == Place::Child).and_then(|run| run.pipeline);
        }
    }
    for (id, counts) in counts(world)? {
        let [preparing, queued, leaves] = expected.get(&id).copied().unwrap_or_default();
        let run = all.get(&id).ok_or("a pipeline is no run")?;
        if [counts.preparing, counts.queued, counts.leaves] != [preparing, queued, leaves] {
            let counted = [counts.preparing, counts.queued, counts.leaves];
            return Err(format!("pipeline {} counts {counted:?}, not {:?}", run.uuid, [preparing, queued, leaves]));
        }
        let limit = concurrency::limit(run.meta_info.get("concurrency").and_then(serde_json::Value::as_i64));
        if limit.is_some_and(|limit| leaves > limit as i64) {
            return Err(format!("pipeline {} runs {leaves} operations, its limit is {limit:?}", run.uuid));
        }
    }
    Ok(())
}

/// 6: no operation begins before its upstreams allow it, and none is held up or given up wrongly.
fn order(world: &World, all: &BTreeMap<i64, Run>) -> Result<()> {
    for operation in operations(world)? {
        let Some(run) = all.get(&operation.run) else { continue };
        let mut upstreams = Upstreams { total: operation.upstreams.len() as u64, ..Upstreams::default() };
        for upstream in &operation.upstreams {
            all.get(upstream).into_iter().for_each(|run| upstreams.count(run.status));
        }
        let on_skip = if operation.on_skip { OnSkip::Skip } else { OnSkip::GoOn };
        let verdict = evaluate(operation.trigger, on_skip, &upstreams);
        let has_begun = matches!(operation.state.as_str(), "ready" | "released") && run.control.place == Place::Child;
        if has_begun && verdict != Verdict::Run {
            return Err(format!("run {} began although its trigger says {verdict:?}", run.uuid));
        }
        if operation.state == "decided" && !matches!(verdict, Verdict::Skip | Verdict::UpstreamFailed) {
            return Err(format!("run {} was given up although its trigger says {verdict:?}", run.uuid));
        }
    }
    Ok(())
}

/// What must hold when nothing is left to do.
pub(crate) fn check_end(world: &World) -> Result<()> {
    let all = all(world)?;
    let counts = counts(world)?;
    // 7: nothing is forgotten. What waits for a user, and what that holds up, waits on.
    let mut waiting: BTreeSet<i64> = BTreeSet::new();
    for run in all.values().filter(|run| run.pending.is_some() && !run.status.is_done()) {
        let mut at = Some(run.id);
        while let Some(id) = at {
            waiting.insert(id);
            at = all.get(&id).and_then(|run| run.pipeline);
        }
    }
    let is_held_up = |run: &Run| run.pipeline.is_some_and(|pipeline| waiting.contains(&pipeline));
    let forgotten: Vec<String> = all
        .values()
        .filter(|run| !run.status.is_done() && !waiting.contains(&run.id) && !is_held_up(run))
        .map(|run| format!("run {} ({}, child of {:?}) is {} for ever", run.uuid, run.kind, run.pipeline, run.status))
        .collect();
    if !forgotten.is_empty() {
        return Err(forgotten.join("; "));
    }
    // 8: the end of a pipeline is a function of the ends of its children.
    for (id, counts) in counts {
        let run = all.get(&id).ok_or("a pipeline is no run")?;
        let children = all.values().filter(|child| child.pipeline == Some(id));
        let open = children.clone().filter(|child| !child.status.is_done()).count();
        if run.status.is_done() && open > 0 && run.kind != RunKind::Schedule {
            return Err(format!("pipeline {} is {} and has {open} open children", run.uuid, run.status));
        }
        let done = children.clone().filter(|child| child.status.is_done()).count();
        if counts.ends.total() != done as u64 || counts.created != children.count() as i64 {
            return Err(format!("pipeline {} counted {:?}, but {done} children have ended", run.uuid, counts.ends));
        }
        // Early stopping reaches everything below.
        let mut around = Some(id);
        let mut is_early = false;
        while let Some(pipeline) = around.and_then(|id| all.get(&id)) {
            is_early |= pipeline.meta_info.contains_key("early_stopping");
            around = pipeline.pipeline;
        }
        let is_ordinary = !world.has_users && !is_early && run.kind != RunKind::Schedule && run.status.is_done();
        if is_ordinary && conclude(Course::Ordinary, &counts.ends).status != run.status {
            return Err(format!("pipeline {} is {}, with {:?}", run.uuid, run.status, counts.ends));
        }
    }
    Ok(())
}
