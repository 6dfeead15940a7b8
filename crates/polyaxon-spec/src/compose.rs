//! Composition: the layers of a document become one compiled operation and its params (spec §13).
//!
//! Pure: references were collected before, values are not rendered here.

mod prune;
mod shortcuts;

use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Map, Node, Value};
use crate::patch::{Strategy, patch_fields, patch_run, patched, read_run_patch};
use crate::schema;

/// What the server stores of an operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// The compiled operation; unset and null fields are gone.
    pub operation: Node,
    /// The params that travel with it, in full form.
    pub params: Map,
}

/// The kind under which a run is stored, with its runtime (spec §13, end).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunKind {
    pub kind: String,
    pub runtime: String,
}

/// Where a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Root,
    /// A node of a dag: its relations to other nodes are its own, never those of its component.
    DagNode,
}

/// Fields of a layer that other rules handle than the generic patch; the shortcuts are handled by theirs, too.
const NOT_PATCHED: &[&str] = &[
    "component",
    "hubRef",
    "pathRef",
    "urlRef",
    "dagRef",
    "isPreset",
    "patchStrategy",
    "run",
    "runPatch",
    "strictParams",
    "version",
];

/// Fields that a dag node never takes from its component.
const OF_THE_NODE: &[&str] =
    &["name", "dependencies", "trigger", "conditions", "joins", "skipOnUpstreamSkip", "schedule"];

/// The fields of a compiled operation, in the order in which it is written.
const COMPILED_FIELDS: &[&str] = &[
    "version",
    "name",
    "description",
    "tags",
    "presets",
    "strictParams",
    "queue",
    "namespace",
    "cache",
    "termination",
    "plugins",
    "build",
    "hooks",
    "isApproved",
    "cost",
    "mount",
    "schedule",
    "events",
    "matrix",
    "joins",
    "dependencies",
    "trigger",
    "conditions",
    "skipOnUpstreamSkip",
    "inputs",
    "outputs",
    "run",
];

/// The compiled operation of a document.
pub fn compose(document: &Node) -> Result<Compiled, Vec<Diagnostic>> {
    compile(document, None, Place::Root)
}

/// As [`compose`]; a strategy replaces that of the outermost layer for its shortcuts and `runPatch` (resume).
pub fn compile(document: &Node, strategy: Option<Strategy>, place: Place) -> Result<Compiled, Vec<Diagnostic>> {
    let effective = effective(document, strategy, place)?;
    if effective.get("run").is_none_or(Node::is_null) {
        return Err(vec![no_runtime(document)]);
    }
    let compiled = Compiled {
        operation: compiled_operation(&effective),
        params: effective.get("params").and_then(Node::as_map).map(without_nulls).unwrap_or_default(),
    };
    let problems = sandbox_problems(&compiled.operation);
    if problems.is_empty() { Ok(compiled) } else { Err(problems) }
}

/// The document with all its layers in one.
pub fn effective(local: &Node, run_strategy: Option<Strategy>, place: Place) -> Result<Node, Vec<Diagnostic>> {
    let component = local.get("component").filter(|component| !component.is_null());
    let mut effective = match component {
        Some(component) => effective_map(component)?,
        None => Map::new(),
    };
    let Some(layer) = local.as_map() else { return Ok(Node::map(effective)) };
    if let (Place::DagNode, Some(schedule)) = (place, layer.get("schedule").filter(|value| !value.is_null())) {
        return Err(vec![scheduled_node(local, schedule)]);
    }
    if component.is_none() {
        if let Some(problem) = uncollected(layer) {
            return Err(vec![problem]);
        }
    }
    let strategy = Strategy::of(local);
    let is_strict = |map: &Map| map.get("strictParams").and_then(Node::as_bool) == Some(true);
    let strict = is_strict(&effective) || is_strict(layer);
    patch_fields(&schema::DOCUMENT, &mut effective, layer, strategy, |name| {
        !NOT_PATCHED.contains(&name) && !schema::SHORTCUTS.contains(&name)
    });
    let written = layer.get("strictParams").filter(|_| is_strict(layer)).map(|node| node.span);
    effective.insert("strictParams", Node { span: written.unwrap_or(local.span), ..Node::bool(strict) });
    if let (true, Some(version)) = (effective.get("version").is_none_or(Node::is_null), layer.get("version")) {
        effective.insert("version", version.clone());
    }

    let run_strategy = run_strategy.unwrap_or(strategy);
    let mut run = effective.remove("run").filter(|run| !run.is_null());
    if let Some(value) = layer.get("run") {
        run = patch_run(run.as_ref(), value, strategy, None, "run")?.filter(|run| !run.is_null());
    }
    run = shortcuts::apply(layer, run, run_strategy)?;
    if let Some(patch) = layer.get("runPatch").filter(|patch| patch.as_map().is_some_and(|map| !map.is_empty())) {
        let Some(base) = &run else { return Err(vec![patch_without_run(layer, patch)]) };
        let patch = read_run_patch(patch, base, "runPatch")?;
        run = Some(patched(base, &patch, run_strategy));
    }
    if let Some(run) = run {
        effective.insert("run", run);
    }
    if place == Place::DagNode {
        for field in OF_THE_NODE {
            match layer.get(field) {
                Some(value) => effective.insert(*field, value.clone()),
                None => drop(effective.remove(field)),
            }
        }
    }
    Ok(Node::new(Value::Map(effective), local.span))
}

/// The set fields of each param. A param whose value is null travels without one.
fn without_nulls(params: &Map) -> Map {
    let mut params = params.clone();
    for (_, param) in params.iter_mut() {
        if let Some(map) = param.as_map_mut() {
            map.retain(|_, value| !value.is_null());
        }
    }
    params
}

