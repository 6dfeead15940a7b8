//! Joins: params that are collected from the runs that a query finds, as lists in the order of the query.
//!
//! Invariant: the run itself is never among them, and nothing that was not found is invented: without a match an input
//! has its default, or else an empty list when it is optional, and a run that lacks a value is passed over with a `null`
//! in its place.

use polyaxon_artifacts::layout::Layout;
use polyaxon_compile::context::{self, Pass, RunContext};
use polyaxon_compile::template::{Budget, print, render, value};
use polyaxon_model::ids::ProjectId;
use polyaxon_model::kinds::EdgeKind;
use polyaxon_model::listing::{Counting, Paging};
use polyaxon_model::run::Run;
use polyaxon_model::time::Timestamp;
use polyaxon_spec::io::Declaration;
use polyaxon_spec::node::{Map, Node};
use polyaxon_spec::refs::{self, RefValue};
use polyaxon_store::db::Tx;
use polyaxon_store::edges::{NewEdge, Side};
use polyaxon_store::pipelines::sources::{Artifacts, holder};
use polyaxon_store::run_list::{self, RunQuery};
use serde_json::{Value as Json, json};

use crate::references;

/// The most runs that one join collects from.
const MOST: u32 = 5000;

/// A join with its templates rendered.
#[derive(Debug)]
pub(crate) struct Join {
    query: String,
    sort: String,
    limit: u32,
    offset: u64,
    params: Map,
}

/// What a join found.
#[derive(Debug)]
pub(crate) struct Found {
    runs: Vec<Run>,
    artifacts: Artifacts,
}

/// The joins of an operation whose params are values.
pub(crate) fn wanted(operation: &Node, params: &Map, run: &RunContext) -> Result<Vec<Join>, String> {
    let joins = operation.get("joins").and_then(Node::as_list).unwrap_or_default();
    let mut names = Map::new();
    for input in operation.get("inputs").and_then(Node::as_list).unwrap_or_default() {
        if let (Some(name), Some(value)) = (input.get("name").and_then(Node::as_str), input.get("value")) {
            names.insert(name, value.clone());
        }
    }
    for (key, param) in params.iter() {
        names.insert(&*key.text, param.get("value").unwrap_or(param).clone());
    }
    names.insert("globals", context::globals(run, Pass::Operation));
    let (names, budget) = (value::from_node(&Node::map(names)), Budget::default());
    let text = |join: &Node, field: &str| match join.get(field).filter(|node| !node.is_null()) {
        Some(node) => render(&print::text(node), &names, &budget)
            .map_err(|error| format!("`{field}` of a join cannot be rendered: {error}")),
        None => Ok(String::new()),
    };
    let number = |join: &Node, field: &str| {
        let text = text(join, field)?;
        let text = text.trim();
        if text.is_empty() {
            Ok(0)
        } else {
            text.parse::<u64>().map_err(|_| format!("`{field}` of a join is `{text}`, expected a number"))
        }
    };
    let read = |join: &Node| {
        let limit = u32::try_from(number(join, "limit")?).unwrap_or(MOST);
        Ok(Join {
            query: text(join, "query")?,
            sort: text(join, "sort")?,
            limit: if limit == 0 { MOST } else { limit.min(MOST) },
            offset: number(join, "offset")?,
            params: join.get("params").and_then(Node::as_map).cloned().unwrap_or_default(),
        })
    };
    joins.iter().map(read).collect()
}

impl Join {
    /// The runs that it finds in its project. An error is the sentence for the status of the run.
    pub(crate) fn find(
        &self,
        tx: &mut dyn Tx,
        known: &run_list::Known,
        project: ProjectId,
        now: Timestamp,
    ) -> polyaxon_store::Result<Result<Found, String>> {
        // Old runs count as much as new ones, and the oldest comes first.
        let any_time = if self.query.contains("created_at") { "" } else { ", created_at:_any_" };
        let wanted = RunQuery {
            project: Some(project),
            query: format!("{}{any_time}", self.query),
            sort: if self.sort.is_empty() { "created_at".to_owned() } else { self.sort.clone() },
            bookmarked: None,
            paging: Paging { limit: self.limit, offset: self.offset, counting: Counting::Skip },
        };
        match run_list::list(tx, known, &wanted, now) {
            Ok(page) => {
                let asked =
                    self.params.iter().filter_map(|(key, param)| refs::read_value(&key.text, param, false).ok());
                let artifacts = Artifacts::read(tx, &page.results, asked)?;
                Ok(Ok(Found { runs: page.results, artifacts }))
            }
            Err(polyaxon_store::Error::Query(problem)) => {
                Ok(Err(format!("the query `{}` of a join is wrong: {problem}", self.query)))
            }
            Err(error) => Err(error),
        }
    }

