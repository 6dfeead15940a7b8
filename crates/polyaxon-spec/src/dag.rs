//! The graph of a dag: its nodes composed, their edges, the order in which they can run (spec §14).
//!
//! Nested dags are nodes like any other here; they are looked into when they run.

mod order;
mod outputs;
mod scope;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::compose::{self, Compiled, Place};
use crate::diagnostic::{Diagnostic, codes};
use crate::events::{self, Awaited, Source};
use crate::likeness;
use crate::node::Node;
use crate::params;
use crate::refs::{self, Entity};

pub use outputs::outputs;

/// A node of a dag.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphNode {
    pub name: String,
    pub compiled: Compiled,
    /// Names of the nodes that come before.
    pub upstream: BTreeSet<String>,
    /// Those of them whose end the node waits for; of the others it waits for events.
    pub ends: BTreeSet<String>,
    pub events: Vec<Awaited>,
    /// Names of the nodes that wait for this one.
    pub downstream: BTreeSet<String>,
}

/// A dag without contradictions.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// In the order in which they are written.
    pub nodes: Vec<GraphNode>,
    /// Levels of the topological order: each level only needs those before it. Names are sorted.
    pub order: Vec<Vec<String>>,
}

/// Documents inside of one another, with those that `dagRef`s put there. Texts alone cannot nest deeper.
const MOST_LEVELS: usize = 200;
/// Values that `dagRef`s may add to a dag: each operation holds a copy of its component.
const MOST_COPIED: usize = 1_000_000;

/// Everything that is wrong with the dag of a compiled operation, warnings included.
pub fn check(operation: &Node) -> Vec<Diagnostic> {
    match graph(operation) {
        Ok(graph) => validate(operation, &graph),
        Err(problems) => problems,
    }
}

/// The graph of the dag of a compiled operation.
pub fn graph(operation: &Node) -> Result<Graph, Vec<Diagnostic>> {
    let run = operation.get("run");
    let operations = run.and_then(|run| run.get("operations")).and_then(Node::as_list).unwrap_or_default();
    if operations.is_empty() {
        let span = run.map_or(operation.span, |run| run.span);
        let problem = Diagnostic::error(codes::DAG_EMPTY, span, "the dag has no operations")
            .label("expected `operations`")
            .path("run.operations")
            .help("add at least one operation to `run.operations`");
        return Err(vec![problem]);
    }
    let components = run.and_then(|run| run.get("components")).and_then(Node::as_list).unwrap_or_default();
    let mut problems = unique_names(components, "component", "components");
    problems.extend(unique_names(operations, "operation", "operations"));
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut nodes = Vec::with_capacity(operations.len());
    let mut filling = Filling { components, chain: Vec::new(), levels: 0, copied: 0 };
    for (index, document) in operations.iter().enumerate() {
        match read_node(document, &mut filling) {
            Ok(node) => nodes.push(node),
            Err(more) => problems.extend(more.into_iter().map(|problem| inside(problem, index))),
        }
        if filling.copied > MOST_COPIED {
            break;
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    problems = orphans(&nodes);
    if !problems.is_empty() {
        return Err(problems);
    }
    connect(&mut nodes);
    let order = order::levels(&nodes).map_err(|circle| vec![cycle(&nodes, &circle)])?;
    Ok(Graph { nodes, order })
}

fn unique_names(documents: &[Node], what: &str, field: &str) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut seen: BTreeMap<&str, &Node> = BTreeMap::new();
    for (index, document) in documents.iter().enumerate() {
        let path = format!("run.{field}[{index}].name");
        let name = document.get("name").and_then(|name| Some((name, name.as_str()?)));
        let Some((node, text)) = name.filter(|(_, text)| !text.is_empty()) else {
            let message = format!("{what} {} of the dag has no name", index + 1);
            let problem = Diagnostic::error(codes::DAG_NAME, document.span, message).label("needs a `name`");
            problems.push(problem.path(path).help("names tell the parts of a dag apart"));
            continue;
        };
        if let Some(first) = seen.insert(text, node) {
            let message = format!("the dag has two {field} named `{text}`");
            let problem = Diagnostic::error(codes::DAG_NAME, node.span, message).label("used again here");
            problems.push(problem.related(first.span, "first used here").path(path).help("give it another name"));
        }
    }
    problems
}

/// A finding of a node, with the place of the node in the dag.
fn inside(problem: Diagnostic, index: usize) -> Diagnostic {
    let path = format!("run.operations[{index}]");
    let path = if problem.path.is_empty() { path } else { format!("{path}.{}", problem.path) };
    problem.path(path)
}

/// The kinds of the nodes, as far as they can be told, one node at a time.
pub fn kinds(operation: &Node) -> BTreeSet<String> {
    let list = |field: &str| operation.at(&["run", field]).and_then(Node::as_list).unwrap_or_default();
    let mut filling = Filling { components: list("components"), chain: Vec::new(), levels: 0, copied: 0 };
    let nodes = list("operations").iter().map_while(|document| read_node(document, &mut filling).ok());
    nodes.map(|node| compose::run_kind(&node.compiled.operation).kind).collect()
}

/// The document of a node with the component that its `dagRef` names filled in. It is not kept with the graph, which
/// would hold every component twice for each node.
pub fn document(operation: &Node, index: usize) -> Result<Node, Vec<Diagnostic>> {
    let list = |field: &str| operation.at(&["run", field]).and_then(Node::as_list).unwrap_or_default();
    let document = list("operations").get(index).cloned().unwrap_or_else(Node::null);
    filled(document, &mut Filling { components: list("components"), chain: Vec::new(), levels: 0, copied: 0 })
}

fn read_node(document: &Node, filling: &mut Filling) -> Result<GraphNode, Vec<Diagnostic>> {
    let document = filled(document.clone(), filling)?;
    let compiled = compose::compile(&document, None, Place::DagNode)?;
    let name = compiled.operation.get("name").and_then(Node::as_str).unwrap_or_default().to_string();
    let ends = ends_of(&compiled);
    let events = events::read(&compiled.operation);
    let sources = events.iter().filter_map(|event| match &event.source {
        Source::Run(Entity::Operation(name)) => Some(name.clone()),
        _ => None,
    });
    let upstream = ends.iter().cloned().chain(sources).collect();
    Ok(GraphNode { name, compiled, upstream, ends, events, downstream: BTreeSet::new() })
}

fn filled(mut document: Node, filling: &mut Filling) -> Result<Node, Vec<Diagnostic>> {
    filling.chain.clear();
    filling.levels = 0;
    fill_dag_refs(&mut document, filling).map_err(|problem| vec![*problem])?;
    Ok(document)
}

/// The components that `dagRef`s can name, and what came of them so far.
struct Filling<'a> {
    components: &'a [Node],
    /// The references that lead to the current document, and the documents around it.
    chain: Vec<String>,
    levels: usize,
    /// Values of all copies.
    copied: usize,
}

