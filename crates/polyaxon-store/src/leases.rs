//! What an executor that asks for its work is told: what to start, to stop, to look for and to remove.
//!
//! Invariants: an order to start is given out under a lease and, when nothing is heard of the run, given out again with
//! the same attempt; the other lists repeat what they say until it is reported as done.

use std::time::Duration;

use polyaxon_engine::executor::{CHECK, LEASE};
use polyaxon_engine::lifecycle::DELETE_DELAY;
use polyaxon_engine::state::{Event, Exit, Force, Phase};
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::kinds::Runtime;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use uuid::Uuid;

use crate::db::{Row, Tx, Value, args, scalar};
use crate::{Result, admission, lifecycle, servers};

/// The agent that nobody registered: whoever pulls the state of the whole organisation.
pub const ANYBODY: ExecutorId = ExecutorId::new(Uuid::nil());

/// How long before its time a scheduled run is prepared.
const SCHEDULE_AHEAD: Duration = Duration::from_secs(3);
/// An agent that would find another scheduled run within this time shall ask again at once.
const SCHEDULE_SOON: Duration = Duration::from_secs(8);

/// No more folders are given to one cleaner.
const CLEANED_AT_ONCE: u32 = 200;

/// One item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub project: String,
    pub run: RunId,
    pub runtime: Option<Runtime>,
    pub name: Option<String>,
    /// The compiled operation; only with orders to start.
    pub content: Option<String>,
    pub namespace: Option<String>,
}

/// A list, and whether there was more than it may hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    pub orders: Vec<Order>,
    pub is_full: bool,
}

const ORDER: &str = "SELECT p.name, r.uuid, r.runtime, r.name, NULL, r.namespace FROM runs r \
     JOIN projects p ON p.id = r.project_id WHERE ";
/// Runs that an agent may hold: no pipelines, which are only decided about.
const HELD: &str = "r.managed_by = 'agent' AND r.pending IS NULL AND r.kind NOT IN ('dag', 'matrix', 'schedule')";

/// Gives out runs: first those whose lease is over, then those that wait, as long as no more than `capacity` are with
/// agents.
pub fn start(tx: &mut dyn Tx, agent: ExecutorId, capacity: usize, now: Timestamp) -> Result<Orders> {
    let again = "SELECT uuid FROM runs WHERE attempt_live AND executor_id = ?1 AND status = 'scheduled' \
                 AND lease_until <= ?2 ORDER BY created_at, id";
    let mut given = ids(tx, again, args![agent, now])?;
    let active = admission::count_outside(tx)?;
    given.extend(admission::give(tx, agent, capacity, active, now)?);
    let mut orders = Vec::with_capacity(given.len());
    for run in given {
        let sql = "UPDATE runs SET lease_until = ?2, checked_at = ?3, misses = 0 WHERE uuid = ?1";
        tx.execute(sql, args![run, now.plus(LEASE), now])?;
        let sql = "SELECT p.name, r.uuid, r.runtime, r.name, r.content, r.namespace FROM runs r \
                   JOIN projects p ON p.id = r.project_id WHERE r.uuid = ?1";
        orders.extend(list(tx, sql, args![run])?);
    }
    let is_full = admission::count_outside(tx)? >= capacity;
    Ok(Orders { orders, is_full })
}

/// Runs whose time has come, and whether more will follow soon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnSchedule {
    pub runs: Vec<RunId>,
    pub more_soon: bool,
}

/// Prepares runs that shall start within the next seconds.
pub fn on_schedule(tx: &mut dyn Tx, now: Timestamp) -> Result<OnSchedule> {
    const DUE: &str = "status = 'created' AND pending IS NULL AND managed_by = 'agent' AND schedule_at IS NOT NULL";
    let (near, soon) = (now.plus(SCHEDULE_AHEAD), now.plus(SCHEDULE_AHEAD).plus(SCHEDULE_SOON));
    let sql = format!("SELECT uuid FROM runs WHERE {DUE} AND schedule_at <= ?1 ORDER BY schedule_at, id");
    let runs = ids(tx, &sql, args![near])?;
    for run in &runs {
        let condition = StatusCondition::new(Status::OnSchedule, "AgentSchedules", "Run is on schedule", now);
        lifecycle::apply(tx, *run, &Event::Posted { condition, force: Force::No }, now)?;
    }
    let sql = format!("SELECT uuid FROM runs WHERE {DUE} AND schedule_at > ?1 AND schedule_at <= ?2 LIMIT 1");
    let more_soon = !ids(tx, &sql, args![near, soon])?.is_empty();
    Ok(OnSchedule { runs, more_soon })
}

