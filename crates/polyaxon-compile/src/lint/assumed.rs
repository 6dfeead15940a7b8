//! The values that templates will see, as far as they are known before the run exists.
//!
//! Values of other runs, of the server and of searches are not known: their names exist, their values are assumed.

use std::collections::HashSet;

use minijinja::value::Value as Engine;
use polyaxon_model::time::Timestamp;
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::node::{Key, Map, Node, Value};
use polyaxon_spec::params;

use crate::connection::Connection;
use crate::context::{self, Agent, RunContext};
use crate::template::Budget;

/// Names that the template language itself offers.
const BUILT_IN: &[&str] = &["range", "dict", "namespace", "debug", "loop", "self", "caller"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Operation,
    Runtime,
}

/// The operation with its params applied, and what its templates may name.
pub(super) struct World {
    pub(super) operation: Node,
    before: Group,
    runtime: Group,
    /// What fails as soon as the params are applied, although the check accepts it: a template for a number.
    pub(super) problems: Vec<Diagnostic>,
}

/// What the templates of one pass see.
pub(super) struct Group {
    /// The first parts of names that exist.
    pub(super) names: HashSet<String>,
    /// Those whose values are only assumed.
    pub(super) assumed: Vec<String>,
    pub(super) params: Vec<String>,
    pub(super) globals: Vec<String>,
    pub(super) engine: Engine,
}

impl World {
    pub(super) fn assume(compiled: &Node, params: &Map, budget: &Budget) -> World {
        let (operation, unknown, problems) = applied(compiled, params);
        let run = placeholder();
        let before = group(&operation, &unknown, context::globals(&run, context::Pass::Operation), &[], budget);
        let pass = context::Pass::Runtime { namespace: "namespace", operation: &operation };
        let late = ["init", "connections"];
        let runtime = group(&operation, &unknown, context::globals(&run, pass), &late, budget);
        World { operation, before, runtime, problems }
    }

    pub(super) fn group(&self, pass: Pass) -> &Group {
        match pass {
            Pass::Operation => &self.before,
            Pass::Runtime => &self.runtime,
        }
    }
}

fn group(operation: &Node, unknown: &[String], globals: Node, late: &[&str], budget: &Budget) -> Group {
    let params = context::params(operation);
    let mut names = context::names(&params, budget);
    let keys =
        |node: &Node| node.as_map().into_iter().flat_map(|map| map.iter()).map(|(key, _)| key.text.clone()).collect();
    let global_names = keys(&globals);
    names.insert("globals", globals);
    for name in late {
        names.insert(name, Node::map(Map::new()));
    }
    let mut known: HashSet<String> = names.map().iter().map(|(key, _)| key.text.clone()).collect();
    known.extend(unknown.iter().cloned());
    known.extend(BUILT_IN.iter().map(|name| (*name).to_owned()));

    let mut assumed = unknown.to_vec();
    assumed.extend(["globals", "init", "connections"].map(str::to_owned));
    // The forms of all params hold the unknown ones too, and values that are templates themselves.
    let has_templates = params.iter().any(|param| param.value.as_str().is_some_and(crate::template::is_template));
    if !unknown.is_empty() || has_templates {
        assumed.push("params".to_owned());
    }
    let templated = params.iter().filter(|param| param.value.as_str().is_some_and(crate::template::is_template));
    assumed.extend(templated.map(|param| param.name.clone()));
    let mut param_names: Vec<String> = params.into_iter().map(|param| param.name).collect();
    param_names.extend(unknown.iter().cloned());
    param_names.sort();
    param_names.dedup();
    Group { names: known, assumed, params: param_names, globals: global_names, engine: names.to_engine() }
}

/// The operation with its params applied, and the names whose values cannot be known yet.
fn applied(compiled: &Node, given: &Map) -> (Node, Vec<String>, Vec<Diagnostic>) {
    let mut operation = compiled.clone();
    let mut unknown = Vec::new();
    let mut literal = Map::new();
    for (key, param) in given.iter() {
        if param.get("ref").is_some_and(|node| !node.is_null()) {
            unknown.push(key.text.clone());
        } else {
            literal.insert_key(key.clone(), param.clone());
        }
    }
    for join in compiled.get("joins").and_then(Node::as_list).unwrap_or_default() {
        unknown.extend(member_names(join.get("params")));
    }
    if let Some(matrix) = compiled.get("matrix") {
        unknown.extend(inputs_without_value(compiled, &literal));
        unknown.extend(member_names(matrix.get("params")));
        let first = matrix.get("values").and_then(Node::as_list).and_then(|items| items.first());
        unknown.extend(member_names(first));
        // Hyperband hands its resource to every run.
        unknown.extend(matrix.at(&["resource", "name"]).and_then(Node::as_str).map(str::to_owned));
    }
    if let Some(map) = operation.as_map_mut() {
        map.remove("joins");
        map.remove("matrix");
    }
    make_optional(&mut operation, &unknown);
    let mut problems = Vec::new();
    let found = params::validate(&operation, &literal, &params::Context::new());
    if let Err(late) = params::apply(&mut operation, &literal) {
        // What the check finds is its to say. Every declared name exists, with an unknown value.
        if !found.iter().any(Diagnostic::is_error) {
            problems = late;
        }
        operation = compiled.clone();
        unknown.extend(context::params(compiled).into_iter().map(|param| param.name));
        unknown.extend(member_names(Some(&Node::map(literal))));
    }
    if let (Some(matrix), Some(map)) = (compiled.get("matrix"), operation.as_map_mut()) {
        map.insert("matrix", matrix.clone());
    }
    unknown.sort();
    unknown.dedup();
    (operation, unknown, problems)
}

fn member_names(node: Option<&Node>) -> Vec<String> {
    let members = node.and_then(Node::as_map).into_iter().flat_map(|map| map.iter());
    members.map(|(key, _): (&Key, &Node)| key.text.clone()).collect()
}

fn inputs_without_value(compiled: &Node, params: &Map) -> Vec<String> {
    let inputs = context::params(compiled).into_iter();
    inputs.filter(|io| io.value.is_null() && !params.contains(&io.name)).map(|io| io.name).collect()
}

fn make_optional(operation: &mut Node, names: &[String]) {
    for section in ["inputs", "outputs"] {
        let Some(list) = operation.as_map_mut().and_then(|map| map.get_mut(section)) else { continue };
        let Value::List(items) = &mut list.value else { continue };
        for io in items {
            let is_unknown = io.get("name").and_then(Node::as_str).is_some_and(|name| names.iter().any(|n| n == name));
            if let (true, Some(map)) = (is_unknown, io.as_map_mut()) {
                map.insert("isOptional", Node::bool(true));
            }
        }
    }
}

/// A run that looks like any other.
fn placeholder() -> RunContext {
    let time = Timestamp::from_micros(1_700_000_000_000_000);
    RunContext {
        owner: "owner".to_owned(),
        project: "project".to_owned(),
        project_uuid: "0".repeat(32),
        name: "name".to_owned(),
        uuid: "0".repeat(32),
        path: "0".repeat(32),
        created_at: Some(time),
        compiled_at: Some(time),
        is_independent: true,
        agent: Agent { store: Some(Connection::host_path("store", "/store")), ..Agent::default() },
        ..RunContext::default()
    }
}
