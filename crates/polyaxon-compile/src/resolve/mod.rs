//! Resolution (spec §16): params become values, templates become text, connections are found.
//!
//! Invariant: the same operation, params and context give the same result; a failure changes nothing.

mod connections;
mod replicas;
mod settle;

use polyaxon_spec::diagnostic::{Diagnostic, codes};
use polyaxon_spec::node::{Map, Node, Value};
use polyaxon_spec::refs;
use polyaxon_spec::scalar;

use crate::context::{self, Names, Pass, RunContext};
use crate::place;
use crate::template::Budget;
use crate::template::expand::Expander;

/// The sections of an operation that are rendered, in the order of the result (spec §16.1 step 5).
pub(crate) const RENDERED: &[&str] = &[
    "isApproved",
    "matrix",
    "presets",
    "cost",
    "queue",
    "cache",
    "connections",
    "plugins",
    "namespace",
    "termination",
    "schedule",
    "dependencies",
    "trigger",
    "conditions",
    "mount",
    "skipOnUpstreamSkip",
];

/// Sections that are text in the end, whatever they were rendered to.
const TEXTS: &[&str] = &["conditions"];

/// A resolved operation and the values that the run shows.
#[derive(Clone, Debug)]
pub struct Resolved {
    pub operation: Node,
    /// Values of contexts and inputs, by name.
    pub inputs: Map,
    /// Values of outputs, by name.
    pub outputs: Map,
    /// The namespace that the run goes to.
    pub namespace: String,
    /// False when `conditions` say that the run is skipped.
    pub should_run: bool,
}

/// Resolves a composed operation. In `params`, references and joins are values already.
pub fn resolve(compiled: &Node, params: &Map, run: &RunContext) -> Result<Resolved, Vec<Diagnostic>> {
    let mut operation = compiled.clone();
    polyaxon_spec::params::apply(&mut operation, params)?;
    resolve_applied(operation, run)
}

/// Steps 3 to 7, on an operation whose ios hold their values.
pub fn resolve_applied(operation: Node, run: &RunContext) -> Result<Resolved, Vec<Diagnostic>> {
    let budget = Budget::default();
    let mut operation = operation;
    let kind = operation.at(&["run", "kind"]).and_then(Node::as_str).unwrap_or_default().to_owned();
    let is_dag = kind == "dag";
    let is_pipeline = is_dag || operation.get("matrix").is_some() || operation.get("schedule").is_some();

    share_values(&mut operation);
    let params = context::params(&operation);
    let mut names = checked(context::names(&params, &budget))?;
    names.insert("globals", context::globals(run, Pass::Operation));
    if !is_dag {
        connections::apply(&mut operation, &params, &names, run, &budget)?;
        operation = settle::settle(sections(&operation, is_pipeline, &names, &budget)?)?;
    }
    let namespace = namespace(&operation, run)?;
    connections::check(&operation, &run.agent)?;
    if !is_pipeline {
        operation = settle::settle(runtime(operation, &namespace, run, &budget)?)?;
    }
    let should_run = should_run(&operation)?;
    let mut inputs = values(&operation, "contexts");
    for (key, value) in values(&operation, "inputs") {
        inputs.insert_key(key, value);
    }
    let outputs = values(&operation, "outputs");
    Ok(Resolved { operation, inputs, outputs, namespace, should_run })
}

/// An input and an output of the same name hold one value: the output's.
fn share_values(operation: &mut Node) {
    let outputs = values(operation, "outputs");
    let Some(inputs) = operation.as_map_mut().and_then(|map| map.get_mut("inputs")) else { return };
    let Value::List(items) = &mut inputs.value else { return };
    for io in items {
        let shared = io.get("name").and_then(Node::as_str).and_then(|name| outputs.get(name)).cloned();
        if let (Some(value), Some(map)) = (shared, io.as_map_mut()) {
            map.insert("value", value);
        }
    }
}

/// Renders what is not the runtime. Names and descriptions stay as written.
fn sections(operation: &Node, is_pipeline: bool, names: &Names, budget: &Budget) -> Result<Node, Vec<Diagnostic>> {
    let engine = names.to_engine();
    let mut expander = Expander::new(&engine, budget);
    let mut out = Map::new();
    let present = |key: &str| operation.get(key).filter(|node| !node.is_null());
    for key in ["kind", "version", "name", "description", "tags"] {
        if let Some(node) = present(key) {
            out.insert(key, node.clone());
        }
    }
    if is_pipeline {
        if let Some(strict) = present("strictParams") {
            out.insert("strictParams", strict.clone());
        }
    }
    for key in ["contexts", "inputs", "outputs"] {
        let items = operation.get(key).and_then(Node::as_list).unwrap_or_default();
        if !items.is_empty() {
            let items = items.iter().enumerate().map(|(index, io)| expander.io(&format!("{key}[{index}]"), io));
            out.insert(key, Node::list(items.collect()));
        }
    }
    for key in RENDERED {
        if let Some(node) = present(key) {
            let rendered = expander.section(key, node);
            let rendered = if TEXTS.contains(key) { as_text(rendered) } else { rendered };
            out.insert(*key, rendered);
        }
    }
    for key in ["run", "build", "hooks"] {
        if let Some(node) = present(key) {
            out.insert(key, node.clone());
        }
    }
    finish(expander)?;
    Ok(Node::new(Value::Map(out), operation.span))
}