/// Puts the components that `dagRef`s name in their place; components of a dag may use `dagRef` too.
fn fill_dag_refs(document: &mut Node, filling: &mut Filling) -> Result<(), Box<Diagnostic>> {
    filling.levels += 1;
    let Some(map) = document.as_map_mut() else { return Ok(()) };
    if let Some(component) = map.get_mut("component").filter(|component| !component.is_null()) {
        return fill_dag_refs(component, filling);
    }
    let Some(reference) = map.get("dagRef").cloned() else { return Ok(()) };
    let Some(name) = reference.as_str().filter(|name| !name.is_empty()) else { return Ok(()) };
    if filling.chain.iter().any(|known| known == name) {
        let message =
            format!("`dagRef: {name}` leads back to where it started: {} -> {name}", filling.chain.join(" -> "));
        let problem = Diagnostic::error(codes::REFERENCE_CYCLE, reference.span, message);
        return Err(Box::new(problem.label("closes the circle").path("dagRef")));
    }
    let named = |component: &&Node| component.get("name").and_then(Node::as_str) == Some(name);
    let Some(component) = filling.components.iter().find(named) else {
        return Err(Box::new(unknown_component(name, &reference, filling.components)));
    };
    filling.copied = filling.copied.saturating_add(component.count());
    if filling.levels > MOST_LEVELS || filling.copied > MOST_COPIED {
        return Err(Box::new(too_many_copies(&reference, filling)));
    }
    filling.chain.push(name.to_string());
    let mut component = component.clone();
    fill_dag_refs(&mut component, filling)?;
    map.insert("component", component);
    Ok(())
}

fn too_many_copies(reference: &Node, filling: &Filling) -> Diagnostic {
    let message = if filling.levels > MOST_LEVELS {
        format!("more than {MOST_LEVELS} documents stand inside of one another, by `dagRef`s that lead to `dagRef`s")
    } else {
        format!("the `dagRef`s of the dag repeat more than {MOST_COPIED} values")
    };
    Diagnostic::error(codes::TOO_LARGE, reference.span, message).label("not followed").path("dagRef")
}

fn unknown_component(name: &str, reference: &Node, components: &[Node]) -> Diagnostic {
    let message = format!("`dagRef: {name}` names no component of the dag");
    let problem = Diagnostic::error(codes::REFERENCE_UNRESOLVED, reference.span, message);
    let known: Vec<&str> =
        components.iter().filter_map(|component| component.get("name")).filter_map(Node::as_str).collect();
    problem.label("not in `run.components`").path("dagRef").help(match closest(name, &known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "the dag has no `components`".into(),
        None => format!("components of the dag: {}", likeness::listed(&known)),
    })
}

fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    likeness::closest(name, known.iter().copied(), 2)
}

/// Dependencies, and the operations that params refer to.
fn ends_of(compiled: &Compiled) -> BTreeSet<String> {
    let operation = &compiled.operation;
    let list = |field: &str| operation.get(field).and_then(Node::as_list).unwrap_or_default().iter();
    let mut ends: BTreeSet<String> = list("dependencies").filter_map(Node::as_str).map(str::to_string).collect();
    ends.extend(referred(compiled));
    ends
}

