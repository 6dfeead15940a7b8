//! What a dag that succeeded hands out: values of its operations, under the names of its outputs.
//!
//! Invariant: an operation that did not produce a value leaves its output out; 0, false and empty are values.

use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_spec::dag;
use polyaxon_spec::node::{Map, Node};
use polyaxon_spec::refs::Entity;
use serde::Deserialize;
use serde_json::Value as Json;

use super::sources::{self, Artifacts};
use super::{Pipeline, child_id};
use crate::db::{Tx, args, first};
use crate::{Result, metrics, runs};

/// The part of an operation that is read; the rest of it may be large.
#[derive(Default, Deserialize)]
struct Declared {
    #[serde(default)]
    outputs: Option<Json>,
}

/// Writes the outputs of a dag.
pub(super) fn hand_out(tx: &mut dyn Tx, dag: &Pipeline) -> Result<()> {
    let Some(mut row) = first(tx, "SELECT content, outputs FROM runs WHERE id = ?1", args![dag.id])? else {
        return Ok(());
    };
    let (content, before): (Option<String>, Option<JsonMap>) = (row.take()?, row.take_optional_json()?);
    let declared: Declared = content.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let Some(declared) = declared.outputs else { return Ok(()) };
    let mut operation = Map::new();
    operation.insert("outputs", Node::from_json(&declared));
    let operation = Node::map(operation);
    let references = dag::outputs(&operation);
    if references.is_empty() {
        return Ok(());
    }
    let mut outputs = before.clone().unwrap_or_default();
    for (name, reference) in references {
        outputs.remove(name);
        let Entity::Operation(of) = &reference.entity else { continue };
        let Some(run) = runs::get(tx, child_id(dag.run, of))? else { continue };
        let artifacts = Artifacts::read(tx, [&run], [reference.value.clone()])?;
        if let Some(value) = sources::value(&run, &reference.value, &artifacts) {
            outputs.insert(name.to_owned(), value);
        }
        if reference.value.section() == "artifacts" {
            link(tx, dag.id, sources::holder(&run), reference.value.name())?;
        }
    }
    tx.execute("UPDATE runs SET outputs = ?2 WHERE id = ?1", args![dag.id, &outputs])?;
    metrics::update(tx, dag.id, before.as_ref(), Some(&outputs))
}

/// The artifact of an operation is one of the dag as well; without a name all that the operation produced are.
fn link(tx: &mut dyn Tx, dag: i64, of: RunId, name: Option<&str>) -> Result<()> {
    let name = name.filter(|name| *name != "base");
    let sql = "INSERT INTO run_artifacts (run_id, artifact_id, is_input) \
               SELECT CAST(?1 AS BIGINT), l.artifact_id, FALSE FROM run_artifacts l \
               JOIN runs r ON r.id = l.run_id JOIN artifacts a ON a.id = l.artifact_id \
               WHERE r.uuid = ?2 AND NOT coalesce(l.is_input, FALSE) AND a.name = coalesce(CAST(?3 AS TEXT), a.name) \
               ON CONFLICT (run_id, artifact_id) DO NOTHING";
    tx.execute(sql, args![dag, of, name])?;
    Ok(())
}
