//! What an executor outside of this process has to stop.

use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{ManagedBy, Runtime};
use polyaxon_model::status::Status;

use crate::Result;
use crate::db::{Tx, args};

/// A run that waits for its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopOrder {
    pub project: String,
    pub run: RunId,
    pub runtime: Option<Runtime>,
}

/// The runs that are being stopped, oldest first.
pub fn stopping(tx: &mut dyn Tx) -> Result<Vec<StopOrder>> {
    let sql = "SELECT p.name, r.uuid, r.runtime FROM runs r JOIN projects p ON p.id = r.project_id \
               WHERE r.status = ?1 AND r.managed_by = ?2 AND r.pending IS NULL ORDER BY r.created_at, r.id";
    tx.query(sql, args![Status::Stopping, ManagedBy::Agent])?
        .into_iter()
        .map(|mut row| Ok(StopOrder { project: row.take()?, run: row.take()?, runtime: row.take()? }))
        .collect()
}
