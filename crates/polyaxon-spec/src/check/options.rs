//! Inline options as a document: `--image`, `--cmd`, `--env`, `--cpu`, `--memory`, `--gpu`, `--ports`.

use super::{Inline, Request, entry};
use crate::decode::{self, DocumentRole};
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Map, Node, Value};
use crate::params::options as arguments;
use crate::schema;
use crate::span::{Sources, Span};

/// The inline document in canonical form; `None` when no inline option was given.
pub(super) fn inline(request: &Request, sources: &mut Sources) -> Result<Option<Node>, Vec<Diagnostic>> {
    let mut fields = from_options(&request.inline, sources)?;
    if let Some(shortcuts) = request.shortcuts.as_ref().map(Node::from_json) {
        let Value::Map(given) = shortcuts.value else {
            return Err(vec![Diagnostic::error(codes::TYPE, Span::NONE, "inline shortcuts must be a mapping")]);
        };
        let unknown: Vec<&str> =
            given.iter().map(|(key, _)| key.text.as_str()).filter(|key| !schema::SHORTCUTS.contains(key)).collect();
        if !unknown.is_empty() {
            let message = format!("`{}` cannot be given inline", unknown.join("`, `"));
            let help = format!("inline fields: {}", schema::SHORTCUTS.join(", "));
            return Err(vec![Diagnostic::error(codes::UNKNOWN_FIELD, Span::NONE, message).help(help)]);
        }
        for (key, value) in given {
            fields.insert_key(key, value);
        }
    }
    if fields.is_empty() {
        return Ok(None);
    }
    let mut problems = Vec::new();
    let document = decode::document(Node::map(fields), DocumentRole::Preset, &mut problems);
    if document.is_some() { Ok(document) } else { Err(problems) }
}

fn from_options(inline: &Inline, sources: &mut Sources) -> Result<Map, Vec<Diagnostic>> {
    let mut fields = Map::new();
    let mut problems = Vec::new();
    if let Some(image) = &inline.image {
        fields.insert("container", Node::map(entry("image", given("--image", image, sources))));
    }
    if !inline.cmd.is_empty() {
        let lines = inline.cmd.iter().map(|line| given("--cmd", line, sources)).collect();
        fields.insert("cmd", Node::list(lines));
    }
    if !inline.env.is_empty() {
        match arguments::env(&inline.env, sources) {
            Ok(env) => fields.insert("env", Node::map(env)),
            Err(more) => problems.extend(more),
        }
    }
    let amounts = [("cpu", &inline.cpu), ("memory", &inline.memory), ("gpu", &inline.gpu)];
    let resources: Map = amounts
        .into_iter()
        .filter_map(|(name, amount)| Some((name, amount.as_ref()?)))
        .map(|(name, amount)| (crate::node::Key::new(name), given(&format!("--{name}"), amount, sources)))
        .collect();
    if !resources.is_empty() {
        fields.insert("resources", Node::map(resources));
    }
    if !inline.ports.is_empty() {
        match arguments::ports(&inline.ports, sources) {
            Ok(ports) => fields.insert("ports", Node::list(ports)),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() { Ok(fields) } else { Err(problems) }
}

/// The value of an option, which becomes a source of its own.
fn given(option: &str, value: &str, sources: &mut Sources) -> Node {
    let source = sources.add(option, value);
    Node::new(Value::Str(value.to_string()), Span::new(source, 0, value.len()))
}
