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

#[cfg(test)]
mod tests {
    use crate::decode::{self, DocumentRole};
    use crate::diagnostic::Diagnostic;
    use crate::node::Node;
    use crate::span::SourceId;
    use crate::yaml;

    fn read(text: &str) -> Result<Node, Vec<Diagnostic>> {
        let node = yaml::read(SourceId(0), text.as_bytes()).unwrap().node;
        let mut problems = Vec::new();
        decode::document(node, DocumentRole::Main, &mut problems).ok_or(problems)
    }

    #[test]
    fn old_kinds_are_read_as_modern_ones() {
        let search =
            "metric: {name: loss, optimization: minimize}, numRuns: 2, params: {lr: {kind: choice, value: [1]}}";
        for (text, path, kind) in [
            (
                "run: {kind: rayjob, entrypoint: python x.py, head: {container: {image: a}}}".to_owned(),
                "run",
                "raycluster",
            ),
            ("run: {kind: daskjob, worker: {replicas: 2}}".to_owned(), "run", "daskcluster"),
            (format!("matrix: {{kind: hyperopt, {search}}}\nhubRef: a"), "matrix", "tpe"),
            (format!("matrix: {{kind: hyperopt, algorithm: tpe, {search}}}\nhubRef: a"), "matrix", "tpe"),
            (format!("matrix: {{kind: hyperopt, algorithm: anneal, {search}}}\nhubRef: a"), "matrix", "hyperopt"),
        ] {
            let document = read(&text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
            assert_eq!(document.at(&[path, "kind"]).and_then(Node::as_str), Some(kind), "{text}");
        }
    }

    #[test]
    fn what_the_modern_kind_does_not_have_is_refused() {
        for text in [
            "run: {kind: rayjob, container: {image: a}}",
            "run: {kind: daskjob, job: {replicas: 1}}",
            "matrix: {kind: hyperopt, algorithm: tpe, numRuns: 2, params: {lr: {kind: choice, value: [1]}}}\nhubRef: a",
            "matrix: {kind: hyperopt, algorithm: other, numRuns: 2, metric: {name: a}, params: {}}\nhubRef: a",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
