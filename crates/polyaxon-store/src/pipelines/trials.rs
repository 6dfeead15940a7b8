//! The trials of a search, for a search that learns from them.

use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;

use crate::Result;
use crate::db::{Tx, args};

/// A child of a search: what it got, and what came of it.
#[derive(Clone, Debug)]
pub struct Trial {
    pub run: RunId,
    pub status: Status,
    pub meta_info: JsonMap,
    pub inputs: Option<JsonMap>,
    pub outputs: Option<JsonMap>,
}

/// The trials of a search in the order of their creation.
pub fn list(tx: &mut dyn Tx, search: RunId) -> Result<Vec<Trial>> {
    let sql = "SELECT t.uuid, t.status, t.meta_info, t.inputs, t.outputs FROM runs t \
               JOIN runs s ON s.id = t.pipeline_id JOIN pipeline_children c ON c.run_id = t.id \
               WHERE s.uuid = ?1 ORDER BY c.position";
    tx.query(sql, args![search])?
        .into_iter()
        .map(|mut row| {
            Ok(Trial {
                run: row.take()?,
                status: row.take()?,
                meta_info: row.take_json()?,
                inputs: row.take_optional_json()?,
                outputs: row.take_optional_json()?,
            })
        })
        .collect()
}
