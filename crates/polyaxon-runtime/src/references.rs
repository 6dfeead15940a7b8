//! Params that refer to other runs (`ref: runs.UUID`, `value: outputs.loss`) become values, and edges to those runs.

use std::collections::HashMap;

use polyaxon_artifacts::layout::Layout;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::EdgeKind;
use polyaxon_model::run::Run;
use polyaxon_spec::node::{Map, Node};
use polyaxon_spec::refs::{self, Entity, RefValue};
use polyaxon_store::edges::{NewEdge, Side};
use serde_json::{Value as Json, json};

/// The runs that params refer to. A reference that cannot be read is left for the compiler to report.
pub(crate) fn wanted(params: &Map) -> Vec<RunId> {
    let references = params.iter().filter_map(|(key, param)| refs::read(&key.text, param).ok().flatten());
    let runs = references.filter_map(|reference| match reference.entity {
        Entity::Run(uuid) => uuid.parse().ok(),
        _ => None,
    });
    runs.collect()
}

/// Puts the values in the place of the references. The error is a sentence for the status of the run.
pub(crate) fn fill(
    params: &mut Map,
    project: &str,
    runs: &HashMap<RunId, Run>,
    layout: &Layout,
) -> Result<Vec<NewEdge>, String> {
    let mut edges: Vec<NewEdge> = Vec::new();
    for (key, param) in params.iter_mut() {
        let Ok(Some(reference)) = refs::read(&key.text, param) else { continue };
        let Entity::Run(uuid) = &reference.entity else { continue };
        let run = uuid.parse().ok().and_then(|id: RunId| runs.get(&id)).filter(|run| run.project == project);
        let run = run.ok_or_else(|| {
            format!("Access Error: param `{}` refers to run {uuid}, which is not in project `{project}`", key.text)
        })?;
        let value = value(run, &reference.value, layout).ok_or_else(|| {
            let name = run.name.as_deref().unwrap_or(uuid);
            format!(
                "param `{}` refers to `{}` of run `{name}`, which has no such value",
                key.text,
                reference.value.text()
            )
        })?;
        if let Some(map) = param.as_map_mut() {
            map.remove("ref");
            map.insert("value", Node::from_json(&value));
        }
        let named = (key.text.clone(), json!(reference.value.text()));
        match edges.iter_mut().find(|edge| edge.other == run.uuid) {
            Some(edge) => {
                if let Some(Json::Object(values)) = &mut edge.values {
                    values.insert(named.0, named.1);
                }
            }
            None => edges.push(NewEdge {
                other: run.uuid,
                side: Side::Upstream,
                kind: EdgeKind::Run,
                values: Some(Json::Object(serde_json::Map::from_iter([named]))),
                statuses: None,
            }),
        }
    }
    Ok(edges)
}

fn value(run: &Run, asked: &RefValue, layout: &Layout) -> Option<Json> {
    let uuid = run.uuid.to_hex();
    let (inputs, outputs) = (run.inputs.clone().unwrap_or_default(), run.outputs.clone().unwrap_or_default());
    match (asked.section(), asked.name()) {
        ("inputs", None) => Some(Json::Object(inputs)),
        ("inputs", Some(name)) => inputs.get(name).cloned(),
        ("outputs", None) => Some(Json::Object(outputs)),
        ("outputs", Some(name)) => outputs.get(name).cloned(),
        ("io", None) => Some(Json::Object(inputs.into_iter().chain(outputs).collect())),
        ("artifacts", None | Some("base")) => Some(json!(uuid)),
        ("artifacts", Some(path)) => Some(json!(format!("{uuid}/{path}"))),
        ("globals", Some(name)) => globals(run, name, layout),
        _ => None,
    }
}

fn globals(run: &Run, name: &str, layout: &Layout) -> Option<Json> {
    match name {
        "uuid" => Some(json!(run.uuid)),
        "name" => Some(json!(run.name)),
        "project_name" => Some(json!(run.project)),
        "status" => Some(json!(run.status)),
        "artifacts_path" | "run_artifacts_path" => Some(json!(layout.artifacts(run.uuid))),
        "run_outputs_path" | "outputs_path" => Some(json!(layout.outputs(run.uuid))),
        "created_at" => Some(json!(run.created_at)),
        "started_at" => Some(json!(run.started_at)),
        "finished_at" => Some(json!(run.finished_at)),
        "duration" => Some(json!(run.duration)),
        _ => None,
    }
}
