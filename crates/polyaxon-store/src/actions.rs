//! What was decided and is still to be done. Rows are written by [`crate::lifecycle`]; the server that claimed them
//! performs them, again after a crash, and closes them.
//!
//! Invariant: a server performs only what it has claimed, and what one has claimed no other takes while it is there.
//! What a server decides it claims with the same write, except what only the executor of the run can do.

use polyaxon_engine::state::{Action, RunState};
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::time::Timestamp;

use crate::db::value::json;
use crate::db::{Row, Tx, args, first};
use crate::{Result, servers};

/// An action that was not done yet. `(run, seq)` names it for ever; actions of one run are done in order of `seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAction {
    /// Grows over all runs: ask for what came after the last one seen.
    pub id: i64,
    pub run: RunId,
    pub seq: i64,
    pub action: Action,
    /// When it was decided.
    pub created_at: Timestamp,
    /// Whether a pipeline made the run: nobody waits for it alone.
    pub is_of_pipeline: bool,
}

const OPEN: &str = "SELECT a.id, r.uuid, a.seq, a.action, a.created_at, r.pipeline_id IS NOT NULL FROM actions a \
     JOIN runs r ON r.id = a.run_id WHERE a.done_at IS NULL";

/// Open actions that were decided after number `after` (0 = all), oldest first, whoever claimed them.
pub fn open(tx: &mut dyn Tx, after: i64, limit: u32) -> Result<Vec<OpenAction>> {
    let sql = format!("{OPEN} AND a.id > ?1 ORDER BY a.id LIMIT ?2");
    tx.query(&sql, args![after, limit])?.into_iter().map(read).collect()
}

/// The same, of those that a server has claimed.
pub fn claimed(tx: &mut dyn Tx, server: ExecutorId, after: i64, limit: u32) -> Result<Vec<OpenAction>> {
    let sql = format!("{OPEN} AND a.claimed_by = ?1 AND a.id > ?2 ORDER BY a.id LIMIT ?3");
    tx.query(&sql, args![server, after, limit])?.into_iter().map(read).collect()
}

/// What a server is able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// Everything but starting and stopping processes.
    Decide,
    Execute,
}

/// Whether there is something that nobody has claimed and this ability is enough for.
pub fn has_unclaimed(tx: &mut dyn Tx, ability: Ability) -> Result<bool> {
    let sql = format!("SELECT 1 FROM actions WHERE {} LIMIT 1", unclaimed(ability));
    Ok(first(tx, &sql, &[])?.is_some())
}

/// Claims what nobody has claimed; tells how much.
pub fn claim(tx: &mut dyn Tx, server: ExecutorId, ability: Ability) -> Result<u64> {
    let sql = format!("UPDATE actions SET claimed_by = ?1 WHERE {}", unclaimed(ability));
    tx.execute(&sql, args![server])
}

fn unclaimed(ability: Ability) -> &'static str {
    match ability {
        Ability::Decide => "done_at IS NULL AND claimed_by IS NULL AND NOT needs_executor",
        Ability::Execute => "done_at IS NULL AND claimed_by IS NULL",
    }
}

/// Whether an action is open and still this server's.
pub fn is_claimed(tx: &mut dyn Tx, id: i64, server: ExecutorId) -> Result<bool> {
    let sql = "SELECT 1 FROM actions WHERE id = ?1 AND claimed_by = ?2 AND done_at IS NULL";
    Ok(first(tx, sql, args![id, server])?.is_some())
}

/// Gives up what a server that is gone has claimed, except what only it can do.
pub(crate) fn release(tx: &mut dyn Tx, server: ExecutorId) -> Result<u64> {
    let sql = "UPDATE actions SET claimed_by = NULL WHERE done_at IS NULL AND claimed_by = ?1 AND NOT needs_executor";
    tx.execute(sql, args![server])
}

/// Open actions of one run, in order.
pub fn open_of(tx: &mut dyn Tx, run: RunId) -> Result<Vec<OpenAction>> {
    let sql = format!("{OPEN} AND r.uuid = ?1 ORDER BY a.seq");
    tx.query(&sql, args![run])?.into_iter().map(read).collect()
}

/// Closes an action; false when it was closed before, by the driver or because it became pointless.
pub fn done(tx: &mut dyn Tx, run: RunId, seq: i64, now: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE actions SET done_at = ?3 WHERE run_id = (SELECT id FROM runs WHERE uuid = ?1) AND seq = ?2 \
         AND done_at IS NULL",
        args![run, seq, now],
    )?;
    Ok(changed > 0)
}

/// Writes an action of a run that `executor` holds. An agent is not told by rows: it asks for what there is to do.
pub(crate) fn write(
    tx: &mut dyn Tx,
    id: i64,
    action: &Action,
    executor: Option<ExecutorId>,
    now: Timestamp,
) -> Result<()> {
    let needs_executor = matches!(action, Action::Launch { .. } | Action::Stop { .. });
    let claimant = if needs_executor { executor } else { tx.server() };
    if needs_executor && servers::is_agent(tx, executor)? {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO actions (run_id, seq, action, created_at, claimed_by, needs_executor) VALUES (?1, \
         (SELECT coalesce(max(seq), 0) + 1 FROM actions WHERE run_id = ?1), ?2, ?3, ?4, ?5)",
        args![id, json(action), now, claimant, needs_executor],
    )?;
    Ok(())
}

/// Whether a run still has this to be done.
pub(crate) fn is_open(tx: &mut dyn Tx, id: i64, action: &Action) -> Result<bool> {
    let sql = "SELECT action FROM actions WHERE run_id = ?1 AND done_at IS NULL";
    let open = tx.query(sql, args![id])?.into_iter().map(|mut row| row.take_json::<Action>());
    Ok(open.collect::<Result<Vec<_>>>()?.contains(action))
}

/// Closes the open actions that the state does not want any more.
pub(crate) fn close_unwanted(tx: &mut dyn Tx, id: i64, state: &RunState, now: Timestamp) -> Result<()> {
    let open = tx.query("SELECT id, action FROM actions WHERE run_id = ?1 AND done_at IS NULL", args![id])?;
    for mut row in open {
        let (number, action): (i64, Action) = (row.take()?, row.take_json()?);
        if !state.wants(&action) {
            tx.execute("UPDATE actions SET done_at = ?2 WHERE id = ?1", args![number, now])?;
        }
    }
    Ok(())
}

fn read(mut row: Row) -> Result<OpenAction> {
    Ok(OpenAction {
        id: row.take()?,
        run: row.take()?,
        seq: row.take()?,
        action: row.take_json()?,
        created_at: row.take()?,
        is_of_pipeline: row.take()?,
    })
}