/// The operations that params refer to. Malformed references are reported when the params are validated.
fn referred(compiled: &Compiled) -> impl Iterator<Item = String> {
    compiled.params.iter().filter_map(|(key, param)| match refs::read(&key.text, param) {
        Ok(Some(refs::Reference { entity: Entity::Operation(name), .. })) => Some(name),
        _ => None,
    })
}

fn orphans(nodes: &[GraphNode]) -> Vec<Diagnostic> {
    let known: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    let set: BTreeSet<&str> = known.iter().copied().collect();
    let mut problems = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        for name in node.upstream.iter().filter(|name| !set.contains(name.as_str())) {
            let message = format!("operation `{}` depends on `{name}`, which is not in the dag", node.name);
            let problem = Diagnostic::error(codes::DAG_ORPHAN, place_of(node, name), message)
                .label("no operation has this name")
                .path(format!("run.operations[{index}]"));
            problems.push(match closest(name, &known) {
                Some(meant) => problem.help(format!("did you mean `{meant}`?")),
                None => problem.help("operations can only depend on operations of the same dag"),
            });
        }
    }
    problems
}

/// Where a node names another one.
fn place_of(node: &GraphNode, name: &str) -> crate::span::Span {
    let operation = &node.compiled.operation;
    let list = |field: &str| operation.get(field).and_then(Node::as_list).unwrap_or_default().iter();
    let entity = Entity::Operation(name.to_string());
    let dependency = list("dependencies").find(|item| item.as_str() == Some(name));
    let param = node.compiled.params.iter().filter_map(|(_, param)| param.get("ref"));
    let event = list("events").filter_map(|event| event.get("ref"));
    let reference =
        || param.chain(event).find(|item| item.as_str().and_then(refs::parse_entity).as_ref() == Some(&entity));
    dependency.or_else(reference).map_or(operation.span, |item| item.span)
}

fn connect(nodes: &mut [GraphNode]) {
    let positions: BTreeMap<String, usize> =
        nodes.iter().enumerate().map(|(index, node)| (node.name.clone(), index)).collect();
    for index in 0..nodes.len() {
        let name = nodes[index].name.clone();
        for upstream in nodes[index].upstream.clone() {
            if let Some(at) = positions.get(&upstream) {
                nodes[*at].downstream.insert(name.clone());
            }
        }
    }
}

fn cycle(nodes: &[GraphNode], circle: &[String]) -> Diagnostic {
    let shown: Vec<&str> = circle.iter().chain(circle.first()).map(String::as_str).collect();
    let message = match circle {
        [name] => format!("operation `{name}` depends on itself"),
        _ => format!("operations depend on each other in a circle: {}", shown.join(" -> ")),
    };
    let node = |name: &str| nodes.iter().find(|node| node.name == name);
    let place = |from: &str, to: &str| node(from).map_or(crate::span::Span::NONE, |node| place_of(node, to));
    let steps: Vec<(&str, &str)> = shown.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let (first, rest) = steps.split_first().map_or((("", ""), &[][..]), |(first, rest)| (*first, rest));
    let mut problem = Diagnostic::error(codes::DAG_CYCLE, place(first.0, first.1), message)
        .label(format!("`{}` waits for `{}`", first.0, first.1))
        .path("run.operations")
        .help("remove one of these dependencies");
    for (from, to) in rest {
        problem = problem.related(place(from, to), format!("`{from}` waits for `{to}`"));
    }
    problem
}

/// Everything that is wrong with the params and the events of the nodes, warnings included.
pub fn validate(operation: &Node, graph: &Graph) -> Vec<Diagnostic> {
    // What all nodes offer together is more than the dag itself, so only what is referred to is looked at.
    let around = scope::of_dag(operation);
    let by_name: BTreeMap<&str, &GraphNode> = graph.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
    let offered = |names: &[String]| {
        let mut context = around.clone();
        for node in names.iter().filter_map(|name| by_name.get(name.as_str())) {
            scope::add_node(&mut context, node);
        }
        context
    };
    let in_outputs = outputs(operation).into_iter().filter_map(|(_, reference)| match reference.entity {
        Entity::Operation(name) => Some(name),
        _ => None,
    });
    let mut problems = outputs::check(operation, &graph.nodes, &offered(&in_outputs.collect::<Vec<_>>()));
    for (index, node) in graph.nodes.iter().enumerate() {
        let names: Vec<String> = referred(&node.compiled).collect();
        let context = if names.is_empty() { Cow::Borrowed(&around) } else { Cow::Owned(offered(&names)) };
        let found = params::validate(&node.compiled.operation, &node.compiled.params, &context);
        let found = found.into_iter().chain(events::check(&node.compiled.operation, Place::DagNode));
        problems.extend(found.map(|problem| inside(problem, index)));
    }
    problems
}
