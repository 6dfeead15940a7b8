//! Free slots of executors, and the runs that get them.
//!
//! Invariants:
//! * a run that is given out is with its executor, together with its devices, in the same write: no two of them get it;
//! * what is held is read from the runs themselves: it cannot be released twice, or forgotten;
//! * only the first runs of each queue are read, by an index, however many wait.

mod explain;
mod scene;

use polyaxon_engine::admission::{self, Capacity, Decision, Impossible, Lane, Load, Scene};
use polyaxon_engine::state::Event;
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use crate::db::{Tx, args, first, scalar};
use crate::leases::ANYBODY;
use crate::{Result, lifecycle, servers, settings};

pub use explain::explain;
pub use scene::{Held, held, load as load_of};

/// Runs that wait for an executor.
const WAITING: &str = "status = 'queued' AND pending IS NULL AND managed_by = 'agent' AND live_state >= 0 \
     AND kind NOT IN ('dag', 'matrix', 'schedule') AND NOT attempt_live";

/// The setting that remembers whose turn it is.
const TURN: &str = "admission_turn";

/// Gives free slots of a server to waiting runs.
pub fn admit(tx: &mut dyn Tx, server: ExecutorId, capacity: &Capacity, now: Timestamp) -> Result<Vec<RunId>> {
    if !has_waiting(tx)? {
        return Ok(Vec::new());
    }
    let held = scene::held(tx)?;
    let load = scene::load(&held, server);
    give_from(tx, server, capacity, load, held, now)
}

/// Whether [`admit`] would change anything.
pub fn is_due(tx: &mut dyn Tx, server: ExecutorId, capacity: &Capacity, now: Timestamp) -> Result<bool> {
    if !has_waiting(tx)? {
        return Ok(false);
    }
    let held = scene::held(tx)?;
    let load = scene::load(&held, server);
    if is_full(capacity, &load) {
        return Ok(false);
    }
    let agent = scene::agent_of(tx, Some(server))?;
    let scene = scene::load_scene(tx, agent, capacity, load, &held)?;
    let decision = admission::admit(&scene);
    Ok(!decision.admitted.is_empty() || !hopeless(tx, server, &decision, now)?.is_empty())
}

/// Gives runs to an executor outside, which may hold `capacity` and holds `active`.
pub(crate) fn give(
    tx: &mut dyn Tx,
    executor: ExecutorId,
    capacity: usize,
    active: usize,
    now: Timestamp,
) -> Result<Vec<RunId>> {
    if active >= capacity || !has_waiting(tx)? {
        return Ok(Vec::new());
    }
    // Who asks for its work has its own queue for people; nothing is kept for them here.
    let capacity = Capacity { reserve: 0, ..Capacity::of_slots(capacity) };
    let held = scene::held(tx)?;
    give_from(tx, executor, &capacity, Load { held: active, ..Load::default() }, held, now)
}

fn give_from(
    tx: &mut dyn Tx,
    executor: ExecutorId,
    capacity: &Capacity,
    load: Load,
    held: Vec<Held>,
    now: Timestamp,
) -> Result<Vec<RunId>> {
    if is_full(capacity, &load) {
        return Ok(Vec::new());
    }
    let agent = scene::agent_of(tx, Some(executor))?;
    let scene = scene::load_scene(tx, agent, capacity, load, &held)?;
    let decision = admission::admit(&scene);
    for admission in &decision.admitted {
        lifecycle::apply_for(tx, admission.run, &[Event::Admitted], Some(executor), now)?;
        if !admission.devices.is_empty() {
            let sql = "UPDATE runs SET devices = ?2 WHERE uuid = ?1";
            tx.execute(sql, args![admission.run, admission.devices.join(",")])?;
        }
    }
    remember(tx, &scene, &decision)?;
    let mut admitted: Vec<RunId> = decision.admitted.iter().map(|admission| admission.run).collect();
    let hopeless = hopeless(tx, executor, &decision, now)?;
    for (run, why) in &hopeless {
        lifecycle::apply(tx, *run, &Event::Unschedulable { message: why.to_string() }, now)?;
    }
    if !hopeless.is_empty() {
        // Those behind them were not all looked at.
        let held = scene::held(tx)?;
        let by_servers = scene::load(&held, executor);
        let outside = Load { held: scene.load.held + admitted.len(), ..Load::default() };
        let load = if servers::is_agent(tx, Some(executor))? { outside } else { by_servers };
        admitted.extend(give_from(tx, executor, capacity, load, held, now)?);
    }
    Ok(admitted)
}