fn effective_map(component: &Node) -> Result<Map, Vec<Diagnostic>> {
    match effective(component, None, Place::Root)?.value {
        Value::Map(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

fn compiled_operation(effective: &Node) -> Node {
    let mut operation = Map::new();
    operation.insert("kind", Node::string("compiled_operation"));
    for field in COMPILED_FIELDS {
        let Some(map) = effective.as_map() else { continue };
        if let (Some(key), Some(value)) = (map.get_key(field), map.get(field).filter(|value| !value.is_null())) {
            operation.insert_key(key.clone(), value.clone());
        }
    }
    operation.insert("contexts", Node::list(contexts(effective)));
    let mut node = Node::new(Value::Map(operation), effective.span);
    prune::prune(&schema::DOCUMENT, &mut node);
    node
}

/// One io for every param that is only meant for templates, then those of joins.
fn contexts(effective: &Node) -> Vec<Node> {
    let mut contexts = Vec::new();
    let mut add = |params: Option<&Node>, is_list: bool| {
        for (key, param) in params.and_then(Node::as_map).into_iter().flat_map(Map::iter) {
            if param.get("contextOnly").and_then(Node::as_bool) == Some(true) {
                contexts.push(context(&key.text, param, is_list));
            }
        }
    };
    add(effective.get("params"), false);
    for join in effective.get("joins").and_then(Node::as_list).unwrap_or_default() {
        add(join.get("params"), true);
    }
    contexts
}

fn context(name: &str, param: &Node, is_list: bool) -> Node {
    let mut io = Map::new();
    io.insert("name", Node::string(name));
    for field in ["toInit", "toEnv", "connection"] {
        if let Some(value) = param.get(field).filter(|value| !value.is_null()) {
            io.insert(field, value.clone());
        }
    }
    if is_list {
        io.insert("isList", Node::bool(true));
    }
    Node::new(Value::Map(io), param.span)
}

/// The kind and runtime under which the server stores a compiled operation.
pub fn run_kind(operation: &Node) -> RunKind {
    let kind_of = |field: &str| operation.at(&[field, "kind"]).and_then(Node::as_str).map(str::to_string);
    if let Some(runtime) = kind_of("schedule") {
        return RunKind { kind: "schedule".into(), runtime };
    }
    if let Some(runtime) = kind_of("matrix") {
        return RunKind { kind: "matrix".into(), runtime };
    }
    let runtime = kind_of("run").unwrap_or_default();
    let kind = match runtime.as_str() {
        "tfjob" | "pytorchjob" | "mpijob" | "tuner" | "notifier" => "job".into(),
        "raycluster" | "daskcluster" => "service".into(),
        _ => runtime.clone(),
    };
    RunKind { kind, runtime }
}

fn sandbox_problems(operation: &Node) -> Vec<Diagnostic> {
    let kind = operation.at(&["run", "kind"]).and_then(Node::as_str).unwrap_or_default();
    if kind == "service" {
        return Vec::new();
    }
    let is_on = |value: &&Node| !value.is_null() && value.as_bool() != Some(false);
    let plugins = ["sandbox", "ssh"].into_iter();
    let on = plugins.filter_map(|name| operation.at(&["plugins", name]).filter(is_on).map(|value| (name, value)));
    on.map(|(name, value)| {
        let message = format!("`plugins.{name}` needs a service, but the runtime is a `{kind}`");
        Diagnostic::error(codes::SANDBOX, value.span, message)
            .label("only services can have it")
            .path(format!("plugins.{name}"))
            .help(format!("use `run.kind: service`, or remove `plugins.{name}`"))
    })
    .collect()
}

fn no_runtime(document: &Node) -> Diagnostic {
    Diagnostic::error(codes::RUN_KIND, document.span, "nothing in this document says what to run")
        .path("run")
        .help("add a `run` section with a `kind`, a `container`, or a reference to a component")
}

fn patch_without_run(layer: &Map, patch: &Node) -> Diagnostic {
    let span = layer.get_key("runPatch").map_or(patch.span, |key| key.span);
    Diagnostic::error(codes::RUN_KIND, span, "`runPatch` has nothing to patch: no layer below has a runtime")
        .label("no runtime below")
        .path("runPatch")
        .help("add a `run` section or a reference to a component; or write the fields under `run`, with a `kind`")
}

fn scheduled_node(node: &Node, schedule: &Node) -> Diagnostic {
    let name = node.get("name").and_then(Node::as_str).unwrap_or_default();
    let message = format!("operation `{name}` of the dag has its own schedule");
    Diagnostic::error(codes::DAG_SCHEDULE, schedule.span, message)
        .label("not possible inside a dag")
        .path("schedule")
        .help("put the schedule on the operation that holds the dag")
}

/// A reference without component: nobody collected it.
fn uncollected(layer: &Map) -> Option<Diagnostic> {
    ["hubRef", "pathRef", "urlRef", "dagRef"].into_iter().find_map(|field| {
        let value = layer.get(field)?;
        let name = value.as_str().filter(|name| !name.is_empty())?;
        let message = format!("the component of `{field}: {name}` is missing");
        let help = match field {
            "dagRef" => "`dagRef` names a component of the dag that holds the operation",
            "pathRef" => "paths are read by `polyaxon run` and `polyaxon check`, the server cannot read them",
            _ => "references are resolved before a run is submitted",
        };
        let problem = Diagnostic::error(codes::REFERENCE_UNRESOLVED, value.span, message);
        Some(problem.label("not resolved").path(field).help(help))
    })
}
