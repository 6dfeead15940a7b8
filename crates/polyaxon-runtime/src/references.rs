//! Params that refer to runs become values: `runs.UUID`, with an edge to that run, `ops.NAME` and `dag` in a pipeline.

use std::collections::HashMap;

use polyaxon_artifacts::layout::Layout;
use polyaxon_compile::context::{self, Pass};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::EdgeKind;
use polyaxon_model::run::Run;
use polyaxon_spec::io::Declaration;
use polyaxon_spec::node::{Map, Node};
use polyaxon_spec::refs::{self, Entity, RefValue, Reference};
use polyaxon_store::edges::{NewEdge, Side};
use polyaxon_store::pipelines::sources::{self, Artifacts, holder};
use serde_json::{Value as Json, json};

/// The runs that params can refer to.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) runs: HashMap<RunId, Run>,
    /// The operations of the dag that come before the run, by name.
    pub(crate) upstream: HashMap<String, Run>,
    /// The pipeline around the run.
    pub(crate) around: Option<Run>,
    pub(crate) artifacts: Artifacts,
}

impl Sources {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Run> {
        self.runs.values().chain(self.upstream.values()).chain(&self.around)
    }
}

/// Why a param has no value, as a sentence for the status of the run.
#[derive(Debug)]
pub(crate) enum Problem {
    Wrong(String),
    /// An operation before the run did not produce what the run needs.
    NotProduced(String),
    /// The store could not be asked; another try may be better.
    Store(polyaxon_store::Error),
}

/// What the params of an operation refer to. References that cannot be read are left for the compiler to report.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) runs: Vec<RunId>,
    pub(crate) upstream: bool,
    pub(crate) around: bool,
    pub(crate) values: Vec<RefValue>,
}

pub(crate) fn wanted(params: &Map) -> Wanted {
    let mut wanted = Wanted::default();
    for (key, param) in params.iter() {
        let Ok(Some(Reference { entity, value })) = refs::read(&key.text, param) else { continue };
        match entity {
            Entity::Run(uuid) => wanted.runs.extend(uuid.parse::<RunId>()),
            Entity::Operation(_) => wanted.upstream = true,
            Entity::Dag => wanted.around = true,
        }
        wanted.values.push(value);
    }
    wanted
}

/// Puts the values in the place of the references. Answers the edges to runs that are named by uuid.
pub(crate) fn fill(
    params: &mut Map,
    operation: &Node,
    project: &str,
    sources: &Sources,
    layout: &Layout,
) -> Result<Vec<NewEdge>, Problem> {
    let mut edges: Vec<NewEdge> = Vec::new();
    let mut absent = Vec::new();
    for (key, param) in params.iter_mut() {
        let Ok(Some(reference)) = refs::read(&key.text, param) else { continue };
        let run = source(&key.text, &reference, project, sources)?;
        let Some(value) = value(run, &reference.value, &sources.artifacts, layout) else {
            if reference.entity == Entity::Dag || !is_optional(operation, &key.text) {
                return Err(not_there(&key.text, &reference, run));
            }
            absent.push(key.text.clone());
            continue;
        };
        if let Some(map) = param.as_map_mut() {
            map.remove("ref");
            map.insert("value", Node::from_json(&value));
        }
        if matches!(reference.entity, Entity::Run(_)) {
            add_edge(&mut edges, run.uuid, &key.text, &reference.value.text());
        }
    }
    // The defaults of the inputs take their place.
    params.retain(|key, _| !absent.contains(&key.text));
    Ok(edges)
}

fn source<'a>(name: &str, reference: &Reference, project: &str, sources: &'a Sources) -> Result<&'a Run, Problem> {
    let wrong = |message: String| Problem::Wrong(message);
    match &reference.entity {
        Entity::Run(uuid) => {
            let run = uuid.parse().ok().and_then(|id: RunId| sources.runs.get(&id));
            run.filter(|run| run.project == project).ok_or_else(|| {
                wrong(format!("Access Error: param `{name}` refers to run {uuid}, which is not in project `{project}`"))
            })
        }
        Entity::Operation(operation) => sources.upstream.get(operation).ok_or_else(|| {
            wrong(format!(
                "param `{name}` refers to the operation `{operation}`, which is not before this one in a dag"
            ))
        }),
        Entity::Dag => sources
            .around
            .as_ref()
            .ok_or_else(|| wrong(format!("param `{name}` refers to a dag, but this run is not in one"))),
    }
}

fn is_optional(operation: &Node, name: &str) -> bool {
    Declaration::all(operation, "inputs").iter().any(|input| input.name == name && input.is_optional())
}

fn not_there(name: &str, reference: &Reference, run: &Run) -> Problem {
    let uuid = run.uuid.to_hex();
    let of = run.name.as_deref().unwrap_or(&uuid);
    let asked = reference.value.text();
    match &reference.entity {
        Entity::Operation(_) => Problem::NotProduced(format!(
            "param `{name}` needs `{asked}` of the operation `{of}`, which is {} and has no such value",
            run.status
        )),
        _ => Problem::Wrong(format!("param `{name}` refers to `{asked}` of run `{of}`, which has no such value")),
    }
}

fn add_edge(edges: &mut Vec<NewEdge>, other: RunId, name: &str, asked: &str) {
    let named = (name.to_owned(), json!(asked));
    match edges.iter_mut().find(|edge| edge.other == other) {
        Some(edge) => {
            if let Some(Json::Object(values)) = &mut edge.values {
                values.insert(named.0, named.1);
            }
        }
        None => edges.push(NewEdge {
            other,
            side: Side::Upstream,
            kind: EdgeKind::Run,
            values: Some(Json::Object(serde_json::Map::from_iter([named]))),
            statuses: None,
        }),
    }
}

/// What a run has of what is asked.
pub(crate) fn value(run: &Run, asked: &RefValue, artifacts: &Artifacts, layout: &Layout) -> Option<Json> {
    let known = sources::value(run, asked, artifacts);
    match (asked.section(), asked.name()) {
        ("globals", Some(name)) if known.is_none() => globals(run, name, layout),
        _ => known,
    }
}

fn globals(run: &Run, name: &str, layout: &Layout) -> Option<Json> {
    match name {
        "artifacts_path" | "run_artifacts_path" => Some(json!(layout.artifacts(holder(run)))),
        "run_outputs_path" | "outputs_path" => Some(json!(layout.outputs(holder(run)))),
        name => context::globals(&crate::compile::run_context(run), Pass::Operation).get(name).map(Node::to_json),
    }
}
