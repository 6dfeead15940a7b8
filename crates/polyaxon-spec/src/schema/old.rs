//! Kinds that earlier versions had under another name, where the meaning is the same.
//!
//! They are read as their modern form; [`crate::spelling`] tells the author.

use super::{MATRICES, RUNTIMES};
use crate::node::{Node, Value};
use crate::section::Section;

type Kinds = &'static [(&'static str, &'static Section)];

/// Old and new name of a runtime.
const RUNTIME_NAMES: &[(&str, &str)] = &[("rayjob", "raycluster"), ("daskjob", "daskcluster")];

/// The modern name of the kind of `node`, when its kind is an old one.
pub(crate) fn modern_kind(kinds: Kinds, node: &Node) -> Option<&'static str> {
    let kind = node.get("kind")?.as_str()?;
    if is_list(kinds, RUNTIMES) {
        return RUNTIME_NAMES.iter().find(|(old, _)| *old == kind).map(|(_, new)| *new);
    }
    let is_tpe = node.get("algorithm").is_none_or(|algorithm| algorithm.is_null() || algorithm.as_str() == Some("tpe"));
    (is_list(kinds, MATRICES) && kind == "hyperopt" && is_tpe).then_some("tpe")
}

/// Whether a kind is one that only old files have and that no modern one can stand for.
pub(crate) fn is_legacy(kinds: Kinds, node: &Node) -> bool {
    is_list(kinds, MATRICES) && node.get("kind").and_then(Node::as_str) == Some("hyperopt")
}

/// Constants may have several addresses; their first kinds differ.
fn is_list(kinds: Kinds, list: Kinds) -> bool {
    kinds.first().map(|(kind, _)| kind) == list.first().map(|(kind, _)| kind)
}

/// Rewrites an old kind in place.
pub(crate) fn modernize(kinds: Kinds, node: &mut Node) {
    let Some(modern) = modern_kind(kinds, node) else { return };
    let Some(map) = node.as_map_mut() else { return };
    if let Some(kind) = map.get_mut("kind") {
        kind.value = Value::Str(modern.to_owned());
    }
    map.remove("algorithm");
}
