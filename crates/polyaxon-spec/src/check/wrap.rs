//! The document as an operation, with the fields that options set (spec §11.2).

use super::{Options, Request, entry};
use crate::decode::{self, DocumentRole};
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Map, Node, Value};
use crate::params::options as arguments;
use crate::patch::deep_update;
use crate::span::{Sources, Span};

/// The fields that options set, in canonical form; `None` without any.
pub(super) fn read_options(request: &Request, sources: &mut Sources) -> Result<Option<Node>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut fields = fields(&request.options, &mut problems);
    match arguments::params(&request.params, sources) {
        Ok(params) if params.is_empty() => {}
        Ok(params) => fields.insert("params", Node::map(params)),
        Err(more) => problems.extend(more),
    }
    match arguments::hyper_params(&request.hyper_params, sources) {
        Ok(spaces) if spaces.is_empty() => {}
        Ok(spaces) => fields.insert("matrix", Node::map(search(&request.options, spaces))),
        Err(more) => problems.extend(more),
    }
    if let Some(matrix) = &request.options.matrix {
        fields.insert("matrix", Node::from_json(matrix));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if fields.is_empty() {
        return Ok(None);
    }
    let document = decode::document(Node::map(fields), DocumentRole::Preset, &mut problems);
    if document.is_some() { Ok(document) } else { Err(problems) }
}

fn search(options: &Options, spaces: Map) -> Map {
    let mut matrix = entry("kind", Node::string(options.matrix_kind.as_deref().unwrap_or("grid")));
    let concurrency = options.matrix_concurrency.filter(|concurrency| *concurrency != 0).unwrap_or(1);
    matrix.insert("concurrency", Node::int(concurrency.into()));
    matrix.insert("params", Node::map(spaces));
    if let Some(runs) = options.matrix_num_runs.filter(|runs| *runs != 0) {
        matrix.insert("numRuns", Node::int(runs.into()));
    }
    matrix
}

fn fields(options: &Options, problems: &mut Vec<Diagnostic>) -> Map {
    let mut fields = Map::new();
    if let Some(presets) = options.presets.as_ref().filter(|presets| !presets.is_empty()) {
        fields.insert("presets", Node::list(presets.iter().map(Node::string).collect()));
    }
    if let Some(queue) = options.queue.as_ref().filter(|queue| !queue.is_empty()) {
        if queue.replace('.', "/").split('/').count() > 2 {
            let message = format!("`{queue}` is not a queue");
            problems.push(malformed(message).help("write QUEUE, or AGENT/QUEUE"));
        }
        fields.insert("queue", Node::string(queue));
    }
    if let Some(namespace) = options.namespace.as_ref().filter(|namespace| !namespace.is_empty()) {
        fields.insert("namespace", Node::string(namespace));
    }
    let cache = options.cache.as_ref().filter(|word| !word.is_empty());
    if cache.is_some() && options.nocache {
        problems.push(malformed("`--cache` and `--nocache` exclude each other".into()).help("leave one of them out"));
    }
    if let Some(is_cached) = cache.and_then(|word| truth("--cache", word, problems)) {
        fields.insert("cache", Node::map(entry("disable", Node::bool(!is_cached))));
    }
    if options.nocache {
        fields.insert("cache", Node::map(entry("disable", Node::bool(true))));
    }
    if let Some(is_approved) = options.approved.as_ref().and_then(|word| truth("--approved", word, problems)) {
        fields.insert("isApproved", Node::bool(is_approved));
    }
    if let Some(is_strict) = options.strict_params {
        fields.insert("strictParams", Node::bool(is_strict));
    }
    fields
}

fn truth(option: &str, word: &str, problems: &mut Vec<Diagnostic>) -> Option<bool> {
    match word.to_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => {
            problems.push(malformed(format!("`{option} {word}` is neither yes nor no")).help("use true or false"));
            None
        }
    }
}

fn malformed(message: String) -> Diagnostic {
    Diagnostic::error(codes::CLI_PARAM, Span::NONE, message)
}

/// Wraps a component, or updates an operation with the options.
pub(super) fn wrap(document: Node, hub: Option<&str>, options: Option<Node>) -> Result<Node, Vec<Diagnostic>> {
    let options = options.and_then(|options| match options.value {
        Value::Map(map) => Some(map),
        _ => None,
    });
    let is_component = document.get("kind").and_then(Node::as_str) == Some("component");
    let mut wrapped = if hub.is_some() || is_component {
        as_operation(document, options.unwrap_or_default())
    } else {
        updated(document, options)?
    };
    if let (Some(hub), Some(map)) = (hub, wrapped.as_map_mut()) {
        if map.get("hubRef").is_none_or(Node::is_null) {
            map.insert("hubRef", Node::string(hub));
        }
    }
    Ok(wrapped)
}

/// An operation of one component. The version of the document moves along, for old servers.
pub(super) fn as_operation(component: Node, options: Map) -> Node {
    let span = component.span;
    let mut operation = entry("kind", Node::string("operation"));
    if let Some(version) = component.get("version").filter(|version| !version.is_null()) {
        operation.insert("version", version.clone());
    }
    for (key, value) in options {
        operation.insert_key(key, value);
    }
    operation.insert("component", component);
    Node::new(Value::Map(operation), span)
}

fn updated(mut document: Node, options: Option<Map>) -> Result<Node, Vec<Diagnostic>> {
    let Some(options) = options else { return Ok(document) };
    if let Some(map) = document.as_map_mut() {
        deep_update(map, &options);
    }
    // The sum must be as valid as its parts, for example a matrix of one kind with the params of another.
    let mut problems = Vec::new();
    decode::document(document.clone(), DocumentRole::Main, &mut problems);
    problems.retain(Diagnostic::is_error);
    if problems.is_empty() { Ok(document) } else { Err(problems) }
}