fn is_full(capacity: &Capacity, load: &Load) -> bool {
    load.held >= capacity.slots && load.held_by_hand >= capacity.reserve
}

fn remember(tx: &mut dyn Tx, scene: &Scene, decision: &Decision) -> Result<()> {
    if scene.turn == decision.turn { Ok(()) } else { settings::set(tx, TURN, &decision.turn.to_string()) }
}

/// The runs that no executor that is there can ever start.
fn hopeless(
    tx: &mut dyn Tx,
    executor: ExecutorId,
    decision: &Decision,
    now: Timestamp,
) -> Result<Vec<(RunId, Impossible)>> {
    let mut hopeless = decision.impossible.clone();
    if hopeless.iter().any(|(_, why)| why.is_of_machine()) {
        let mut others = servers::capacities(tx, now)?;
        others.retain(|(server, _)| *server != executor);
        let mut kept = Vec::new();
        for (run, why) in hopeless {
            let needs = scene::needs(tx, run)?;
            let is_possible = |capacity: &Capacity| needs.is_some_and(|needs| capacity.refuses(&needs).is_none());
            if !why.is_of_machine() || !others.iter().any(|(_, capacity)| is_possible(capacity)) {
                kept.push((run, why));
            }
        }
        hopeless = kept;
    }
    Ok(hopeless)
}

/// Looks again at runs that nobody could start, after queues or machines have changed.
pub fn reconsider(tx: &mut dyn Tx, now: Timestamp) -> Result<()> {
    let sql = "SELECT uuid, queue_id FROM runs WHERE status = 'unschedulable' AND managed_by = 'agent' \
               AND NOT attempt_live ORDER BY id";
    let waiting = tx.query(sql, &[])?;
    if waiting.is_empty() {
        return Ok(());
    }
    let machines = servers::capacities(tx, now)?;
    for mut row in waiting {
        let (run, queue): (RunId, i64) = (row.take()?, row.take()?);
        let Some(needs) = scene::needs(tx, run)? else { continue };
        let (queue, agent) = scene::rules_of(tx, queue)?;
        let fits = agent != ANYBODY || machines.iter().any(|(_, machine)| machine.refuses(&needs).is_none());
        if fits && queue.refuses(&needs).is_none() {
            lifecycle::apply(tx, run, &Event::Reconsidered, now)?;
        }
    }
    Ok(())
}

/// The queries for the first runs of each lane, for those who look at how they are carried out.
pub fn lane_queries() -> [String; 2] {
    [Lane::Hand, Lane::Pipeline].map(scene::first_of_sql)
}

/// Whether a run waits for a slot.
pub fn has_waiting(tx: &mut dyn Tx) -> Result<bool> {
    Ok(first(tx, &format!("SELECT 1 FROM runs WHERE {WAITING} LIMIT 1"), &[])?.is_some())
}

/// The devices that a run holds, as it is told them.
pub fn devices(tx: &mut dyn Tx, run: RunId) -> Result<Option<String>> {
    Ok(scalar::<Option<String>>(tx, "SELECT devices FROM runs WHERE uuid = ?1", args![run])?.flatten())
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
         AND NOT (status = 'unschedulable' AND queued_at IS NOT NULL) \
         AND kind NOT IN ('dag', 'matrix', 'schedule')) + (SELECT count(*) FROM runs WHERE attempt_live \
         AND (executor_id IS NULL OR executor_id NOT IN (SELECT id FROM servers)))"
    );
    Ok(scalar::<i64>(tx, &sql, &[])?.unwrap_or(0) as usize)
}
