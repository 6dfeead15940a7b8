//! `--sandbox`: the run must be a service, and the sandbox plugin is switched on (spec §11.3).

use super::entry;
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Node, Value};
use crate::patch::{Strategy, apply_preset};

/// Without any source, a sandbox is a service.
pub(super) fn service(inline: Option<Node>) -> Node {
    let mut document = inline.unwrap_or_else(|| Node::map(crate::node::Map::new()));
    if let Some(map) = document.as_map_mut().filter(|map| !map.contains("ports")) {
        map.insert("ports", Node::list(Vec::new()));
    }
    document
}

/// Switches the plugin on in the operation.
pub(super) fn apply(document: &mut Node) -> Result<(), Vec<Diagnostic>> {
    check_literal(document)?;
    let defines_runtime = |field: &&str| document.get(field).is_some_and(is_set);
    if !["run", "component", "hubRef", "urlRef", "pathRef", "dagRef"].iter().any(defines_runtime) {
        apply_preset(document, &Node::map(entry("ports", Node::list(Vec::new()))), Strategy::IsNull)?;
    }
    let plugins = Node::map(entry("sandbox", Node::bool(true)));
    apply_preset(document, &Node::map(entry("plugins", plugins)), Strategy::PostMerge)
}

fn is_set(node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::Str(text) => !text.is_empty(),
        Value::Map(map) => !map.is_empty(),
        _ => true,
    }
}

/// A template for the whole section would hide what it says about sandboxes.
fn check_literal(document: &Node) -> Result<(), Vec<Diagnostic>> {
    let mut layer = Some(document);
    while let Some(document) = layer {
        if let Some(plugins) = document.get("plugins").filter(|plugins| plugins.as_str().is_some()) {
            let message = "a sandbox cannot be switched on in `plugins`, which is a template";
            let problem =
                Diagnostic::error(codes::SANDBOX, plugins.span, message).label("write the section out").path("plugins");
            return Err(vec![problem]);
        }
        layer = document.get("component").filter(|component| !component.is_null());
    }
    Ok(())
}

/// What composition must not have undone.
pub(super) fn check_composed(operation: &Node) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let sandbox = operation.at(&["plugins", "sandbox"]);
    if sandbox.and_then(Node::as_bool) != Some(true) {
        let span = sandbox.map_or(operation.span, |node| node.span);
        let message = "a sandbox was asked for, but the composed operation switches it off";
        problems.push(Diagnostic::error(codes::SANDBOX, span, message).path("plugins.sandbox"));
    }
    if let Some(matrix) = operation.get("matrix") {
        let message = "a sandbox cannot have a matrix";
        problems.push(Diagnostic::error(codes::SANDBOX, matrix.span, message).path("matrix"));
    }
    problems
}
