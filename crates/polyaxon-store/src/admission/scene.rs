//! What a decision depends on, read from the database.

use std::cmp::Reverse;

use polyaxon_engine::admission::{Capacity, Lane, Load, Queue, Quota, Scene, Waiting};
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::queue::{DEFAULT_QUEUE, QueueResource};
use polyaxon_model::run::Resources;
use polyaxon_model::time::Timestamp;

use super::{TURN, WAITING};
use crate::db::{Row, Tx, args, first};
use crate::leases::ANYBODY;
use crate::{Result, servers, settings};

/// The queue of runs that named none.
const UNNAMED: i64 = 0;
/// How many runs that are for other machines are looked past.
const LOOKED_PAST: usize = 32;

/// An active run and what it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub queue: i64,
    pub lane: Lane,
    pub executor: Option<ExecutorId>,
    pub needs: Resources,
    pub devices: Vec<String>,
}

/// Everything that is held, of all executors.
pub fn held(tx: &mut dyn Tx) -> Result<Vec<Held>> {
    let sql = "SELECT queue_id, pipeline_id IS NULL, executor_id, devices, memory, cpu, gpu, custom, cost FROM runs \
               WHERE attempt_live";
    tx.query(sql, &[])?
        .into_iter()
        .map(|mut row| {
            Ok(Held {
                queue: row.take()?,
                lane: if row.take()? { Lane::Hand } else { Lane::Pipeline },
                executor: row.take()?,
                devices: list(row.take::<Option<String>>()?),
                needs: resources(&mut row)?,
            })
        })
        .collect()
}

fn list(text: Option<String>) -> Vec<String> {
    text.iter().flat_map(|text| text.split(',')).map(str::to_owned).collect()
}

fn resources(row: &mut Row) -> Result<Resources> {
    Ok(Resources { memory: row.take()?, cpu: row.take()?, gpu: row.take()?, custom: row.take()?, cost: row.take()? })
}

/// What a run asks for.
pub(super) fn needs(tx: &mut dyn Tx, run: RunId) -> Result<Option<Resources>> {
    let row = first(tx, "SELECT memory, cpu, gpu, custom, cost FROM runs WHERE uuid = ?1", args![run])?;
    row.map(|mut row| resources(&mut row)).transpose()
}

/// What one executor holds.
pub fn load(held: &[Held], executor: ExecutorId) -> Load {
    let mut load = Load::default();
    for held in held.iter().filter(|held| held.executor == Some(executor)) {
        load.held += 1;
        load.held_by_hand += usize::from(held.lane == Lane::Hand);
        load.cpus += held.needs.cpu;
        load.memory += held.needs.memory;
        load.gpus.extend(held.devices.iter().cloned());
    }
    load
}

/// The queues of an agent, with the first runs of each.
pub(super) fn load_scene(
    tx: &mut dyn Tx,
    agent: ExecutorId,
    capacity: &Capacity,
    load: Load,
    held: &[Held],
) -> Result<Scene> {
    let free = capacity.slots.saturating_sub(load.held) + capacity.reserve.saturating_sub(load.held_by_hand);
    let mut queues = Vec::new();
    for row in tx.query(&format!("{RULES} WHERE agent = ?1 ORDER BY id"), args![agent])? {
        let (queue, _) = rules(row)?;
        let queue = with_lines(tx, queue, free + LOOKED_PAST)?;
        if !queue.by_hand.is_empty() || !queue.by_pipelines.is_empty() {
            queues.push(with_held(tx, queue, agent, held)?);
        }
    }
    let has_groups = queues.iter().any(|queue| queue.priority != queues[0].priority);
    let turn = if has_groups { settings::get(tx, TURN)?.and_then(|text| text.parse().ok()).unwrap_or(0) } else { 0 };
    Ok(Scene { capacity: capacity.clone(), load, queues, turn })
}

fn with_lines(tx: &mut dyn Tx, mut queue: Queue, most: usize) -> Result<Queue> {
    let is_default = queue.name == DEFAULT_QUEUE;
    queue.by_hand = line(tx, queue.id, is_default, Lane::Hand, most)?;
    queue.by_pipelines = line(tx, queue.id, is_default, Lane::Pipeline, most)?;
    Ok(queue)
}

