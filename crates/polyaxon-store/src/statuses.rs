//! The status history of runs. It is written by [`crate::lifecycle`] only.

use polyaxon_engine::state::HistoryChange;
use polyaxon_model::condition::{StatusCondition, StatusesDocument};
use polyaxon_model::ids::RunId;

use crate::Result;
use crate::db::value::json;
use crate::db::{Tx, args, first};

/// The `statuses` document; none for a run that is unknown or being deleted.
pub fn document(tx: &mut dyn Tx, run: RunId) -> Result<Option<StatusesDocument>> {
    let sql = "SELECT id, status, meta_info FROM runs WHERE uuid = ?1 AND live_state >= 0";
    let Some(mut row) = first(tx, sql, args![run])? else { return Ok(None) };
    let id: i64 = row.take()?;
    Ok(Some(StatusesDocument {
        uuid: run,
        status: row.take()?,
        meta_info: row.take_json()?,
        status_conditions: history(tx, id)?,
    }))
}

/// A condition and its number in the history, for followers that ask for what is new.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberedCondition {
    pub seq: i64,
    pub condition: StatusCondition,
}

/// The conditions from number `from` on. The last one that was seen may have been refreshed meanwhile.
pub fn since(tx: &mut dyn Tx, run: RunId, from: i64) -> Result<Vec<NumberedCondition>> {
    let sql = "SELECT c.seq, c.condition FROM status_conditions c JOIN runs r ON r.id = c.run_id \
               WHERE r.uuid = ?1 AND c.seq >= ?2 ORDER BY c.seq";
    tx.query(sql, args![run, from])?
        .into_iter()
        .map(|mut row| Ok(NumberedCondition { seq: row.take()?, condition: row.take_json()? }))
        .collect()
}

fn history(tx: &mut dyn Tx, id: i64) -> Result<Vec<StatusCondition>> {
    tx.query("SELECT condition FROM status_conditions WHERE run_id = ?1 ORDER BY seq", args![id])?
        .into_iter()
        .map(|mut row| row.take_json())
        .collect()
}

pub(crate) fn last(tx: &mut dyn Tx, id: i64) -> Result<Option<StatusCondition>> {
    let sql = "SELECT condition FROM status_conditions WHERE run_id = ?1 ORDER BY seq DESC LIMIT 1";
    first(tx, sql, args![id])?.map(|mut row| row.take_json()).transpose()
}

/// The first condition of a run that was created just now.
pub(crate) fn write_first(tx: &mut dyn Tx, id: i64, condition: &StatusCondition) -> Result<()> {
    tx.execute(
        "INSERT INTO status_conditions (run_id, seq, condition) VALUES (?1, 1, ?2)",
        args![id, json(condition)],
    )?;
    Ok(())
}

pub(crate) fn write(tx: &mut dyn Tx, id: i64, change: &HistoryChange) -> Result<()> {
    match change {
        HistoryChange::Append(condition) => tx.execute(
            "INSERT INTO status_conditions (run_id, seq, condition) VALUES (?1, \
             (SELECT coalesce(max(seq), 0) + 1 FROM status_conditions WHERE run_id = ?1), ?2)",
            args![id, json(condition)],
        )?,
        HistoryChange::ReplaceLast(condition) => tx.execute(
            "UPDATE status_conditions SET condition = ?2 WHERE run_id = ?1 \
             AND seq = (SELECT max(seq) FROM status_conditions WHERE run_id = ?1)",
            args![id, json(condition)],
        )?,
    };
    Ok(())
}
