//! Finds values that one document writes twice: at its root, where shortcuts stand, and below `run`.
//!
//! Only within one text: a preset or an option that replaces a value of a file is what it is for.

use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Key, Map, Node, Value};
use crate::patch::Strategy;

/// What of an operation (canonical, with its components inside) hides something else.
pub fn find(operation: &Node) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    document(operation, &mut findings);
    findings
}

fn document(document_node: &Node, findings: &mut Vec<Diagnostic>) {
    let Some(layer) = document_node.as_map() else { return };
    if let Some(run) = layer.get("run").and_then(Node::as_map) {
        let wins = if Strategy::of(document_node).prefers_patch() { Wins::Shortcut } else { Wins::Runtime };
        shortcuts(layer, run, wins, findings);
        for list in ["operations", "components"] {
            run.get(list).and_then(Node::as_list).unwrap_or_default().iter().for_each(|node| document(node, findings));
        }
    }
    if let Some(component) = layer.get("component") {
        document(component, findings);
    }
}

#[derive(Clone, Copy)]
enum Wins {
    Shortcut,
    Runtime,
}

fn shortcuts(layer: &Map, run: &Map, wins: Wins, findings: &mut Vec<Diagnostic>) {
    let mut pair = |short: (&Key, &str), long: (&Key, &str)| findings.extend(finding(short, long, wins));
    let container = run.get("container").and_then(Node::as_map);
    if let (Some(short), Some(long)) = (layer.get("container").and_then(Node::as_map), container) {
        for (key, value) in short.iter().filter(|(_, value)| is_scalar(value)) {
            let other = long.get_key(&key.text).filter(|_| long.get(&key.text).is_some_and(|other| other != value));
            if let Some(other) = other {
                let path = format!("container.{}", key.text);
                pair((key, &path), (other, &format!("run.{path}")));
            }
        }
    }
    for (field, hidden) in [("cmd", "command"), ("cmd", "args"), ("resources", "resources")] {
        if let (Some(short), Some(long)) = (key(layer, field), container.and_then(|map| key(map, hidden))) {
            pair((short, field), (long, &format!("run.container.{hidden}")));
            break;
        }
    }
    let variables = container.and_then(|map| map.get("env")).and_then(Node::as_list).unwrap_or_default();
    for (name, _) in layer.get("env").and_then(Node::as_map).into_iter().flat_map(Map::iter) {
        let same = variables.iter().find(|entry| entry.get("name").and_then(Node::as_str) == Some(&name.text));
        if let Some(long) = same.and_then(Node::as_map).and_then(|entry| entry.get_key("name")) {
            pair((name, &format!("env.{}", name.text)), (long, "run.container.env"));
        }
    }
    if let (Some(short), Some(long)) = (key(layer, "ports"), key(run, "ports")) {
        if layer.get("ports") != run.get("ports") {
            pair((short, "ports"), (long, "run.ports"));
        }
    }
}

fn is_scalar(node: &Node) -> bool {
    !matches!(node.value, Value::Null | Value::List(_) | Value::Map(_))
}

fn key<'a>(map: &'a Map, name: &str) -> Option<&'a Key> {
    map.get(name).filter(|value| !value.is_null()).and_then(|_| map.get_key(name))
}

fn finding(short: (&Key, &str), long: (&Key, &str), wins: Wins) -> Option<Diagnostic> {
    if short.0.span.is_none() || short.0.span.source != long.0.span.source {
        return None;
    }
    let (used, hidden) = match wins {
        Wins::Shortcut => (short, long),
        Wins::Runtime => (long, short),
    };
    let message = format!("`{}` is hidden by `{}` of the same document", hidden.1, used.1);
    Some(
        Diagnostic::warning(codes::SHADOWED, hidden.0.span, message)
            .label("this value is not used as written")
            .related(used.0.span, "this value is used")
            .path(hidden.1)
            .help("write it once"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{self, DocumentRole};
    use crate::span::SourceId;
    use crate::yaml;

    fn hidden(text: &str) -> Vec<String> {
        let node = yaml::read(SourceId(0), text.as_bytes()).unwrap().node;
        let mut problems = Vec::new();
        let document = decode::document(node, DocumentRole::Main, &mut problems);
        let document = document.unwrap_or_else(|| panic!("{problems:?}"));
        find(&document).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn what_stands_twice_is_found() {
        let run = "run: {kind: job, container: {image: 'a:1', command: [x], env: [{name: A, value: '1'}]}}\n";
        for (shortcut, expected) in [
            ("container: {image: 'b:1'}\n", vec!["run.container.image"]),
            ("container: {image: 'a:1'}\n", vec![]),
            ("container: {workingDir: /x}\n", vec![]),
            ("cmd: train\n", vec!["run.container.command"]),
            ("env: {A: '2', B: '3'}\n", vec!["run.container.env"]),
            ("resources: {cpu: 1}\n", vec![]),
            ("patchStrategy: isnull\ncmd: train\n", vec!["cmd"]),
        ] {
            assert_eq!(hidden(&format!("{shortcut}{run}")), expected, "{shortcut}");
        }
    }

    #[test]
    fn layers_of_other_documents_hide_nothing() {
        let component = "component: {run: {kind: job, container: {image: 'a:1'}}}\n";
        assert!(hidden(&format!("container: {{image: 'b:1'}}\n{component}")).is_empty());
    }
}
