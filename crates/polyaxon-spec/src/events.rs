//! `events`: what starts an operation beside the ends of the operations before it (spec §15).
//!
//! Knows words and shapes; whether an event has happened is decided by the engine.

use polyaxon_model::event::EventKind;

use crate::compose::Place;
use crate::diagnostic::{Diagnostic, codes};
use crate::node::Node;
use crate::refs::{self, Entity};
use crate::span::Span;

/// One of the `events` of an operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Awaited {
    pub source: Source,
    /// What must happen there: one of these is enough. Words that name nothing that happens are left out.
    pub kinds: Vec<EventKind>,
}

/// Where an event happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Run(Entity),
    /// Something that tells no events yet, as it is written.
    Silent(String),
}

const ACTING: &str = "run_status_*, run_new_artifacts, run_approved_actor and run_invalidated_actor happen, at \
     `ops.NAME` or `runs.UUID`";

/// The events of a composed operation.
pub fn read(operation: &Node) -> Vec<Awaited> {
    list(operation).iter().map(|event| Awaited { source: source(event), kinds: kinds(event) }).collect()
}

fn list(operation: &Node) -> &[Node] {
    operation.get("events").and_then(Node::as_list).unwrap_or_default()
}

fn source(event: &Node) -> Source {
    let text = event.get("ref").and_then(Node::as_str).unwrap_or_default();
    match refs::parse_entity(text) {
        Some(Entity::Dag) | None => Source::Silent(refs::without_braces(text).to_string()),
        Some(entity) => Source::Run(entity),
    }
}

fn kinds(event: &Node) -> Vec<EventKind> {
    words(event).iter().filter_map(Node::as_str).filter_map(EventKind::read).collect()
}

fn words(event: &Node) -> &[Node] {
    event.get("kinds").and_then(Node::as_list).unwrap_or_default()
}

/// Sources that are malformed, and warnings about events that never happen.
pub fn check(operation: &Node, place: Place) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (index, event) in list(operation).iter().enumerate() {
        let path = format!("events[{index}]");
        match check_source(event, place) {
            Some(finding) => findings.push(finding.path(format!("{path}.ref"))),
            None => findings.extend(silent_kinds(event, &path)),
        }
    }
    findings
}

fn check_source(event: &Node, place: Place) -> Option<Diagnostic> {
    let node = event.get("ref")?;
    let text = refs::without_braces(node.as_str()?);
    let never = |message: String| {
        let finding = Diagnostic::warning(codes::EVENT_NEVER, node.span, message).label("nothing happens here");
        Some(finding.help(ACTING))
    };
    match (refs::parse_entity(text), place) {
        (Some(Entity::Operation(name)), Place::Root) => {
            never(format!("the event waits for the operation `{name}`, but this operation is not in a dag"))
        }
        (Some(Entity::Operation(_) | Entity::Run(_)), _) => None,
        (Some(Entity::Dag), _) => never("the event waits for the dag around the operation, which tells none".into()),
        (None, _) => match text.split_once('.') {
            Some(("ops" | "runs", _)) => Some(malformed(node.span, text)),
            Some(("op" | "operations", rest)) => Some(malformed(node.span, text).help(did_you_mean("ops", rest))),
            Some(("run", rest)) => Some(malformed(node.span, text).help(did_you_mean("runs", rest))),
            _ if matches!(text, "ops" | "runs") => Some(malformed(node.span, text)),
            _ => never(format!("`{text}` tells no events yet")),
        },
    }
}

fn malformed(span: Span, text: &str) -> Diagnostic {
    let message = format!("`{text}` is not a run that events can come from");
    let finding = Diagnostic::error(codes::EVENT_REF, span, message).label("expected ops.NAME or runs.UUID");
    finding.help("write the name of an operation of the same dag, `ops.NAME`, or the uuid of a run, `runs.UUID`")
}

fn did_you_mean(entity: &str, rest: &str) -> String {
    format!("did you mean `{entity}.{rest}`?")
}

/// Kinds that nothing tells: each is a way to wait in vain.
fn silent_kinds(event: &Node, path: &str) -> Vec<Diagnostic> {
    let silent = |word: &&Node| word.as_str().is_some_and(|text| EventKind::read(text).is_none());
    let finding = |word: &Node| {
        let message = format!("events of the kind `{}` do not happen yet", word.as_str().unwrap_or_default());
        let finding = Diagnostic::warning(codes::EVENT_NEVER, word.span, message).label("starts nothing");
        finding.path(format!("{path}.kinds")).help(ACTING)
    };
    words(event).iter().filter(silent).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn findings(place: Place, reference: &str, kind: &str) -> String {
        let operation = Node::from_json(&json!({"events": [{"ref": reference, "kinds": [kind]}]}));
        let words = |finding: &Diagnostic| {
            let sort = if finding.is_error() { "error" } else { "warning" };
            format!("{sort} {}: {}", finding.path, finding.message)
        };
        check(&operation, place).iter().map(words).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_never_happens_is_told() {
        let uuid = "runs.a1b2c3d4e5f647898abcdef012345678";
        for (place, reference, kind, expected) in [
            (Place::DagNode, "ops.train", "run_status_running", ""),
            (Place::DagNode, "{{ ops.train }}", "run_status_done", ""),
            (Place::Root, uuid, "run_new_artifacts", ""),
            (
                Place::DagNode,
                "ops.train",
                "alert_info",
                "warning events[0].kinds: events of the kind `alert_info` do not happen yet",
            ),
            (
                Place::Root,
                "ops.train",
                "run_status_done",
                "warning events[0].ref: the event waits for the operation `train`, but this operation is not in a dag",
            ),
            (
                Place::Root,
                "{{ connections.repo }}",
                "connection_git_commit",
                "warning events[0].ref: `connections.repo` tells no events yet",
            ),
            (
                Place::DagNode,
                "ops.a.b",
                "run_status_done",
                "error events[0].ref: `ops.a.b` is not a run that events can come from",
            ),
            (
                Place::DagNode,
                "runs.latest",
                "run_status_done",
                "error events[0].ref: `runs.latest` is not a run that events can come from",
            ),
            (
                Place::DagNode,
                "op.train",
                "run_status_done",
                "error events[0].ref: `op.train` is not a run that events can come from",
            ),
        ] {
            assert_eq!(findings(place, reference, kind), expected, "{reference} {kind}");
        }
    }

    #[test]
    fn only_what_happens_is_read() {
        let events = json!([{"ref": "{{ops.a}}", "kinds": ["run_status_running", "alert_info", "{{ kind }}"]}]);
        let read = read(&Node::from_json(&json!({ "events": events })));
        let source = Source::Run(Entity::Operation("a".to_string()));
        let kinds = vec![EventKind::Status(polyaxon_model::status::Status::Running)];
        assert_eq!(read, [Awaited { source, kinds }]);
    }
}
