//! Params: values for inputs and outputs, in short or full form (spec §9.1).

use crate::decode::{self, report};
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Key, Map, Node, Value};
use crate::section::{CustomType, Section, Type, field};

/// The full form and no other, for hooks, builds, joins and tuners.
pub(super) const FULL_PARAM: Type = Type::Section(&PARAM);

/// A param of a document. Short forms are rewritten to full ones.
pub(super) const ANY_PARAM: Type = Type::Custom(&SHORT_OR_FULL);

/// A mapping with one of these keys, in either spelling, is a full param.
const MARKS: &[&str] =
    &["value", "ref", "toInit", "to_init", "toEnv", "to_env", "contextOnly", "context_only", "connection"];

pub static PARAM: Section = Section {
    name: "param",
    doc: "A value for an input or an output, or for the context of the run.",
    fields: &[
        field("value", Type::Any, "The value; with `ref`, the name of what the reference offers.", "0.1"),
        field("ref", Type::Str, "Where the value comes from: `ops.NAME`, `runs.UUID` or `dag`.", "ops.train"),
        field("contextOnly", Type::Bool, "The param is for templates only and needs no input.", "true"),
        field("connection", Type::Str, "The connection that the value belongs to.", "s3-data"),
        field("toInit", Type::Bool, "Turns the value into an init step.", "true"),
        field("toEnv", Type::Str, "The environment variable that gets the value.", "LEARNING_RATE"),
    ],
    check: Some(check_reference),
};

fn check_reference(param: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let has_reference = param.get("ref").and_then(Node::as_str).is_some_and(|text| !text.is_empty());
    let value = param.get("value");
    if !has_reference || value.is_some_and(|value| value.as_str().is_some()) {
        return;
    }
    let (span, found) = match value {
        Some(value) => (value.span, report::article(value.kind_name())),
        None => (report::start(param), "nothing".to_owned()),
    };
    diagnostics.push(
        Diagnostic::error(codes::PARAM_REF, span, format!("`{path}` has a `ref`, so its `value` must be a string"))
            .label(format!("expected a string, found {found}"))
            .path(report::join(path, "value"))
            .help("name what the reference offers, like `value: outputs.loss`"),
    );
}

static SHORT_OR_FULL: CustomType = CustomType {
    name: "a param",
    read: read_param,
    json_schema: r#"{
        "if": {"type": "object", "anyOf": [
            {"required": ["value"]}, {"required": ["ref"]}, {"required": ["toInit"]}, {"required": ["to_init"]},
            {"required": ["toEnv"]}, {"required": ["to_env"]}, {"required": ["contextOnly"]},
            {"required": ["context_only"]}, {"required": ["connection"]}
        ]},
        "then": {"$ref": "%SECTION%"}
    }"#,
    section: Some(&PARAM),
};

fn read_param(node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let is_full = match &node.value {
        Value::Map(map) => {
            map.is_empty() || map.iter().any(|(key, _)| key.is_text && MARKS.contains(&key.text.as_str()))
        }
        _ => false,
    };
    if is_full {
        decode::section(&PARAM, node, path, diagnostics);
        return;
    }
    let span = node.span;
    let value = std::mem::replace(node, Node::null());
    let key = Key { text: "value".to_owned(), span, is_text: true };
    *node = Node::new(Value::Map(Map::from_entries(vec![(key, value)])), span);
}