/// What an agent must stop, oldest first.
pub fn stop(tx: &mut dyn Tx, agent: ExecutorId, capacity: usize) -> Result<Orders> {
    let sql = format!(
        "{ORDER} r.status = ?1 AND {HELD} AND r.live_state >= 0 AND {} ORDER BY r.created_at, r.id LIMIT ?3",
        holder("?2", agent)
    );
    let orders = list(tx, &sql, args![Status::Stopping, agent, capacity as i64])?;
    let is_full = capacity > 0 && orders.len() >= capacity;
    Ok(Orders { orders, is_full })
}

/// What an agent shall look for because nobody did for an hour. Asking counts as looking.
pub fn check(tx: &mut dyn Tx, agent: ExecutorId, now: Timestamp) -> Result<Vec<Order>> {
    let sql = format!(
        "{ORDER} r.attempt_live AND r.executor_id = ?1 AND {HELD} AND r.status IN ({}) AND r.checked_at <= ?2 \
         ORDER BY r.id",
        on_cluster()
    );
    let orders = list(tx, &sql, args![agent, now.minus(CHECK)])?;
    for order in &orders {
        tx.execute("UPDATE runs SET checked_at = ?2 WHERE uuid = ?1", args![order.run, now])?;
    }
    Ok(orders)
}

/// What an agent must remove although it has not ended: deleted runs. They have ended from now on.
pub fn remove(tx: &mut dyn Tx, agent: ExecutorId, capacity: usize, now: Timestamp) -> Result<Orders> {
    let done = Status::DONE.iter().map(|status| format!("'{status}'")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "{ORDER} r.live_state = -1 AND r.status NOT IN ({done}) AND r.managed_by = 'agent' \
         AND r.kind NOT IN ('dag', 'matrix', 'schedule') AND {} ORDER BY r.id LIMIT ?2",
        holder("?1", agent)
    );
    let orders = list(tx, &sql, args![agent, capacity as i64])?;
    for order in &orders {
        end(tx, order.run, now)?;
    }
    let is_full = capacity > 0 && orders.len() >= capacity;
    Ok(Orders { orders, is_full })
}

/// Deleted runs that have ended and whose folders an agent may hold; each is told once.
pub fn clean(tx: &mut dyn Tx, agent: ExecutorId, now: Timestamp) -> Result<Vec<RunId>> {
    let sql = "SELECT uuid FROM runs WHERE live_state = -1 AND executor_id = ?1 AND cleaned_at IS NULL \
               AND NOT attempt_live AND finished_at IS NOT NULL AND updated_at <= ?2 ORDER BY id LIMIT ?3";
    let runs = ids(tx, sql, args![agent, now.minus(DELETE_DELAY), CLEANED_AT_ONCE])?;
    for run in &runs {
        tx.execute("UPDATE runs SET cleaned_at = ?2 WHERE uuid = ?1", args![*run, now])?;
    }
    Ok(runs)
}

/// An executor that is none of our servers told that a run has ended: nobody else will see its process end.
pub fn ended(tx: &mut dyn Tx, run: RunId, now: Timestamp) -> Result<()> {
    let holder: Option<Option<ExecutorId>> =
        scalar(tx, "SELECT executor_id FROM runs WHERE uuid = ?1 AND attempt_live", args![run])?;
    match holder {
        Some(holder) if servers::is_agent(tx, holder)? => end(tx, run, now),
        _ => Ok(()),
    }
}

fn end(tx: &mut dyn Tx, run: RunId, now: Timestamp) -> Result<()> {
    let Some(state) = lifecycle::state(tx, run)? else { return Ok(()) };
    let event = Event::Observed { attempt: state.control.attempt, phase: Phase::Exited(Exit::Stopped) };
    lifecycle::apply(tx, run, &event, now).map(drop)
}

/// Who is told about a run: its agent, and anybody about one that was never given out.
fn holder(placeholder: &str, agent: ExecutorId) -> String {
    if agent == ANYBODY {
        format!("(r.executor_id = {placeholder} OR r.executor_id IS NULL)")
    } else {
        format!("r.executor_id = {placeholder}")
    }
}

fn on_cluster() -> String {
    Status::ON_CLUSTER.iter().map(|status| format!("'{status}'")).collect::<Vec<_>>().join(", ")
}

fn ids(tx: &mut dyn Tx, sql: &str, args: &[Value]) -> Result<Vec<RunId>> {
    tx.query(sql, args)?.into_iter().map(|mut row| row.take()).collect()
}

fn list(tx: &mut dyn Tx, sql: &str, args: &[Value]) -> Result<Vec<Order>> {
    tx.query(sql, args)?.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<Order> {
    Ok(Order {
        project: row.take()?,
        run: row.take()?,
        runtime: row.take()?,
        name: row.take()?,
        content: row.take()?,
        namespace: row.take()?,
    })
}
