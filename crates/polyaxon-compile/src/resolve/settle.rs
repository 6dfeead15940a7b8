//! Rendered sections read again: what a template became must fit its field, and takes the form of its type.
//!
//! `"4"` of a label that was rendered to a number is text again, `"False"` of `isApproved` a boolean, and a timeout of
//! `soon` is an error. Knows no fields; the tables of the language do.

use polyaxon_spec::decode;
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::node::{Map, Node, Value};
use polyaxon_spec::schema::DOCUMENT;

/// The members of a composed operation that no document has.
const OWN_KEYS: &[&str] = &["kind", "contexts"];

pub(super) fn settle(operation: Node) -> Result<Node, Vec<Diagnostic>> {
    let Value::Map(map) = operation.value else { return Ok(operation) };
    let (own, fields): (Vec<_>, Vec<_>) = map.into_iter().partition(|(key, _)| OWN_KEYS.contains(&key.text.as_str()));
    let mut document = Node::new(Value::Map(fields.into_iter().collect()), operation.span);
    let mut findings = Vec::new();
    decode::section(&DOCUMENT, &mut document, "", &mut findings);
    findings.retain(Diagnostic::is_error);
    if !findings.is_empty() {
        return Err(findings.into_iter().map(explained).collect());
    }
    let mut settled: Map = own.into_iter().collect();
    if let Value::Map(fields) = document.value {
        for (key, node) in fields {
            settled.insert_key(key, node);
        }
    }
    Ok(Node::new(Value::Map(settled), operation.span))
}

/// The text in the file is a template, so the finding must say that it is about what it became.
fn explained(finding: Diagnostic) -> Diagnostic {
    let help = finding.help.clone();
    let context = "this is the value after its templates were rendered and numbers were read";
    finding.help(help.map_or_else(|| context.to_owned(), |help| format!("{help}; {context}")))
}
