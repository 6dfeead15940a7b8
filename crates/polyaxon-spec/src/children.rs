//! The documents of the runs that a matrix or a schedule starts (spec §15).

use crate::compose::{Place, effective};
use crate::diagnostic::Diagnostic;
use crate::node::{Key, Map, Node, Value};
use crate::schema;

/// Fields that a child takes from the resolved operation of its parent, or not at all, as it does all shortcuts.
const CLEARED: &[&str] = &[
    "conditions",
    "schedule",
    "events",
    "dependencies",
    "trigger",
    "build",
    "skipOnUpstreamSkip",
    "inputs",
    "outputs",
    "run",
    "runPatch",
    "cache",
    "queue",
    "namespace",
    "strictParams",
];

/// What the children of a search do not have either: they are single runs with params of their own.
const CLEARED_BY_SEARCH: &[&str] = &["matrix", "isApproved", "params"];

/// The document of each run that a schedule starts. `operation` is the resolved operation of the schedule.
pub fn scheduled(source: &Node, operation: &Node) -> Node {
    // Whoever approved the schedule has approved its runs.
    child_source(source.clone(), operation, &["isApproved"])
}

/// The children of a search: one source document, and params that differ.
#[derive(Clone, Debug)]
pub struct SearchChildren {
    source: Node,
    /// Params that every child has: the context values of the parent.
    shared: Map,
    /// The params of the parent, whose settings hold for suggested values too.
    parent_params: Map,
}

impl SearchChildren {
    /// `source` is the document of the search, `operation` its resolved operation.
    pub fn new(source: &Node, operation: &Node) -> Result<SearchChildren, Vec<Diagnostic>> {
        let source = without_matrix(source);
        let effective = effective(&source, None, Place::Root)?;
        let parent_params = effective.get("params").and_then(Node::as_map).cloned().unwrap_or_default();
        let mut shared = Map::new();
        for context in operation.get("contexts").and_then(Node::as_list).unwrap_or_default() {
            let Some(name) = context.get("name").and_then(Node::as_str) else { continue };
            let own = match parent_params.get(name) {
                Some(param) => set(param, "contextOnly"),
                // A context without param comes from a join.
                None => Some(Node::bool(true)),
            };
            let value = context.get("value").cloned().unwrap_or_else(Node::null);
            shared.insert(name, param(value, own, context));
        }
        let source = child_source(source, operation, CLEARED_BY_SEARCH);
        Ok(SearchChildren { source, shared, parent_params })
    }

    /// The document of the child with these values.
    pub fn child(&self, suggestion: Map) -> Node {
        let mut params = self.shared.clone();
        let nothing = Node::null();
        for (key, value) in suggestion {
            let settings = self.parent_params.get(&key.text).unwrap_or(&nothing);
            params.insert_key(key, param(value, set(settings, "contextOnly"), settings));
        }
        let mut child = self.source.clone();
        if let Some(map) = child.as_map_mut() {
            map.insert("params", Node::map(params));
        }
        child
    }
}

fn set(node: &Node, field: &str) -> Option<Node> {
    node.get(field).filter(|value| !value.is_null()).cloned()
}

/// A literal param with the settings of another one.
fn param(value: Node, context_only: Option<Node>, settings: &Node) -> Node {
    let mut param = Map::new();
    param.insert("value", value);
    if let Some(flag) = context_only {
        param.insert("contextOnly", flag);
    }
    for field in ["connection", "toInit", "toEnv"] {
        if let Some(setting) = set(settings, field) {
            param.insert(field, setting);
        }
    }
    Node::map(param)
}

/// A copy of a document, without the rows of its search, which may be many.
fn without_matrix(document: &Node) -> Node {
    let Some(map) = document.as_map() else { return document.clone() };
    let kept = map.iter().filter(|(key, _)| key.text != "matrix");
    let copied = kept.map(|(key, value)| match key.text.as_str() {
        "component" => (key.clone(), without_matrix(value)),
        _ => (key.clone(), value.clone()),
    });
    Node::new(Value::Map(copied.collect()), document.span)
}

fn child_source(mut child: Node, operation: &Node, also_cleared: &[&str]) -> Node {
    clear(&mut child, also_cleared);
    let inherit = |document: &mut Map, fields: &[&str]| {
        for field in fields {
            if let Some(value) = set(operation, field) {
                document.insert_key(Key::new(*field), value);
            }
        }
    };
    let Value::Map(document) = &mut child.value else { return child };
    inherit(document, &["cache", "queue", "namespace", "strictParams"]);
    let own = &["inputs", "outputs", "run", "strictParams"];
    match document.get_mut("component").and_then(Node::as_map_mut) {
        Some(component) => inherit(component, own),
        None => inherit(document, own),
    }
    child
}

/// Removes the fields in every layer.
fn clear(document: &mut Node, also_cleared: &[&str]) {
    let Some(map) = document.as_map_mut() else { return };
    let is_cleared = |key: &str| [CLEARED, schema::SHORTCUTS, also_cleared].iter().any(|fields| fields.contains(&key));
    map.retain(|key, _| !is_cleared(&key.text));
    if let Some(component) = map.get_mut("component") {
        clear(component, also_cleared);
    }
}
