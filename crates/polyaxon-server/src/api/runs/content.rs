//! The operation that a client submits: read, composed, and checked for what this server can run.
//!
//! No files; of the store only the registered components that `hubRef` names. What is wrong with an operation is answered as a list of sentences.

use polyaxon_compile::support;
use polyaxon_model::JsonMap;
use polyaxon_model::error::ErrorBody;
use polyaxon_model::ids::StateId;
use polyaxon_model::kinds::{RunKind, Runtime};
use polyaxon_spec::check;
use polyaxon_spec::clone::{self, OverrideStrategy};
use polyaxon_spec::compose::{self, Compiled, Place};
use polyaxon_spec::dag;
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::events;
use polyaxon_spec::node::{Map, Node};
use polyaxon_spec::wire;
use polyaxon_store::pipelines::schedule;
use polyaxon_store::{Store, hub};
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
    /// The params that have a value of their own, until compilation tells the inputs.
    pub params: JsonMap,
    /// Of runs whose component was registered.
    pub component_state: Option<StateId>,
}

impl Content {
    /// The composed operation.
    pub(crate) fn operation(&self) -> Node {
        let json = serde_json::from_str(&self.compiled).unwrap_or_default();
        wire::read_compiled(&json)
    }
}

/// Where the components that an operation refers to are found.
#[derive(Clone, Copy)]
pub(crate) struct Registry<'a> {
    pub store: &'a Store,
    /// The project of the run.
    pub project: &'a str,
}

/// Reads the JSON or YAML text of an operation or a component.
pub(crate) fn read(text: &str, registry: Registry) -> Result<Content> {
    let mut operation = wire::read_operation(text).map_err(|problems| refuse(&problems))?;
    if check::is_template(&operation) {
        return Err(Error::rule("The operation is a template; fill it in and set `template.enabled: false` first."));
    }
    collect(&mut operation, registry)?;
    let compiled = compose::compose(&operation).map_err(|problems| refuse(&problems))?;
    let content = describe(&operation, &compiled, registry)?;
    check_builds(&compiled.operation, registry)?;
    Ok(content)
}

/// Fills in the components of references. Most operations have none, and need no look into the store.
fn collect(operation: &mut Node, registry: Registry) -> Result<()> {
    if !refers(operation) {
        return Ok(());
    }
    let collected = registry.store.read_blocking(|tx| Ok(hub::collect(tx, operation, registry.project)))?;
    collected.map_err(|problems| refuse(&problems))
}

/// Whether an operation, or one of a dag, may lack a component.
fn refers(operation: &Node) -> bool {
    let has = |field: &str| operation.get(field).is_some_and(|value| !value.is_null());
    if let Some(component) = operation.get("component").filter(|component| !component.is_null()) {
        return refers(component);
    }
    let nodes = ["components", "operations"].into_iter().filter_map(|field| operation.at(&["run", field])?.as_list());
    has("hubRef") || has("urlRef") || has("pathRef") || nodes.flatten().any(refers)
}

/// Lays an override over the authored operation of an earlier run.
pub(crate) fn read_override(
    source: &str,
    override_patch: Option<&Json>,
    strategy: OverrideStrategy,
    registry: Registry,
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
        // Only JSON: what a client means by other text is not for this server to guess.
        Some(Json::String(text)) if serde_json::from_str::<Json>(text).is_err() => {
            return Err(Error::rule(
                "Cloning was not successful, error: `content` is not the JSON text of an operation.",
            ));
        }
        Some(Json::String(text)) => Some(wire::read_preset(text).map_err(not_cloned)?),
        Some(object) => Some(wire::read_preset(&object.to_string()).map_err(not_cloned)?),
    };
    let (document, compiled) = clone::compile(&source, patch.as_ref(), strategy).map_err(not_cloned)?;
    describe(&document, &compiled, registry)
}

