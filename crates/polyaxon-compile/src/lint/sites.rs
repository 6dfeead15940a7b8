//! Every string of a composed operation that is rendered when the run is resolved.

use polyaxon_spec::node::{Node, Value};
use polyaxon_spec::span::Span;

use super::assumed::Pass;
use crate::resolve::RENDERED;
use crate::template::is_template;

/// A template and where it stands.
pub(super) struct Site<'a> {
    pub(super) text: &'a str,
    pub(super) span: Span,
    /// `run.container.args[0]`.
    pub(super) path: String,
    pub(super) group: Pass,
}

/// All templates, in the order of the document's sections.
pub(super) fn all(operation: &Node) -> Vec<Site<'_>> {
    let mut sites = Vec::new();
    for key in ["contexts", "inputs", "outputs"] {
        for io in operation.get(key).and_then(Node::as_list).unwrap_or_default() {
            let name = io.get("name").and_then(Node::as_str).unwrap_or_default();
            for (field, value) in io.as_map().into_iter().flat_map(|map| map.iter()) {
                // An argument format sees nothing but its own value.
                if field.text != "argFormat" {
                    collect(value, format!("{key}.{name}.{}", field.text), Pass::Operation, &mut sites);
                }
            }
        }
    }
    for key in RENDERED {
        if let Some(node) = operation.get(key) {
            collect(node, (*key).to_owned(), Pass::Operation, &mut sites);
        }
    }
    if let Some(run) = operation.get("run").filter(|run| run.get("kind").and_then(Node::as_str) != Some("dag")) {
        collect(run, "run".to_owned(), Pass::Runtime, &mut sites);
    }
    sites
}

fn collect<'a>(node: &'a Node, path: String, group: Pass, sites: &mut Vec<Site<'a>>) {
    match &node.value {
        Value::Str(text) if is_template(text) => sites.push(Site { text, span: node.span, path, group }),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{path}[{index}]"), group, sites);
            }
        }
        Value::Map(map) => {
            for (key, value) in map.iter() {
                let path = format!("{path}.{}", key.text);
                if key.is_text && is_template(&key.text) {
                    sites.push(Site { text: &key.text, span: key.span, path: path.clone(), group });
                }
                collect(value, path, group, sites);
            }
        }
        _ => {}
    }
}
