//! The runs that the params of a child refer to: its pipeline, and the operations before it.

use std::collections::HashMap;

use polyaxon_model::ids::RunId;
use polyaxon_model::run::Run;

use crate::Result;
use crate::db::{Tx, args, first};
use crate::run_row::{self, Depth};

/// The pipeline around a run.
pub fn around(tx: &mut dyn Tx, run: RunId) -> Result<Option<Run>> {
    let columns = run_row::columns(Depth::Row);
    let sql = format!("SELECT {columns} FROM {} JOIN runs c ON c.pipeline_id = r.id WHERE c.uuid = ?1", run_row::FROM);
    first(tx, &sql, args![run])?.map(|row| run_row::read(row, Depth::Row)).transpose()
}

/// The operations of a dag that come directly before a run, by name.
pub fn upstream(tx: &mut dyn Tx, run: RunId) -> Result<HashMap<String, Run>> {
    let columns = run_row::columns(Depth::Row);
    let sql = format!(
        "SELECT {columns} FROM {} JOIN run_edges e ON e.upstream_id = r.id JOIN runs c ON c.id = e.downstream_id \
         WHERE c.uuid = ?1 AND e.kind = 'dag'",
        run_row::FROM
    );
    let runs = tx.query(&sql, args![run])?.into_iter().map(|row| run_row::read(row, Depth::Row));
    runs.map(|run| run.map(|run| (run.name.clone().unwrap_or_default(), run))).collect()
}
