//! Files of connections: a list, or a mapping with the field `connections`, as the configuration of an agent has it.
//!
//! Must not know what connections are used for, and reads no secrets.

use crate::decode;
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Map, Node, Value};
use crate::schema::CONNECTIONS;
use crate::span::SourceId;
use crate::yaml;

/// Reads the connections of a text, YAML or JSON. `taken` are names that none may have.
pub fn read(source: SourceId, text: &[u8], taken: &[&str]) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let mut document = yaml::read(source, text)?.node;
    match &document.value {
        Value::Null => return Ok(Vec::new()),
        Value::List(_) => {
            let mut map = Map::new();
            map.insert("connections", document);
            document = Node::map(map);
        }
        _ => {}
    }
    let mut problems = Vec::new();
    decode::section(&CONNECTIONS, &mut document, "", &mut problems);
    let connections = document.get("connections").and_then(Node::as_list).unwrap_or_default();
    check_names(connections, taken, &mut problems);
    problems.retain(Diagnostic::is_error);
    if problems.is_empty() { Ok(connections.to_vec()) } else { Err(problems) }
}

fn check_names(connections: &[Node], taken: &[&str], problems: &mut Vec<Diagnostic>) {
    let mut seen: Vec<(&str, &Node)> = Vec::new();
    for (index, connection) in connections.iter().enumerate() {
        let Some(node) = connection.get("name") else { continue };
        let Some(name) = node.as_str() else { continue };
        let problem = || {
            let message = format!("a connection with name `{name}` must be unique");
            Diagnostic::error(codes::VALUE, node.span, message).path(format!("connections[{index}].name"))
        };
        if let Some((_, first)) = seen.iter().find(|(known, _)| *known == name) {
            problems.push(problem().label("the second of this name").related(first.span, "the first"));
        } else if taken.contains(&name) {
            problems.push(problem().label("the server has such a one already").help("choose another name"));
        }
        seen.push((name, node));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names, or the findings.
    #[track_caller]
    fn check(text: &str, expected: Result<&[&str], &[&str]>) {
        match (read(SourceId(0), text.as_bytes(), &["store"]), expected) {
            (Ok(connections), Ok(expected)) => {
                let names: Vec<&str> = connections.iter().filter_map(|it| it.get("name")?.as_str()).collect();
                assert_eq!(names, expected, "{text}");
            }
            (Err(problems), Err(expected)) => {
                let found: Vec<String> = problems.iter().map(|it| format!("{}: {}", it.path, it.message)).collect();
                assert_eq!(found.len(), expected.len(), "{found:?}");
                for (found, expected) in found.iter().zip(expected) {
                    assert!(found.contains(expected), "{text}: {found}");
                }
            }
            (found, _) => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn a_list_and_a_mapping_are_read() {
        check("", Ok(&[]));
        check("- {name: a, kind: slack, schema: {url: x}}\n- {name: b, kind: s3}", Ok(&["a", "b"]));
        check("connections:\n- name: a\n  kind: email\n  config_map: {name: c, mountPath: /c}", Ok(&["a"]));
        check(r#"[{"name": "a", "kind": "webhook", "env": [["A", "1"]]}]"#, Ok(&["a"]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        check("- {name: a, kind: slak}", Err(&["connections[0].kind"]));
        check("- {name: a}", Err(&["kind"]));
        check("- {name: a, kind: slack, url: x}", Err(&["url"]));
        check("connection: []", Err(&["connection", "connections"]));
        check(
            "- {name: a, kind: s3}\n- {name: a, kind: gcs}",
            Err(&["connections[1].name: a connection with name `a`"]),
        );
        check("- {name: store, kind: s3}", Err(&["connections[0].name"]));
    }
}
