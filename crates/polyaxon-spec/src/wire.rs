//! Operations on the wire: what the client submits and what the server reads again (spec §1, steps 6 and 7).

use serde_json::Value as Json;

use crate::check::wrap_component;
use crate::decode::{self, DocumentRole};
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Map, Node, Value};
use crate::span::SourceId;
use crate::yaml;

/// Reads the content of a run: an operation or a component, as JSON or YAML text. Components are wrapped.
///
/// JSON is read as JSON, not by the rules of YAML 1.1: `1e-05` is a number.
pub fn read_operation(text: &str) -> Result<Node, Vec<Diagnostic>> {
    let document = read_document(text, DocumentRole::Main)?;
    Ok(match document.get("kind").and_then(Node::as_str) {
        Some("component") => wrap_component(document),
        _ => document,
    })
}

/// Reads a preset or an override.
pub fn read_preset(text: &str) -> Result<Node, Vec<Diagnostic>> {
    read_document(text, DocumentRole::Preset)
}

/// Reads the content of a component version, as JSON or YAML text.
pub fn read_component(text: &str) -> Result<Node, Vec<Diagnostic>> {
    read_document(text, DocumentRole::Component)
}

/// Reads a compiled operation as the server stored it.
pub fn read_compiled(json: &Json) -> Node {
    Node::from_json(json)
}

fn read_document(text: &str, role: DocumentRole) -> Result<Node, Vec<Diagnostic>> {
    let node = match serde_json::from_str::<Json>(text) {
        Ok(json) => Node::from_json(&json),
        Err(_) => yaml::read(SourceId::NONE, text.as_bytes())?.node,
    };
    let mut problems = Vec::new();
    let document = decode::document(node, role, &mut problems);
    problems.retain(Diagnostic::is_error);
    document.ok_or(problems)
}

/// The document as it is submitted: set fields only, explicit nulls included.
///
/// What JSON cannot carry is refused: integers beyond 64 bits, keys that are not text, binary data.
pub fn to_source(document: &Node) -> Result<Json, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    check_values(document, "", &mut problems);
    if problems.is_empty() { Ok(document.to_json()) } else { Err(problems) }
}

fn check_values(node: &Node, path: &str, problems: &mut Vec<Diagnostic>) {
    match &node.value {
        Value::Int(number) if i64::try_from(*number).is_err() && u64::try_from(*number).is_err() => {
            let message = format!("`{path}` is {number}, which does not fit in 64 bits");
            problems.push(
                Diagnostic::error(codes::INT_RANGE, node.span, message)
                    .label("too large an integer")
                    .path(path)
                    .help("quote it to make it text, or write it as a float"),
            );
        }
        Value::Bytes(_) => {
            let message = format!("`{path}` is binary data, which cannot be submitted");
            problems.push(Diagnostic::error(codes::VALUE, node.span, message).path(path).help("write it as text"));
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                check_values(item, &format!("{path}[{index}]"), problems);
            }
        }
        Value::Map(map) => check_entries(map, path, problems),
        _ => {}
    }
}

fn check_entries(map: &Map, path: &str, problems: &mut Vec<Diagnostic>) {
    for (key, value) in map.iter() {
        let path = if path.is_empty() { key.text.clone() } else { format!("{path}.{}", key.text) };
        if !key.is_text {
            let message = format!("the key {} of `{path}` is not text, which cannot be submitted", key.text);
            let problem = Diagnostic::error(codes::VALUE, key.span, message).label("not text");
            problems.push(problem.path(&path).help(format!("quote it: \"{}\"", key.text)));
        }
        check_values(value, &path, problems);
    }
}
