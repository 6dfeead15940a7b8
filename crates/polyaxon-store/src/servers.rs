//! The servers that share this database: who is there, and who takes over from one that is not.
//!
//! Invariant: a run is with one executor at a time. Only what a silent server had not begun is given to others; what
//! it had begun may still be running on its machine.

use std::time::Duration;

use polyaxon_engine::admission::{Capacity, Load};
use polyaxon_engine::executor::{Presence, presence};
use polyaxon_engine::state::{Event, Loss};
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::time::Timestamp;

use crate::actions::{self, Ability};
use crate::db::value::optional_json;
use crate::db::{Tx, args, first, scalar};
use crate::{Result, admission, lifecycle};

/// Says that a server is there. Answers whether it was thought to be gone: what it held may be with others now.
pub fn beat(tx: &mut dyn Tx, server: ExecutorId, address: &str, now: Timestamp) -> Result<bool> {
    let known = first(tx, "SELECT seen_at FROM servers WHERE id = ?1", args![server])?;
    let seen: Option<Timestamp> = known.map(|mut row| row.take()).transpose()?;
    tx.execute(
        "INSERT INTO servers (id, address, seen_at) VALUES (?1, ?2, ?3) \
         ON CONFLICT (id) DO UPDATE SET address = excluded.address, seen_at = excluded.seen_at",
        args![server, address, now],
    )?;
    Ok(seen.is_some_and(|seen| presence(seen, Duration::ZERO, now) != Presence::Present))
}

/// Says that a server is there again after it was away, and takes what is left of its own. Nobody else can hold
/// attempts that were made before executors had names.
pub fn register(tx: &mut dyn Tx, server: ExecutorId, address: &str, ability: Ability, now: Timestamp) -> Result<()> {
    beat(tx, server, address, now)?;
    if ability == Ability::Execute {
        tx.execute("UPDATE runs SET executor_id = ?1 WHERE attempt_live AND executor_id IS NULL", args![server])?;
    }
    actions::claim(tx, server, ability).map(drop)
}

/// Says what a server has for runs. Runs that nobody could start may be possible now.
pub fn set_capacity(tx: &mut dyn Tx, server: ExecutorId, capacity: Option<&Capacity>, now: Timestamp) -> Result<()> {
    tx.execute("UPDATE servers SET capacity = ?2 WHERE id = ?1", args![server, optional_json(capacity)])?;
    admission::reconsider(tx, now)
}

/// What the servers have that are there and execute.
pub fn capacities(tx: &mut dyn Tx, now: Timestamp) -> Result<Vec<(ExecutorId, Capacity)>> {
    let mut there = Vec::new();
    for mut row in tx.query("SELECT id, seen_at, capacity FROM servers WHERE capacity IS NOT NULL ORDER BY id", &[])? {
        let (server, seen): (ExecutorId, Timestamp) = (row.take()?, row.take()?);
        if presence(seen, Duration::ZERO, now) == Presence::Present {
            there.push((server, row.take_json()?));
        }
    }
    Ok(there)
}

/// A server with what it has for runs and what they hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    pub server: ExecutorId,
    pub address: String,
    pub capacity: Capacity,
    pub load: Load,
}

/// How busy the servers are that are there and execute.
pub fn usage(tx: &mut dyn Tx, now: Timestamp) -> Result<Vec<Usage>> {
    let held = admission::held(tx)?;
    let mut usage = Vec::new();
    for (server, capacity) in capacities(tx, now)? {
        let address = scalar(tx, "SELECT address FROM servers WHERE id = ?1", args![server])?.unwrap_or_default();
        usage.push(Usage { server, address, capacity, load: admission::load_of(&held, server) });
    }
    Ok(usage)
}

/// What became of servers that are not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Takeover {
    /// Runs that changed.
    pub runs: Vec<RunId>,
    /// Actions that wait for somebody to claim them.
    pub released: u64,
}

/// Gives the work of silent servers to those that are there.
pub fn take_over(tx: &mut dyn Tx, lost_after: Duration, now: Timestamp) -> Result<Takeover> {
    let mut takeover = Takeover::default();
    for mut row in tx.query("SELECT id, address, seen_at FROM servers ORDER BY id", &[])? {
        let (server, address, seen): (ExecutorId, String, Timestamp) = (row.take()?, row.take()?, row.take()?);
        let loss = match presence(seen, lost_after, now) {
            Presence::Present => continue,
            Presence::Silent => Loss::Waiting,
            Presence::Lost => Loss::Everything,
        };
        takeover.released += actions::release(tx, server)?;
        let message = format!("The server at {address} is gone.");
        takeover.runs.extend(give_up(tx, server, loss, &message, now)?);
    }
    Ok(takeover)
}

/// Takes from an executor what it is not expected to do any more. Answers the runs that changed.
pub(crate) fn give_up(
    tx: &mut dyn Tx,
    executor: ExecutorId,
    loss: Loss,
    message: &str,
    now: Timestamp,
) -> Result<Vec<RunId>> {
    let held =
        tx.query("SELECT uuid FROM runs WHERE attempt_live AND executor_id = ?1 ORDER BY id", args![executor])?;
    let mut changed = Vec::new();
    for mut row in held {
        let run = row.take()?;
        let event = Event::ExecutorLost { loss, message: message.to_owned() };
        if !lifecycle::apply(tx, run, &event, now)?.history.is_empty() {
            changed.push(run);
        }
    }
    Ok(changed)
}

/// Whether this executor is none of the servers.
pub(crate) fn is_agent(tx: &mut dyn Tx, executor: Option<ExecutorId>) -> Result<bool> {
    match executor {
        None => Ok(false),
        Some(executor) if tx.server() == Some(executor) => Ok(false),
        Some(executor) => Ok(first(tx, "SELECT 1 FROM servers WHERE id = ?1", args![executor])?.is_none()),
    }
}
