//! Numbers about the whole database, for people who watch over a server.

use polyaxon_model::status::Status;

use crate::Result;
use crate::db::{Tx, scalar};

/// How many runs are in each status; statuses without runs are left out.
pub fn runs_by_status(tx: &mut dyn Tx) -> Result<Vec<(Status, u64)>> {
    let sql = "SELECT status, CAST(count(*) AS BIGINT) FROM runs GROUP BY status";
    tx.query(sql, &[])?.into_iter().map(|mut row| Ok((row.take()?, count(row.take()?)))).collect()
}

/// How many decisions wait to be carried out.
pub fn open_actions(tx: &mut dyn Tx) -> Result<u64> {
    let sql = "SELECT CAST(count(*) AS BIGINT) FROM actions WHERE done_at IS NULL";
    Ok(scalar(tx, sql, &[])?.map_or(0, count))
}

/// Whether the database answers.
pub fn ping(tx: &mut dyn Tx) -> Result<()> {
    tx.query("SELECT 1", &[]).map(drop)
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
