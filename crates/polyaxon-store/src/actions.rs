//! What was decided and is still to be done. Rows are written by [`crate::lifecycle`]; the driver performs the
//! open ones, again after a crash, and closes them.

use polyaxon_engine::state::{Action, RunState};
use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;

use crate::Result;
use crate::db::value::json;
use crate::db::{Row, Tx, args};

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
}

/// Open actions that were decided after number `after` (0 = all), oldest first.
pub fn open(tx: &mut dyn Tx, after: i64, limit: u32) -> Result<Vec<OpenAction>> {
    let sql = "SELECT a.id, r.uuid, a.seq, a.action, a.created_at FROM actions a JOIN runs r ON r.id = a.run_id \
               WHERE a.done_at IS NULL AND a.id > ?1 ORDER BY a.id LIMIT ?2";
    tx.query(sql, args![after, limit])?.into_iter().map(read).collect()
}

/// Open actions of one run, in order.
pub fn open_of(tx: &mut dyn Tx, run: RunId) -> Result<Vec<OpenAction>> {
    let sql = "SELECT a.id, r.uuid, a.seq, a.action, a.created_at FROM actions a JOIN runs r ON r.id = a.run_id \
               WHERE a.done_at IS NULL AND r.uuid = ?1 ORDER BY a.seq";
    tx.query(sql, args![run])?.into_iter().map(read).collect()
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

pub(crate) fn write(tx: &mut dyn Tx, id: i64, action: &Action, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO actions (run_id, seq, action, created_at) VALUES (?1, \
         (SELECT coalesce(max(seq), 0) + 1 FROM actions WHERE run_id = ?1), ?2, ?3)",
        args![id, json(action), now],
    )?;
    Ok(())
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
    })
}
