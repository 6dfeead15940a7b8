//! Notifications that are to be sent, were sent, or were given up.
//!
//! Invariants: one row for each (life of a run, status, connection), whoever asks for it; a row that was claimed and
//! not reported becomes due again, so that each is sent at least once; what comes of it never touches the status.

use polyaxon_engine::explain::Untold;
use polyaxon_engine::notification::{LEASE, pause};
use polyaxon_model::JsonMap;
use polyaxon_model::change::Change;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::time::Timestamp;
use serde_json::{Value as Json, json};

use crate::db::value::json as to_value;
use crate::db::{Row, Tx, args, first, scalar};
use crate::{Error, Result, lifecycle, runs};

/// Where a run lists what could not be sent.
const ERRORS: &str = "notifications_errors";

/// A notification that somebody has taken to send it.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    pub id: i64,
    pub run: RunId,
    pub connection: String,
    pub condition: StatusCondition,
}

/// Asks for a notification; false when there is such a one.
pub fn add(tx: &mut dyn Tx, run: RunId, connection: &str, condition: &StatusCondition, now: Timestamp) -> Result<bool> {
    let state = lifecycle::state(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    let sql = "INSERT INTO notifications (run_id, life, status, connection, condition, created_at, due_at) \
               VALUES ((SELECT id FROM runs WHERE uuid = ?1), ?2, ?3, ?4, ?5, ?6, ?6) \
               ON CONFLICT (run_id, life, status, connection) DO NOTHING";
    let values = args![run, state.control.life, condition.status, connection, to_value(condition), now];
    Ok(tx.execute(sql, values)? > 0)
}

/// Takes what is due, oldest first. It is due again when nothing is reported.
pub fn claim(tx: &mut dyn Tx, server: ExecutorId, most: usize, now: Timestamp) -> Result<Vec<Claimed>> {
    let sql = "SELECT n.id, r.uuid, n.connection, n.condition FROM notifications n JOIN runs r ON r.id = n.run_id \
               WHERE n.due_at <= ?1 ORDER BY n.due_at, n.id LIMIT ?2";
    let mut claimed = Vec::new();
    for mut row in tx.query(sql, args![now, most as i64])? {
        let due = Claimed { id: row.take()?, run: row.take()?, connection: row.take()?, condition: row.take_json()? };
        let sql = "UPDATE notifications SET claimed_by = ?2, due_at = ?3, attempts = attempts + 1 WHERE id = ?1";
        tx.execute(sql, args![due.id, server, now.plus(LEASE)])?;
        claimed.push(due);
    }
    Ok(claimed)
}

/// Makes due what an earlier process of this server had claimed.
pub fn release(tx: &mut dyn Tx, server: ExecutorId, now: Timestamp) -> Result<()> {
    let sql = "UPDATE notifications SET due_at = ?2, claimed_by = NULL WHERE claimed_by = ?1 AND due_at > ?2";
    tx.execute(sql, args![server, now]).map(drop)
}

/// When the next one is due.
pub fn next_due(tx: &mut dyn Tx) -> Result<Option<Timestamp>> {
    scalar(tx, "SELECT due_at FROM notifications WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1", &[])
}

/// It was sent; `problem` is what went wrong beside that.
pub fn sent(tx: &mut dyn Tx, id: i64, problem: Option<&str>, now: Timestamp) -> Result<()> {
    let sql = "UPDATE notifications SET due_at = NULL, claimed_by = NULL, sent_at = ?2, error = ?3 WHERE id = ?1";
    tx.execute(sql, args![id, now, problem]).map(drop)
}

/// It could not be sent now. After the last attempt it is given up.
pub fn failed(tx: &mut dyn Tx, id: i64, error: &str, now: Timestamp) -> Result<()> {
    let attempts: Option<i64> = scalar(tx, "SELECT attempts FROM notifications WHERE id = ?1", args![id])?;
    let attempts = attempts.and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or_default();
    match pause(attempts) {
        Some(pause) => {
            let sql = "UPDATE notifications SET due_at = ?2, claimed_by = NULL, error = ?3 WHERE id = ?1";
            tx.execute(sql, args![id, now.plus(pause), error]).map(drop)
        }
        None => give_up(tx, id, error, now),
    }
}

/// It will never be sent: the run says so, and is otherwise as it was.
pub fn give_up(tx: &mut dyn Tx, id: i64, error: &str, now: Timestamp) -> Result<()> {
    let sql = "UPDATE notifications SET due_at = NULL, claimed_by = NULL, error = ?2 WHERE id = ?1";
    tx.execute(sql, args![id, error])?;
    let sql = "SELECT r.uuid, n.connection, r.meta_info FROM notifications n JOIN runs r ON r.id = n.run_id \
               WHERE n.id = ?1";
    let Some(mut row) = first(tx, sql, args![id])? else { return Ok(()) };
    let (run, connection): (RunId, String) = (row.take()?, row.take()?);
    let meta_info: JsonMap = row.take_json()?;
    let mut errors = meta_info.get(ERRORS).and_then(Json::as_array).cloned().unwrap_or_default();
    errors.push(json!(format!("{connection}: {error}")));
    let meta_info = JsonMap::from_iter([(ERRORS.to_owned(), Json::Array(errors))]);
    let patch = RunPatch { meta_info: Change::Set(meta_info), merge: Some(true), ..RunPatch::default() };
    runs::patch(tx, run, &patch, now).map(drop)
}

/// The notifications of a run that were not sent, oldest first.
pub fn untold(tx: &mut dyn Tx, run: RunId) -> Result<Vec<Untold>> {
    let sql = "SELECT n.connection, n.error, n.due_at FROM notifications n JOIN runs r ON r.id = n.run_id \
               WHERE r.uuid = ?1 AND n.sent_at IS NULL ORDER BY n.id";
    let read = |mut row: Row| Ok(Untold { connection: row.take()?, error: row.take()?, due_at: row.take()? });
    tx.query(sql, args![run])?.into_iter().map(read).collect()
}