fn with_held(tx: &mut dyn Tx, mut queue: Queue, agent: ExecutorId, held: &[Held]) -> Result<Queue> {
    let is_default = queue.name == DEFAULT_QUEUE;
    for held in held {
        let is_unnamed = is_default && held.queue == UNNAMED;
        if held.queue == queue.id || is_unnamed && agent_of(tx, held.executor)? == agent {
            match held.lane {
                Lane::Hand => queue.held_by_hand += 1,
                Lane::Pipeline => queue.held_by_pipelines += 1,
            }
            queue.used += queue.quota.map_or(0.0, |quota| quota.asks(&held.needs));
        }
    }
    Ok(queue)
}

/// Whose queues an executor serves: a registered agent its own, everybody else those of the agent in the server.
pub(super) fn agent_of(tx: &mut dyn Tx, executor: Option<ExecutorId>) -> Result<ExecutorId> {
    let is_agent = executor.is_some_and(|executor| executor != ANYBODY) && servers::is_agent(tx, executor)?;
    Ok(executor.filter(|_| is_agent).unwrap_or(ANYBODY))
}

const RULES: &str = "SELECT id, name, priority, concurrency, resource, quota, agent FROM queues";

/// A queue without its runs, and its agent.
fn rules(mut row: Row) -> Result<(Queue, ExecutorId)> {
    let (id, name): (i64, String) = (row.take()?, row.take()?);
    let priority = row.take()?;
    let concurrency = row.take::<Option<i64>>()?.and_then(|number| u64::try_from(number).ok());
    let (resource, quota): (Option<QueueResource>, Option<String>) = (row.take()?, row.take()?);
    let quota = resource.zip(quota).and_then(|(resource, quota)| Quota::parse(resource, &quota));
    Ok((Queue { priority, concurrency, quota, ..Queue::unlimited(id, &name) }, row.take()?))
}

/// The queue that a run names, or the one of runs that name none.
pub(super) fn rules_of(tx: &mut dyn Tx, queue: i64) -> Result<(Queue, ExecutorId)> {
    let found = if queue == UNNAMED {
        first(tx, &format!("{RULES} WHERE agent = ?1 AND name = ?2"), args![ANYBODY, DEFAULT_QUEUE])?
    } else {
        first(tx, &format!("{RULES} WHERE id = ?1"), args![queue])?
    };
    found.map_or_else(|| Ok((Queue::unlimited(queue, DEFAULT_QUEUE), ANYBODY)), rules)
}

/// The first runs of a lane; those without a queue are in the default one.
fn line(tx: &mut dyn Tx, queue: i64, is_default: bool, lane: Lane, most: usize) -> Result<Vec<Waiting>> {
    let mut rows = first_of(tx, queue, lane, most)?;
    if is_default {
        let unnamed = first_of(tx, UNNAMED, lane, most)?;
        if rows.is_empty() {
            rows = unnamed;
        } else {
            rows.extend(unnamed);
            rows.sort_by_key(|(priority, id, run)| (Reverse(*priority), run.queued_at, *id));
        }
    }
    Ok(rows.into_iter().map(|(_, _, run)| run).take(most).collect())
}

/// By the index of the lane, so that nothing is read but what is answered.
pub(super) fn first_of_sql(lane: Lane) -> String {
    let of_lane = match lane {
        Lane::Hand => "pipeline_id IS NULL",
        Lane::Pipeline => "pipeline_id IS NOT NULL",
    };
    format!(
        "SELECT priority, id, uuid, queued_at, memory, cpu, gpu, custom, cost FROM runs \
         WHERE queue_id = ?1 AND {of_lane} AND {WAITING} ORDER BY priority DESC, queued_at, id LIMIT ?2"
    )
}

fn first_of(tx: &mut dyn Tx, queue: i64, lane: Lane, most: usize) -> Result<Vec<(i64, i64, Waiting)>> {
    tx.query(&first_of_sql(lane), args![queue, most as i64])?
        .into_iter()
        .map(|mut row| {
            let (priority, id, run) = (row.take()?, row.take()?, row.take()?);
            let queued_at: Option<Timestamp> = row.take()?;
            let queued_at = queued_at.unwrap_or(Timestamp::from_micros(0));
            Ok((priority, id, Waiting { run, lane, queued_at, needs: resources(&mut row)? }))
        })
        .collect()
}
