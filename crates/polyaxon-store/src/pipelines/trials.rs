//! The trials of a search, for a search that learns from them.

use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use serde_json::Value as Json;

use crate::Result;
use crate::db::{Row, Tx, Value, args, scalar};

/// A child of a search: what it got, and what came of it.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Its place among the children.
    pub position: u64,
    pub run: RunId,
    pub status: Status,
    /// Its end was counted: it does not change any more, unless somebody lets the run go on.
    pub is_counted: bool,
    pub meta_info: JsonMap,
    pub inputs: Option<JsonMap>,
    pub outputs: Option<JsonMap>,
}

const SELECT: &str = "SELECT c.position, t.uuid, t.status, c.counted IS NOT NULL, t.meta_info, t.inputs, t.outputs \
     FROM runs t JOIN pipeline_children c ON c.run_id = t.id";

/// Below the least number of values that databases accept in a statement.
const CHUNK: usize = 500;

/// The trials of a search in the order of their creation.
pub fn list(tx: &mut dyn Tx, search: RunId) -> Result<Vec<Trial>> {
    let sql = format!("{SELECT} JOIN runs s ON s.id = t.pipeline_id WHERE s.uuid = ?1 ORDER BY c.position");
    tx.query(&sql, args![search])?.into_iter().map(read).collect()
}

/// Some trials in the order of their creation; the work is that of these only.
pub fn get(tx: &mut dyn Tx, runs: &[RunId]) -> Result<Vec<Trial>> {
    let mut trials = Vec::with_capacity(runs.len());
    for chunk in runs.chunks(CHUNK) {
        let list = (1..=chunk.len()).map(|place| format!("?{place}")).collect::<Vec<_>>().join(", ");
        let chunk: Vec<Value> = chunk.iter().map(|run| Value::from(*run)).collect();
        let rows = tx.query(&format!("{SELECT} WHERE t.uuid IN ({list})"), &chunk)?;
        trials.extend(rows.into_iter().map(read).collect::<Result<Vec<Trial>>>()?);
    }
    trials.sort_by_key(|trial| trial.position);
    Ok(trials)
}

fn read(mut row: Row) -> Result<Trial> {
    Ok(Trial {
        position: super::count(&mut row)?,
        run: row.take()?,
        status: row.take()?,
        is_counted: row.take()?,
        meta_info: row.take_json()?,
        inputs: row.take_optional_json()?,
        outputs: row.take_optional_json()?,
    })
}

/// What a search learned from earlier runs when it began; none when it has not begun.
pub fn experience(tx: &mut dyn Tx, search: RunId) -> Result<Option<Json>> {
    let sql = "SELECT p.experience FROM pipelines p JOIN runs s ON s.id = p.run_id WHERE s.uuid = ?1";
    let text = scalar::<Option<String>>(tx, sql, args![search])?.flatten();
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
