//! Why a queued run waits, of the same facts as the decision.

use polyaxon_engine::admission::{self, Capacity, Lane, Reason};
use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;

use super::{WAITING, scene};
use crate::db::{Tx, args, first, scalar};
use crate::leases::ANYBODY;
use crate::{Result, servers};

/// What a run waits for; none when it does not wait for a slot.
pub fn explain(tx: &mut dyn Tx, run: RunId, now: Timestamp) -> Result<Option<Reason>> {
    let sql = format!(
        "SELECT queue_id, pipeline_id IS NULL, priority, queued_at, id FROM runs WHERE uuid = ?1 AND {WAITING}"
    );
    let Some(mut row) = first(tx, &sql, args![run])? else { return Ok(None) };
    let named: i64 = row.take()?;
    let lane = if row.take()? { Lane::Hand } else { Lane::Pipeline };
    let (priority, queued_at, id): (i64, Timestamp, i64) = (row.take()?, row.take()?, row.take()?);
    let of_lane = if lane == Lane::Hand { "IS NULL" } else { "IS NOT NULL" };
    let sql = format!(
        "SELECT count(*) FROM runs WHERE queue_id = ?1 AND pipeline_id {of_lane} AND {WAITING} AND (priority > ?2 \
         OR priority = ?2 AND (queued_at < ?3 OR queued_at = ?3 AND id < ?4))"
    );
    let ahead = scalar::<i64>(tx, &sql, args![named, priority, queued_at, id])?.unwrap_or(0);
    let (queue, agent) = scene::rules_of(tx, named)?;
    let held = scene::held(tx)?;
    let machine = servers::capacities(tx, now)?.into_iter().next().filter(|_| agent == ANYBODY);
    // An agent tells nothing about its machines.
    let unknown = (agent, Capacity::of_slots(usize::from(u16::MAX)));
    let (executor, capacity) = machine.unwrap_or(unknown);
    let load = scene::load(&held, executor);
    let scene = scene::load_scene(tx, agent, &capacity, load, &held)?;
    Ok(Some(admission::explain(&scene, run, queue.id, lane, ahead.unsigned_abs())))
}