    /// Puts what was found into the params; answers an edge for each run.
    pub(crate) fn fill(
        &self,
        params: &mut Map,
        run: &Run,
        found: &Found,
        layout: &Layout,
    ) -> Result<Vec<NewEdge>, String> {
        let Found { runs, artifacts } = found;
        let found: Vec<&Run> = runs.iter().filter(|other| other.uuid != run.uuid).collect();
        let mut asked = serde_json::Map::new();
        for (key, param) in self.params.iter() {
            let given = param.get("value").map(Node::to_json).unwrap_or_default();
            let value = match &given {
                Json::Object(files) => {
                    asked.insert(key.text.clone(), given.clone());
                    of_files(files, &found)
                }
                _ => {
                    let value = refs::read_value(&key.text, param, false).map_err(|problem| problem.message.clone())?;
                    asked.insert(key.text.clone(), json!(value.text()));
                    of_runs(&value, &found, artifacts, layout)
                }
            };
            // Several joins may collect into one list.
            let before = params.get(&key.text).and_then(|param| param.get("value")).map(Node::to_json);
            let value = match (before, value) {
                (Some(Json::Array(mut before)), Json::Array(after)) => {
                    before.extend(after);
                    Json::Array(before)
                }
                (_, value) => value,
            };
            let mut param = param.as_map().cloned().unwrap_or_default();
            param.insert("value", Node::from_json(&value));
            params.insert(&*key.text, Node::map(param));
        }
        let edge = |other: &&Run| NewEdge {
            other: other.uuid,
            side: Side::Upstream,
            kind: EdgeKind::Join,
            values: Some(Json::Object(asked.clone())),
            statuses: None,
        };
        Ok(found.iter().map(edge).collect())
    }
}

/// What inputs get of joins that found nothing: their default. One that must have a value makes the run fail.
pub(crate) fn settle(joins: &[Join], params: &mut Map, operation: &Node) -> Result<(), String> {
    for join in joins {
        for (key, _) in join.params.iter() {
            let name = &key.text;
            let inputs = Declaration::all(operation, "inputs");
            let Some(input) = inputs.into_iter().find(|input| input.name == name) else { continue };
            let value = params.get(name).and_then(|param| param.get("value"));
            if !value.is_some_and(is_empty) {
                continue;
            }
            if !input.is_optional() {
                let Join { query, .. } = join;
                return Err(format!("the input `{name}` is required, but its join found no run: `{query}`"));
            }
            if let (Some(default), Some(param)) =
                (input.default_value(), params.get_mut(name).and_then(Node::as_map_mut))
            {
                param.insert("value", default.clone());
            }
        }
    }
    Ok(())
}

/// No run, or no file of any run.
fn is_empty(value: &Node) -> bool {
    match (value.as_list(), value.as_map()) {
        (Some(items), _) => items.is_empty(),
        (None, Some(files)) => files.iter().all(|(_, paths)| paths.as_list().is_some_and(<[Node]>::is_empty)),
        (None, None) => false,
    }
}

fn of_runs(asked: &RefValue, found: &[&Run], artifacts: &Artifacts, layout: &Layout) -> Json {
    found.iter().map(|run| references::value(run, asked, artifacts, layout).unwrap_or(Json::Null)).collect()
}

/// Files and folders of all runs in one object.
fn of_files(wanted: &serde_json::Map<String, Json>, found: &[&Run]) -> Json {
    let paths = |paths: &Json| -> Json {
        let paths = paths.as_array().cloned().unwrap_or_default();
        let of_run = |run: &&Run| {
            let run = holder(run).to_hex();
            paths.iter().filter_map(Json::as_str).map(|path| json!(format!("{run}/{path}"))).collect::<Vec<_>>()
        };
        found.iter().flat_map(of_run).collect()
    };
    Json::Object(wanted.iter().map(|(kind, wanted)| (kind.clone(), paths(wanted))).collect())
}
