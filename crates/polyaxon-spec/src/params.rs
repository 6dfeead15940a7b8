//! Params: the values given to inputs, outputs and contexts (spec §9).
//!
//! Works on composed operations; knows nothing of files or of how values are rendered.

mod apply;
pub mod options;
mod validate;

use std::collections::BTreeMap;

use crate::io::Declaration;
use crate::node::{Key, Map, Node};
use crate::span::Span;
use crate::template;

pub use apply::apply;
pub use validate::validate;

/// What the nodes of a dag can refer to, by key (`ops.train.outputs.loss`).
pub type Context = BTreeMap<String, ContextIo>;

/// The type of something that can be referred to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextIo {
    pub type_name: Option<String>,
    pub is_list: bool,
}

impl ContextIo {
    pub fn of(declaration: &Declaration) -> ContextIo {
        ContextIo { type_name: declaration.type_name().map(str::to_string), is_list: declaration.is_list() }
    }

    pub fn typed(type_name: &str) -> ContextIo {
        ContextIo { type_name: Some(type_name.to_string()), is_list: false }
    }
}

/// A param and where it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param<'a> {
    pub(crate) name: &'a str,
    pub(crate) node: &'a Node,
    /// Where the name is written.
    pub(crate) span: Span,
    pub(crate) is_join: bool,
}

impl<'a> Param<'a> {
    pub(crate) fn value(&self) -> Option<&'a Node> {
        self.node.get("value")
    }

    pub(crate) fn flag(&self, field: &str) -> Option<bool> {
        self.node.get(field).and_then(Node::as_bool)
    }

    /// A string that is rendered when the run is resolved.
    pub(crate) fn is_template(&self) -> bool {
        self.value().and_then(Node::as_str).is_some_and(template::is_template)
    }
}

/// The params of an operation and, for names without one, the params of its joins.
pub(crate) fn all<'a>(params: &'a Map, operation: &'a Node) -> Vec<Param<'a>> {
    let mut all: Vec<Param> = params.iter().map(|(key, node)| given(key, node, false)).collect();
    for join in operation.get("joins").and_then(Node::as_list).unwrap_or_default() {
        for (key, node) in join.get("params").and_then(Node::as_map).into_iter().flat_map(Map::iter) {
            match all.iter().position(|param| param.name == key.text) {
                Some(at) if all[at].is_join => all[at].node = node,
                Some(_) => {}
                None => all.push(given(key, node, true)),
            }
        }
    }
    all
}

fn given<'a>(key: &'a Key, node: &'a Node, is_join: bool) -> Param<'a> {
    let span = if key.span.is_none() { node.span } else { key.span };
    Param { name: &key.text, node, span, is_join }
}
