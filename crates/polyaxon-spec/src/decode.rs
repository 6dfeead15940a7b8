//! From a spanned tree to a *canonical* one: camelCase keys, converted values, every error at once.
//!
//! Walks the tables of [`crate::schema`]; knows no field names except those that decide how a document is read
//! (`kind`, `isPreset`, references). Reads no other files: references stay as they are.

pub(crate) mod report;
mod value;

#[cfg(test)]
mod tests;

use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Map, Node, Value};
use crate::schema::{DOCUMENT, DOCUMENT_KINDS};
use crate::section::{Check, Section};
use value::read_field;

/// Why a document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentRole {
    /// The first file of a request.
    Main,
    /// A file, or inline options, laid over another document. Rules over several fields do not apply.
    Preset,
    /// What a reference leads to.
    Component,
}

/// Keys that are known at the root of documents with a kind, but are fields of nothing.
const FOREIGN_ROOT_KEYS: &[&str] = &["operations", "contexts"];

/// Reads a whole text. `None` when there are errors; all of them are in `diagnostics`.
pub fn document(mut node: Node, role: DocumentRole, diagnostics: &mut Vec<Diagnostic>) -> Option<Node> {
    let errors_before = count_errors(diagnostics);
    match &node.value {
        Value::Null => diagnostics.push(empty(&node, "the document is empty")),
        Value::Map(map) if map.is_empty() => diagnostics.push(empty(&node, "the document has no fields")),
        Value::Map(map) => {
            if role == DocumentRole::Main {
                check_root_keys(map, diagnostics);
            }
            read_document(&mut node, role, "", diagnostics);
        }
        _ => diagnostics.push(
            Diagnostic::error(codes::NOT_A_MAPPING, node.span, "a polyaxonfile must be a mapping of fields to values")
                .label(format!("found {}", report::article(node.kind_name())))
                .help("start with `kind: operation` or `kind: component`"),
        ),
    }
    (count_errors(diagnostics) == errors_before).then_some(node)
}

fn count_errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count()
}

fn empty(node: &Node, message: &str) -> Diagnostic {
    Diagnostic::error(codes::EMPTY, node.span, message).help("start with `kind: operation` or `kind: component`")
}

/// The first file of a request spells its root keys in camelCase when it has a kind; presets and components need not.
fn check_root_keys(map: &Map, diagnostics: &mut Vec<Diagnostic>) {
    if map.get("kind").is_none_or(Node::is_null) {
        return;
    }
    for (key, _) in map.iter() {
        let is_known = key.is_text && DOCUMENT.fields.iter().any(|field| field.name == key.text);
        if !is_known && !FOREIGN_ROOT_KEYS.contains(&key.text.as_str()) {
            diagnostics.push(report::unknown_root_key(key));
        }
    }
}

/// Reads a document in place, at the root or nested.
fn read_document(node: &mut Node, role: DocumentRole, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Value::Map(map) = &mut node.value else {
        diagnostics.push(report::wrong_kind(node, path, "a component or an operation"));
        return;
    };
    match map.get("kind").map(|kind| (kind, kind.as_str())) {
        None => {}
        Some((kind, _)) if kind.is_null() => {}
        Some((_, Some(kind))) if DOCUMENT_KINDS.contains(&kind) => {}
        Some((kind, _)) => {
            let kind_path = report::join(path, "kind");
            diagnostics.push(report::unknown_kind(kind, &kind_path, DOCUMENT_KINDS));
            return;
        }
    }
    let is_checked = role == DocumentRole::Main && map.get("kind").is_some_and(|kind| !kind.is_null());
    if is_checked {
        // Unknown root keys were reported already.
        map.retain(|key, _| {
            DOCUMENT.fields.iter().any(|field| field.name == key.text) || FOREIGN_ROOT_KEYS.contains(&key.text.as_str())
        });
    }
    let errors_before = diagnostics.len();
    section(&DOCUMENT, node, path, diagnostics);
    let is_preset = role == DocumentRole::Preset || node.get("isPreset").and_then(Node::as_bool) == Some(true);
    if diagnostics.len() == errors_before && !is_preset {
        check_references(node, path, diagnostics);
    }
}

const REFERENCES: [&str; 4] = ["hubRef", "dagRef", "urlRef", "pathRef"];

/// One reference at most, and a runtime without kind needs something to complete.
fn check_references(node: &Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Some(map) = node.as_map() else { return };
    let written = |name: &&str| map.get(name).and_then(Node::as_str).is_some_and(|text| !text.is_empty());
    let keys: Vec<_> = REFERENCES.iter().filter(|name| written(name)).filter_map(|name| map.get_key(name)).collect();
    if let [first, second, ..] = keys[..] {
        diagnostics.push(
            Diagnostic::error(codes::MULTIPLE_REFERENCES, second.span, "a document can reference one component only")
                .label(format!("`{}` is the second reference", second.text))
                .related(first.span, format!("`{}` is the first", first.text))
                .path(report::join(path, &second.text))
                .help("remove one of them"),
        );
    }
    let is_kindless = |run: &&Node| run.as_map().is_some_and(|run| !run.contains("kind"));
    if let Some(run) = map.get("run").filter(is_kindless)
        && keys.is_empty()
        && map.get("component").is_none_or(Node::is_null)
    {
        diagnostics.push(
            Diagnostic::error(codes::RUN_KIND, report::start(run), "`run` has no `kind`")
                .label("a runtime needs a kind")
                .path(report::join(path, "run"))
                .help("add `kind: job`, or reference the component whose runtime these fields change"),
        );
    }
}

/// Reads a typed mapping in place.
pub fn section(section: &'static Section, node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let start = report::start(node);
    let Value::Map(map) = &mut node.value else {
        diagnostics.push(report::wrong_kind(node, path, &format!("a mapping ({})", section.name)));
        return;
    };
    let errors_before = diagnostics.len();
    let mut entries: Vec<(crate::node::Key, Node)> = Vec::with_capacity(map.len());
    for (mut key, mut value) in std::mem::take(map) {
        let Some(field) = section.field_of(&key) else {
            diagnostics.push(report::unknown_field(section, &key, path));
            continue;
        };
        if let Some((first, _)) = entries.iter().find(|(first, _)| first.text == field.name) {
            diagnostics.push(report::two_spellings(field, first, &key, path));
            continue;
        }
        field.name.clone_into(&mut key.text);
        read_field(field, &mut value, &report::join(path, field.name), diagnostics);
        entries.push((key, value));
    }
    for field in section.fields.iter().filter(|field| field.required) {
        if !entries.iter().any(|(key, _)| key.text == field.name) {
            diagnostics.push(report::missing_field(section, field, start, path));
        }
    }
    *map = Map::from_entries(entries);
    if let Some(check) = section.check
        && diagnostics.len() == errors_before
    {
        check(node, path, diagnostics);
    }
}

/// Reads every item of a list in place; used by types with their own rules.
pub(crate) fn items(node: &mut Node, path: &str, expected: &str, read: Check, diagnostics: &mut Vec<Diagnostic>) {
    let Value::List(items) = &mut node.value else {
        diagnostics.push(report::wrong_kind(node, path, expected));
        return;
    };
    for (index, item) in items.iter_mut().enumerate() {
        read(item, &report::index(path, index), diagnostics);
    }
}

pub(crate) use value::read;