/// Renders the runtime with the final context, or each replica of it with its own.
fn runtime(operation: Node, namespace: &str, run: &RunContext, budget: &Budget) -> Result<Node, Vec<Diagnostic>> {
    let mut operation = operation;
    let mut names = checked(context::names(&context::params(&operation), budget))?;
    names.insert("globals", context::globals(run, Pass::Runtime { namespace, operation: &operation }));
    let mut problems = Vec::new();
    for path in replicas::paths(&operation) {
        let Some(replica) = replicas::at(&operation, &path) else { continue };
        let (connections, init) = connections::requested(replica);
        names.insert("init", context::settings(&run.agent, init.iter().map(String::as_str)));
        names.insert("connections", context::settings(&run.agent, connections.iter().map(String::as_str)));
        let engine = names.to_engine();
        let mut expander = Expander::new(&engine, budget);
        let rendered = expander.runtime(&path.join("."), replica);
        problems.extend(expander.failures.iter().map(place::diagnostic));
        let rendered = with_image(rendered, run.built_image.as_deref());
        if let Some(replica) = replicas::at_mut(&mut operation, &path) {
            *replica = rendered;
        }
    }
    if problems.is_empty() { Ok(operation) } else { Err(problems) }
}

/// A runtime, or a replica, whose main container has the image that was built for it.
fn with_image(mut replica: Node, image: Option<&str>) -> Node {
    let container = replica.as_map_mut().and_then(|map| map.get_mut("container")).and_then(Node::as_map_mut);
    if let (Some(container), Some(image)) = (container, image) {
        container.insert("image", Node::string(image));
    }
    replica
}

/// The namespace must be one that the agent manages (spec §16.1 step 6).
fn namespace(operation: &Node, run: &RunContext) -> Result<String, Vec<Diagnostic>> {
    let agent = &run.agent;
    let Some(node) = operation.get("namespace").filter(|node| context::is_truthy(node)) else {
        return Ok(agent.namespace.clone());
    };
    let wanted = crate::text::general(node);
    if wanted == agent.namespace || agent.additional_namespaces.contains(&wanted) {
        return Ok(wanted);
    }
    let known = std::iter::once(&agent.namespace).chain(&agent.additional_namespaces);
    let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
    Err(vec![
        Diagnostic::error(codes::NAMESPACE, node.span, format!("the namespace `{wanted}` is not managed here"))
            .label("unknown namespace")
            .path("namespace")
            .help(format!("use {}, or leave it out", known.join(" or "))),
    ])
}

fn should_run(operation: &Node) -> Result<bool, Vec<Diagnostic>> {
    let Some(node) = operation.get("conditions").filter(|node| !node.is_null()) else { return Ok(true) };
    match scalar::lax_bool(&node.value) {
        Ok(value) => Ok(value == Value::Bool(true)),
        Err(_) => Err(vec![
            Diagnostic::error(
                codes::VALUE,
                node.span,
                format!("`conditions` became `{}`, which is neither true nor false", crate::text::general(node)),
            )
            .label("expected a template that gives a boolean")
            .path("conditions")
            .help("compare something: `conditions: \"{{ loss < 0.5 }}\"`"),
        ]),
    }
}

fn values(operation: &Node, section: &str) -> Map {
    let items = operation.get(section).and_then(Node::as_list).unwrap_or_default();
    let mut map = Map::new();
    for io in items {
        // What a dag hands out is known when it has succeeded.
        let is_known = !io.get("value").is_some_and(refs::is_output_of_dag);
        if let Some(name) = io.get("name").and_then(Node::as_str).filter(|_| is_known) {
            map.insert(name, io.get("value").cloned().unwrap_or_else(Node::null));
        }
    }
    map
}

fn checked(names: Names) -> Result<Names, Vec<Diagnostic>> {
    if names.failures.is_empty() {
        return Ok(names);
    }
    let findings = names.failures.iter().map(|(name, span, error)| {
        Diagnostic::error(codes::TEMPLATE, *span, format!("the `argFormat` of `{name}` cannot be rendered: {error}"))
            .label("declared here")
            .path(format!("inputs.{name}.argFormat"))
            .help(format!("an `argFormat` can only name its own value: `--{name}={{{{ {name} }}}}`"))
    });
    Err(findings.collect())
}

fn finish(expander: Expander<'_>) -> Result<(), Vec<Diagnostic>> {
    if expander.failures.is_empty() {
        return Ok(());
    }
    Err(expander.failures.iter().map(place::diagnostic).collect())
}

fn as_text(node: Node) -> Node {
    match &node.value {
        Value::Str(_) => node,
        _ => Node::new(Value::Str(crate::template::print::text(&node)), node.span),
    }
}
