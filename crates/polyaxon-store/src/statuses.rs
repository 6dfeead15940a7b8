//! The status history of runs. It is written by [`crate::lifecycle`] only.

use polyaxon_engine::state::HistoryChange;
use polyaxon_model::condition::{StatusCondition, StatusesDocument};
use polyaxon_model::ids::RunId;

use crate::Result;
use crate::db::value::json;
use crate::db::{Tx, Value, args, first};

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

pub(crate) fn history(tx: &mut dyn Tx, id: i64) -> Result<Vec<StatusCondition>> {
    tx.query("SELECT condition FROM status_conditions WHERE run_id = ?1 ORDER BY seq", args![id])?
        .into_iter()
        .map(|mut row| row.take_json())
        .collect()
}

/// Writes what changes in a history that has `conditions` conditions so far.
pub(crate) fn write(tx: &mut dyn Tx, id: i64, conditions: i64, changes: &[HistoryChange]) -> Result<()> {
    let mut appended: Vec<&StatusCondition> = Vec::new();
    for change in changes {
        match (change, appended.last_mut()) {
            (HistoryChange::Append(condition), _) => appended.push(condition),
            (HistoryChange::ReplaceLast(condition), Some(last)) => *last = condition,
            (HistoryChange::ReplaceLast(condition), None) => {
                let sql = "UPDATE status_conditions SET condition = ?3 WHERE run_id = ?1 AND seq = ?2";
                tx.execute(sql, args![id, conditions, json(condition)])?;
            }
        }
    }
    let mut seq = conditions;
    for appended in appended.chunks(CHUNK) {
        let mut values = vec![Value::from(id)];
        let mut rows = Vec::with_capacity(appended.len());
        for condition in appended {
            seq += 1;
            values.extend([Value::from(seq), json(condition)]);
            rows.push(format!("(?1, ?{}, ?{})", values.len() - 1, values.len()));
        }
        let sql = format!("INSERT INTO status_conditions (run_id, seq, condition) VALUES {}", rows.join(", "));
        tx.execute(&sql, &values)?;
    }
    Ok(())
}

/// Rows of one statement: more than a decision appends, and few enough that their texts are known.
const CHUNK: usize = 8;
