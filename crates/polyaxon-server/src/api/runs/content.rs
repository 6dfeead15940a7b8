//! The operation that a client submits: read, composed, and checked for what this server can run.
//!
//! Pure: no store, no files. What is wrong with an operation is answered as a list of sentences.

use polyaxon_compile::support;
use polyaxon_model::error::ErrorBody;
use polyaxon_model::kinds::{RunKind, Runtime};
use polyaxon_spec::check;
use polyaxon_spec::clone::{self, OverrideStrategy};
use polyaxon_spec::compose::{self, Compiled};
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::node::Node;
use polyaxon_spec::wire;
use serde_json::Value as Json;

use crate::errors::{Error, Result};

/// What is stored of an operation, and what the record of its run takes from it.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// The authored operation as JSON text.
    pub raw: String,
    /// The composed operation as JSON text; the runtime resolves it.
    pub compiled: String,
    pub kind: RunKind,
    pub runtime: Runtime,
    pub name: Option<String>,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    pub requires_approval: bool,
}

/// Reads the JSON or YAML text of an operation or a component.
pub(crate) fn read(text: &str) -> Result<Content> {
    let operation = wire::read_operation(text).map_err(|problems| refuse(&problems))?;
    if check::is_template(&operation) {
        return Err(Error::rule("The operation is a template; fill it in and set `template.enabled: false` first."));
    }
    let compiled = compose::compose(&operation).map_err(|problems| refuse(&problems))?;
    describe(&operation, &compiled)
}

/// Lays an override over the authored operation of an earlier run.
pub(crate) fn read_override(
    source: &str,
    override_patch: Option<&Json>,
    strategy: OverrideStrategy,
) -> Result<Content> {
    let not_cloned = |problems: Vec<Diagnostic>| match refuse(&problems) {
        Error::Refused(ErrorBody::List(messages)) => Error::Refused(ErrorBody::List(
            messages.into_iter().map(|message| format!("Cloning was not successful, error: {message}")).collect(),
        )),
        other => other,
    };
    let source = wire::read_operation(source).map_err(not_cloned)?;
    let patch = match override_patch {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) if text.trim().is_empty() => None,
        Some(Json::String(text)) => Some(wire::read_preset(text).map_err(not_cloned)?),
        Some(object) => Some(wire::read_preset(&object.to_string()).map_err(not_cloned)?),
    };
    let (document, compiled) = clone::compile(&source, patch.as_ref(), strategy).map_err(not_cloned)?;
    describe(&document, &compiled)
}

fn describe(operation: &Node, compiled: &Compiled) -> Result<Content> {
    let family = compose::run_kind(&compiled.operation);
    // Refused rather than ignored: nobody would notice that a part of an operation was left out.
    if let Some(problem) = support::unsupported(&compiled.operation) {
        return Err(refuse(&[problem]));
    }
    let raw = wire::to_source(operation).map_err(|problems| refuse(&problems))?;
    let text = |field| compiled.operation.get(field).and_then(Node::as_str).map(str::to_owned);
    let tags = compiled.operation.get("tags").and_then(Node::as_list);
    let word = |error: polyaxon_model::wire_enum::UnknownWord| Error::rule(format!("run.kind: {error}"));
    Ok(Content {
        raw: raw.to_string(),
        compiled: compiled.operation.to_json().to_string(),
        kind: family.kind.parse().map_err(word)?,
        runtime: family.runtime.parse().map_err(word)?,
        name: text("name").filter(|name| polyaxon_model::names::check_run_name(name).is_ok()),
        description: text("description"),
        tags: tags.map(|tags| tags.iter().filter_map(Node::as_str).map(str::to_owned).collect()),
        requires_approval: compiled.operation.get("isApproved").and_then(Node::as_bool) == Some(false),
    })
}

/// The findings as sentences; warnings are no reason to refuse.
pub(crate) fn refuse(problems: &[Diagnostic]) -> Error {
    let sentences = problems.iter().filter(|problem| problem.is_error()).map(sentence).collect();
    Error::Refused(ErrorBody::List(sentences))
}

fn sentence(problem: &Diagnostic) -> String {
    let mut text = String::new();
    // Messages that name their field do not need the place as well.
    if !problem.path.is_empty() && !problem.message.contains(&format!("`{}", problem.path)) {
        text = format!("{}: ", problem.path);
    }
    text += &problem.message;
    if let Some(help) = &problem.help {
        text += &format!("; {help}");
    }
    text.push('.');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COMPONENT: &str = r#"{"version": 1.1, "kind": "component", "name": "echo", "tags": ["a"],
        "run": {"kind": "job", "container": {"image": "busybox", "command": ["true"]}}}"#;

    #[track_caller]
    fn refused(content: Result<Content>) -> Vec<String> {
        match content.unwrap_err() {
            Error::Refused(ErrorBody::List(messages)) => messages,
            other => panic!("not a list: {other:?}"),
        }
    }

    #[test]
    fn components_are_wrapped_and_described() {
        let content = read(COMPONENT).unwrap();
        assert_eq!((content.kind, content.runtime), (RunKind::Job, Runtime::Job));
        assert_eq!((content.name.as_deref(), content.tags), (Some("echo"), Some(vec!["a".to_owned()])));
        let raw: Json = serde_json::from_str(&content.raw).unwrap();
        assert_eq!((&raw["kind"], &raw["component"]["name"]), (&json!("operation"), &json!("echo")));
        let compiled: Json = serde_json::from_str(&content.compiled).unwrap();
        assert_eq!(compiled["kind"], "compiled_operation");
    }

    #[test]
    fn what_cannot_be_carried_out_is_refused_by_name() {
        let component: Json = serde_json::from_str(COMPONENT).unwrap();
        let operation = json!({"version": 1.1, "kind": "operation", "component": component,
            "matrix": {"kind": "grid", "params": {"lr": {"kind": "choice", "value": [1, 2]}}}});
        let messages = refused(read(&operation.to_string()));
        assert!(messages[0].starts_with("`matrix`: searches cannot be executed by this version yet"), "{messages:?}");
    }

    #[test]
    fn texts_that_are_no_operation_are_refused() {
        for text in ["nope", "{}", "- a\n- b", r#"{"kind": "operation", "run": {"kind": "nope"}}"#] {
            assert!(!refused(read(text)).is_empty(), "{text}");
        }
    }
}
