//! Init params and connection names (spec §16.1 steps 4 and 6).

use polyaxon_spec::diagnostic::{Diagnostic, codes};
use polyaxon_spec::node::{Map, Node, Value};
use polyaxon_spec::span::Span;

use super::replicas;
use crate::context::{Agent, Names, Param, RunContext};
use crate::place;
use crate::template::Budget;
use crate::template::expand::Expander;

/// The types that can be brought without a connection.
const SELF_CONTAINED: &[&str] = &["git", "artifacts", "dockerfile"];

/// Puts params with `toInit` before the init steps, gives stores to copies, renders connection names.
pub(super) fn apply(
    operation: &mut Node,
    params: &[Param],
    names: &Names,
    run: &RunContext,
    budget: &Budget,
) -> Result<(), Vec<Diagnostic>> {
    let engine = names.to_engine();
    let mut expander = Expander::new(&engine, budget);
    let mut problems = Vec::new();
    let steps = init_params(params, &mut problems);
    let kind = operation.at(&["run", "kind"]).and_then(Node::as_str).unwrap_or_default().to_owned();
    for path in replicas::paths(operation) {
        let Some(replica) = replicas::at_mut(operation, &path) else { continue };
        let prefix = path.join(".");
        let Some(map) = replica.as_map_mut() else { continue };
        if let Some(connections) = map.get_mut("connections") {
            *connections = expander.section(&format!("{prefix}.connections"), connections);
        }
        let mut init = steps.clone();
        match map.get("init").map(|node| (node, &node.value)) {
            None | Some((_, Value::Null)) => {}
            Some((_, Value::List(items))) => {
                for (index, item) in items.iter().enumerate() {
                    let place = format!("{prefix}.init[{index}].connection");
                    init.push(step(item, &place, run.agent.store.as_ref().map(|store| &*store.name), &mut expander));
                }
            }
            Some((node, _)) => problems.push(
                Diagnostic::error(codes::TEMPLATE_PLACE, node.span, "`init` must be a list, not a template")
                    .label("cannot stand for the whole list")
                    .path(format!("{prefix}.init"))
                    .help("write the list, with templates inside of its items"),
            ),
        }
        // Replicas of jobs always show their steps; the runtimes without replicas only when there are some.
        if !init.is_empty() || matches!(&*kind, "tfjob" | "pytorchjob" | "mpijob") {
            let span = map.get("init").map_or(replica_span(&init), |node| node.span);
            map.insert("init", Node::new(Value::List(init), span));
        }
    }
    problems.extend(expander.failures.iter().map(place::diagnostic));
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Every connection that the runtime names must be in the catalogue.
pub(super) fn check(operation: &Node, agent: &Agent) -> Result<(), Vec<Diagnostic>> {
    let mut problems = Vec::new();
    for path in replicas::paths(operation) {
        let Some(replica) = replicas::at(operation, &path) else { continue };
        let listed = replica.get("connections").and_then(Node::as_list).unwrap_or_default().iter();
        let init = replica.get("init").and_then(Node::as_list).unwrap_or_default().iter();
        let init = init.filter_map(|item| item.get("connection"));
        for node in listed.chain(init) {
            let Some(name) = node.as_str() else { continue };
            if !name.is_empty() && agent.connection(name).is_none() {
                problems.push(unknown(name, node, &path.join("."), agent));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The names of the connections that a runtime or replica asks for: `connections`, then those of `init`.
pub(super) fn requested(replica: &Node) -> (Vec<String>, Vec<String>) {
    let texts = |nodes: Vec<&Node>| nodes.iter().filter_map(|node| node.as_str()).map(str::to_owned).collect();
    let listed = replica.get("connections").and_then(Node::as_list).unwrap_or_default();
    let init = replica.get("init").and_then(Node::as_list).unwrap_or_default();
    (texts(listed.iter().collect()), texts(init.iter().filter_map(|item| item.get("connection")).collect()))
}

/// One init step with its connection.
fn step(item: &Node, path: &str, store: Option<&str>, expander: &mut Expander<'_>) -> Node {
    let mut item = item.clone();
    let is_copy = ["artifacts", "paths"].iter().any(|key| item.get(key).is_some_and(crate::context::is_truthy));
    let Some(map) = item.as_map_mut() else { return item };
    if is_copy && !map.get("connection").is_some_and(crate::context::is_truthy) {
        if let Some(store) = store {
            map.insert("connection", Node::string(store));
        }
    }
    if let Some(connection) = map.get_mut("connection").filter(|node| !node.is_null()) {
        *connection = expander.section(path, connection);
    }
    item
}

/// The init steps that params ask for.
fn init_params(params: &[Param], problems: &mut Vec<Diagnostic>) -> Vec<Node> {
    let mut steps = Vec::new();
    for param in params.iter().filter(|param| param.to_init) {
        match init_step(param) {
            Ok(step) => steps.push(step),
            Err(problem) => problems.push(*problem),
        }
    }
    steps
}

fn init_step(param: &Param) -> Result<Node, Box<Diagnostic>> {
    let name = &param.name;
    let refused = |message: String, help: &str| {
        let problem = Diagnostic::error(codes::PARAM_TO_INIT, param.span, message);
        Box::new(problem.label("`toInit` is set").path(format!("params.{name}.toInit")).help(help))
    };
    let Some(ty) = param.ty.as_deref().filter(|ty| !ty.is_empty()) else {
        return Err(refused(
            format!("param `{name}` cannot initialise the run: it has no declared type"),
            "declare an input of type git, artifacts, dockerfile or path",
        ));
    };
    if param.connection.is_none() && !SELF_CONTAINED.contains(&ty) {
        return Err(refused(
            format!("param `{name}` of type `{ty}` cannot initialise the run without a connection"),
            "set `connection` on the param, or use the type git, artifacts or dockerfile",
        ));
    }
    let mut step = Map::new();
    match ty {
        "git" | "dockerfile" | "artifacts" => step.insert(ty, param.value.clone()),
        "path" => step.insert("paths", Node::list(listed(&param.value))),
        _ => {}
    }
    if let Some(connection) = &param.connection {
        step.insert("connection", Node::string(&**connection));
    }
    Ok(Node::new(Value::Map(step), param.span))
}

fn listed(node: &Node) -> Vec<Node> {
    match &node.value {
        Value::Null => Vec::new(),
        Value::List(items) => items.clone(),
        _ => vec![node.clone()],
    }
}

fn replica_span(init: &[Node]) -> Span {
    init.first().map_or(Span::NONE, |node| node.span)
}

fn unknown(name: &str, node: &Node, path: &str, agent: &Agent) -> Diagnostic {
    let known: Vec<&str> = agent.connections.iter().chain(&agent.store).map(|entry| entry.name.as_str()).collect();
    let help = match crate::suggest::closest(name, known.iter().copied()) {
        Some(close) => format!("did you mean `{close}`?"),
        None if known.is_empty() => "this server has no connections".to_owned(),
        None => format!("known connections: {}", known.join(", ")),
    };
    Diagnostic::error(codes::CONNECTION_MISSING, node.span, format!("the connection `{name}` is not known"))
        .label("not in the catalogue")
        .path(format!("{path}.connections"))
        .help(help)
}
