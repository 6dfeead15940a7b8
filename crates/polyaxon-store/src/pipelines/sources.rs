//! The runs that the params of a child refer to: its pipeline, and the operations before it; and what they have.

use std::collections::{BTreeMap, HashMap};

use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::CloningKind;
use polyaxon_model::run::Run;
use polyaxon_spec::refs::RefValue;
use serde_json::{Value as Json, json};

use crate::Result;
use crate::db::{Tx, args, first};
use crate::lineage;
use crate::run_row::{self, Depth};

/// Where the named artifacts of runs are, below their folders.
#[derive(Clone, Debug, Default)]
pub struct Artifacts(HashMap<RunId, BTreeMap<String, String>>);

impl Artifacts {
    /// Those of some runs, if what is asked of them needs it.
    pub fn read<'a>(
        tx: &mut dyn Tx,
        runs: impl IntoIterator<Item = &'a Run>,
        asked: impl IntoIterator<Item = RefValue>,
    ) -> Result<Artifacts> {
        let mut found = Artifacts::default();
        if asked.into_iter().any(|asked| asked.section() == "artifacts" && !is_place(asked.name())) {
            for run in runs {
                let holder = holder(run);
                found.0.insert(holder, lineage::paths(tx, holder)?);
            }
        }
        Ok(found)
    }

    /// The path of a named artifact from the store on; one that is elsewhere keeps its address.
    fn path(&self, holder: RunId, name: &str) -> Option<String> {
        self.0.get(&holder)?.get(name).map(|path| placed(holder, path))
    }

    /// The places and all named artifacts of a run.
    fn all(&self, holder: RunId) -> Json {
        let named = self.0.get(&holder).into_iter().flatten();
        let named = named.map(|(name, path)| (name.clone(), json!(placed(holder, path))));
        let places = [("base", holder.to_hex()), ("outputs", placed(holder, "outputs"))];
        let places = places.into_iter().map(|(name, path)| (name.to_owned(), json!(path)));
        Json::Object(named.chain(places).collect())
    }
}

/// Whether a name stands for a folder that every run has.
fn is_place(name: Option<&str>) -> bool {
    matches!(name, Some("base" | "outputs"))
}

fn placed(holder: RunId, path: &str) -> String {
    let uuid = holder.to_hex();
    if path.contains("://") || path.starts_with(&uuid) { path.to_owned() } else { format!("{uuid}/{path}") }
}

/// What a run has of what is asked; paths on a machine are not among it.
pub fn value(run: &Run, asked: &RefValue, artifacts: &Artifacts) -> Option<Json> {
    let uuid = holder(run).to_hex();
    let of = |values: &Option<JsonMap>| values.clone().unwrap_or_default();
    match (asked.section(), asked.name()) {
        ("inputs", None) => Some(Json::Object(of(&run.inputs))),
        ("inputs", Some(name)) => run.inputs.as_ref()?.get(name).cloned(),
        ("outputs", None) => Some(Json::Object(of(&run.outputs))),
        ("outputs", Some(name)) => run.outputs.as_ref()?.get(name).cloned(),
        ("io", None) => Some(Json::Object(of(&run.inputs).into_iter().chain(of(&run.outputs)).collect())),
        ("artifacts", None) => Some(artifacts.all(holder(run))),
        ("artifacts", Some("base")) => Some(json!(uuid)),
        ("artifacts", Some(name)) => {
            let text = asked.text();
            let place = text.trim_start_matches("artifacts.").replace('.', "/");
            let named = artifacts.path(holder(run), name).filter(|_| place == name);
            Some(json!(named.unwrap_or_else(|| format!("{uuid}/{place}"))))
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