fn describe(operation: &Node, compiled: &Compiled, registry: Registry) -> Result<Content> {
    let family = compose::run_kind(&compiled.operation);
    // Refused rather than ignored: nobody would notice that a part of an operation was left out.
    if let Some(problem) = support::unsupported(&compiled.operation) {
        return Err(refuse(&[problem]));
    }
    let mut problems = events::check(&compiled.operation, Place::Root);
    problems.extend(clone::refused_build(&compiled.operation));
    if problems.iter().any(Diagnostic::is_error) {
        return Err(refuse(&problems));
    }
    check_pipeline(&compiled.operation)?;
    let raw = wire::to_source(operation).map_err(|problems| refuse(&problems))?;
    let text = |field| compiled.operation.get(field).and_then(Node::as_str).map(str::to_owned);
    let tags = compiled.operation.get("tags").and_then(Node::as_list);
    let word = |error: polyaxon_model::wire_enum::UnknownWord| Error::rule(format!("run.kind: {error}"));
    let component_state = match operation.get("hubRef").and_then(Node::as_str) {
        Some(_) => registry.store.read_blocking(|tx| hub::state_of_document(tx, operation, registry.project))?,
        None => None,
    };
    Ok(Content {
        raw: raw.to_string(),
        compiled: compiled.operation.to_json().to_string(),
        kind: family.kind.parse().map_err(word)?,
        runtime: family.runtime.parse().map_err(word)?,
        name: text("name").filter(|name| polyaxon_model::names::check_run_name(name).is_ok()),
        description: text("description"),
        tags: tags.map(|tags| tags.iter().filter_map(Node::as_str).map(str::to_owned).collect()),
        requires_approval: compiled.operation.get("isApproved").and_then(Node::as_bool) == Some(false),
        params: plain_params(&compiled.params),
        component_state,
    })
}

fn plain_params(params: &Map) -> JsonMap {
    let Json::Object(params) = Node::map(params.clone()).to_json() else { return JsonMap::new() };
    let has_source = |param: &Json| param.get("ref").is_some_and(|source| !source.is_null());
    let plain = params.into_iter().filter(|(_, param)| !has_source(param));
    plain.map(|(name, mut param)| (name, param.get_mut("value").map_or(Json::Null, Json::take))).collect()
}

/// A build of a component that is not there would fail at once. Clones need none when they have their image.
fn check_builds(operation: &Node, registry: Registry) -> Result<()> {
    let nodes = operation.at(&["run", "operations"]).and_then(Node::as_list).unwrap_or_default();
    for built in std::iter::once(operation).chain(nodes) {
        let Some(name) = built.at(&["build", "hubRef"]).filter(|name| !name.is_null()) else { continue };
        let mut reference = Map::new();
        reference.insert("hubRef", name.clone());
        collect(&mut Node::map(reference), registry)?;
    }
    Ok(())
}

/// What would make a pipeline fail before its first child.
fn check_pipeline(operation: &Node) -> Result<()> {
    if operation.at(&["run", "kind"]).and_then(Node::as_str) == Some("dag") {
        let graph = dag::graph(operation).map_err(|problems| refuse(&problems))?;
        let mut problems = dag::validate(operation, &graph);
        problems.extend(graph.nodes.iter().filter_map(|node| support::unsupported(&node.compiled.operation)));
        problems.extend(graph.nodes.iter().filter_map(|node| clone::refused_build(&node.compiled.operation)));
        if problems.iter().any(Diagnostic::is_error) {
            return Err(refuse(&problems));
        }
    }
    let Some(section) = operation.get("schedule").filter(|section| !section.is_null()) else { return Ok(()) };
    let section = section.to_json();
    // Templates are filled in when the run is compiled.
    if section.to_string().contains("{{") {
        return Ok(());
    }
    schedule::read(&section).map(drop).map_err(|problem| Error::Refused(ErrorBody::List(vec![format!("{problem}.")])))
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

    fn read(text: &str) -> Result<Content> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("polyaxon.db")).unwrap();
        super::read(text, Registry { store: &store, project: "p" })
    }

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
        let mut component: Json = serde_json::from_str(COMPONENT).unwrap();
        component["run"] = json!({"kind": "mpijob", "worker": {"container": {"image": "a"}}});
        let messages = refused(read(&component.to_string()));
        assert!(messages[0].starts_with("`run.kind: mpijob` cannot be executed by this version yet"), "{messages:?}");

        let mut component: Json = serde_json::from_str(COMPONENT).unwrap();
        let operation = |component: &Json, name: &str| {
            json!({"version": 1.1, "kind": "operation", "component": component, "build": {"hubRef": name}}).to_string()
        };
        let messages = refused(read(&operation(&component, "nobody:v1")));
        assert!(messages[0].starts_with("cannot read `hubRef: nobody:v1`"), "{messages:?}");
        component["run"] = json!({"kind": "dag", "operations": [{"name": "a", "component": component}]});
        let messages = refused(read(&operation(&component, "kaniko")));
        assert!(messages[0].starts_with("a dag cannot have a `build` section"), "{messages:?}");
    }

    #[test]
    fn texts_that_are_no_operation_are_refused() {
        for text in ["nope", "{}", "- a\n- b", r#"{"kind": "operation", "run": {"kind": "nope"}}"#] {
            assert!(!refused(read(text)).is_empty(), "{text}");
        }
    }
}
