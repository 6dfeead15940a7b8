//! The runs that the params of a child refer to: its pipeline, and the operations before it; and what they have.

use std::collections::HashMap;

use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::CloningKind;
use polyaxon_model::run::Run;
use polyaxon_spec::refs::RefValue;
use serde_json::{Value as Json, json};

use crate::Result;
use crate::db::{Tx, args, first};
use crate::run_row::{self, Depth};

/// What a run has of what is asked; paths on a machine are not among it.
pub fn value(run: &Run, asked: &RefValue) -> Option<Json> {
    let uuid = holder(run).to_hex();
    let of = |values: &Option<JsonMap>| values.clone().unwrap_or_default();
    match (asked.section(), asked.name()) {
        ("inputs", None) => Some(Json::Object(of(&run.inputs))),
        ("inputs", Some(name)) => run.inputs.as_ref()?.get(name).cloned(),
        ("outputs", None) => Some(Json::Object(of(&run.outputs))),
        ("outputs", Some(name)) => run.outputs.as_ref()?.get(name).cloned(),
        ("io", None) => Some(Json::Object(of(&run.inputs).into_iter().chain(of(&run.outputs)).collect())),
        ("artifacts", None | Some("base")) => Some(json!(uuid)),
        ("artifacts", Some(_)) => {
            let text = asked.text();
            let path = text.trim_start_matches("artifacts.").replace('.', "/");
            Some(json!(format!("{uuid}/{path}")))
        }
        ("globals", Some(name)) => match name {
            // Whoever looks for the children of a pipeline finds those of the run that had them.
            "uuid" if run.kind.is_pipeline() => Some(json!(uuid)),
            "uuid" => Some(json!(run.uuid)),
            "name" => Some(json!(run.name)),
            "project_name" => Some(json!(run.project)),
            "status" => Some(json!(run.status)),
            "created_at" => Some(json!(run.created_at)),
            "started_at" => Some(json!(run.started_at)),
            "finished_at" => Some(json!(run.finished_at)),
            "duration" => Some(json!(run.duration)),
            _ => None,
        },
        _ => None,
    }
}

/// The run that has the artifacts of a run: itself, or the one whose result it reused.
pub fn holder(run: &Run) -> RunId {
    let original = run.original.as_ref().filter(|original| original.kind == CloningKind::Cache);
    original.map_or(run.uuid, |original| original.uuid)
}

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
