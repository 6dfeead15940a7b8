//! Anchors and aliases: what may be repeated, and how much of it.
//!
//! Aliases copy, so a short text can stand for a huge tree; this is the place that keeps it in bounds.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{MAX_ALIAS_NODES, MAX_BYTES, MAX_DEPTH, syntax};
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Node, Value};
use crate::span::Span;

/// A node and what a copy of it costs.
#[derive(Clone)]
pub(super) struct Measured {
    pub(super) node: Node,
    pub(super) weight: Weight,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Weight {
    /// Itself included.
    nodes: usize,
    /// Of all texts in it.
    pub(super) bytes: usize,
    /// Collections on the longest way down; 0 for scalars.
    depth: usize,
}

impl Weight {
    pub(super) fn of_scalar(value: &Value) -> Weight {
        let bytes = match value {
            Value::Str(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        Weight { nodes: 1, bytes, depth: 0 }
    }

    pub(super) fn of_empty_collection() -> Weight {
        Weight { nodes: 1, bytes: 0, depth: 1 }
    }

    pub(super) fn add_child(&mut self, child: Weight) {
        self.nodes += child.nodes;
        self.bytes += child.bytes;
        self.depth = self.depth.max(child.depth + 1);
    }
}

/// What an alias can repeat.
enum Anchored {
    /// A collection that is not closed yet.
    Open,
    Kept(Measured),
    /// Too much to be repeated, so it was not kept.
    TooLarge,
}

#[derive(Default)]
pub(super) struct Anchors {
    /// By the number that the parser gives them; 0 means no anchor.
    anchored: HashMap<usize, Anchored>,
    names: HashMap<String, Span>,
    /// What all aliases together have added.
    repeated: Weight,
    /// What is kept for aliases to come.
    kept: Weight,
}

impl Anchors {
    /// Notes the name of an anchor, which PyYAML wants to be new.
    pub(super) fn name(&mut self, name: &str, span: Span) -> Result<(), Box<Diagnostic>> {
        match self.names.entry(name.to_owned()) {
            Entry::Vacant(entry) => {
                entry.insert(span);
                Ok(())
            }
            Entry::Occupied(entry) => {
                let message = format!("the anchor `&{name}` is defined twice");
                let diagnostic = Diagnostic::error(codes::YAML, span, message);
                Err(Box::new(
                    diagnostic.related(*entry.get(), "first defined here").help("give each anchor its own name"),
                ))
            }
        }
    }

    /// A collection begins.
    pub(super) fn open(&mut self, id: usize) {
        if id > 0 {
            self.anchored.insert(id, Anchored::Open);
        }
    }

    /// A node is complete.
    pub(super) fn close(&mut self, id: usize, measured: &Measured) {
        if id == 0 {
            return;
        }
        self.kept.add_child(measured.weight);
        let is_too_large = self.kept.nodes > 10 * MAX_ALIAS_NODES || self.kept.bytes > 2 * MAX_BYTES;
        let anchored = if is_too_large { Anchored::TooLarge } else { Anchored::Kept(measured.clone()) };
        self.anchored.insert(id, anchored);
    }

    /// The node that an alias repeats, inside `depth` open collections.
    pub(super) fn repeat(&mut self, id: usize, span: Span, depth: usize) -> Result<Measured, Box<Diagnostic>> {
        let measured = match self.anchored.get(&id) {
            Some(Anchored::Kept(measured)) => measured,
            Some(Anchored::TooLarge) => return Err(Box::new(too_many_repetitions(span))),
            Some(Anchored::Open) | None => {
                let message = "an alias lies inside the value that it repeats";
                let diagnostic = Diagnostic::error(codes::YAML, span, message);
                return Err(Box::new(diagnostic.help("a value cannot contain itself")));
            }
        };
        self.repeated.add_child(measured.weight);
        if self.repeated.nodes > MAX_ALIAS_NODES || self.repeated.bytes > MAX_BYTES {
            return Err(Box::new(too_many_repetitions(span)));
        }
        if depth + measured.weight.depth > MAX_DEPTH {
            return Err(Box::new(syntax::too_deep(span)));
        }
        Ok(measured.clone())
    }
}

fn too_many_repetitions(span: Span) -> Diagnostic {
    let message = format!("the aliases of the text repeat more than {MAX_ALIAS_NODES} values");
    Diagnostic::error(codes::TOO_LARGE, span, message).help("write the values out, or use fewer aliases")
}
