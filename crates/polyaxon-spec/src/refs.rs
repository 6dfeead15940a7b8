//! The grammar of param references: `ref: ops.train` with `value: outputs.loss` (spec §9.2).
//!
//! Knows shapes only; whether a reference points to something is decided in [`crate::params`].

use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Node, Value};
use crate::scalar;
use crate::template;

/// Whose values are referenced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entity {
    /// The dag that holds the operation.
    Dag,
    /// Another operation of the same dag.
    Operation(String),
    /// A run, by uuid (32 hex digits).
    Run(String),
}

/// A well-formed reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub entity: Entity,
    pub value: RefValue,
}

/// What is asked of the entity: `outputs.loss`, `inputs`, `globals.uuid`, `artifacts.base`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefValue {
    parts: Vec<String>,
    /// Written as `{{ … }}`: accepted by the check, bound when the run is resolved.
    pub is_template: bool,
}

impl Reference {
    /// The key of the value in a dag context: `ops.train.outputs.loss`.
    pub fn key(&self) -> String {
        let entity = match &self.entity {
            Entity::Dag => "dag".to_string(),
            Entity::Operation(name) => format!("ops.{name}"),
            Entity::Run(uuid) => format!("runs.{uuid}"),
        };
        format!("{entity}.{}", self.value.text())
    }
}

impl RefValue {
    pub fn parse(text: &str) -> RefValue {
        let inner = template::inner(text);
        let parts = inner.unwrap_or(text).trim().split('.').map(|part| part.trim().to_string()).collect();
        RefValue { parts, is_template: inner.is_some() }
    }

    /// `inputs`, `outputs`, `io`, `globals` or `artifacts`.
    pub fn section(&self) -> &str {
        self.parts.first().map_or("", String::as_str)
    }

    /// The part after the section.
    pub fn name(&self) -> Option<&str> {
        self.parts.get(1).map(String::as_str)
    }

    pub fn text(&self) -> String {
        self.parts.join(".")
    }

    /// What is wrong with the shape, if anything. `of_dag` when the value is asked of the holding dag.
    fn problem(&self, of_dag: bool) -> Option<String> {
        let text = self.text();
        match self.parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["outputs"] if of_dag => Some("a dag cannot ask for its own `outputs`".into()),
            ["inputs" | "outputs" | "io" | "artifacts"] => None,
            ["globals"] => Some("`globals` alone cannot be referenced, name one of them".into()),
            [_] => Some(format!("`{text}` is not something a run has")),
            ["inputs" | "outputs" | "artifacts" | "globals", _] => None,
            [section, _] => Some(format!("`{section}` is not something a run has")),
            ["artifacts", _, _] => None,
            [_, _, _] => Some(format!("`{text}` has three parts, which only `artifacts` can have")),
            _ => Some(format!("`{text}` has too many parts")),
        }
    }
}

/// Reads the reference of a full param; `None` for literal params.
pub fn read(name: &str, param: &Node) -> Result<Option<Reference>, Box<Diagnostic>> {
    let Some(entity) = param.get("ref").filter(|node| !node.is_null()) else { return Ok(None) };
    let parsed = entity.as_str().and_then(parse_entity).ok_or_else(|| Box::new(bad_entity(name, entity)))?;
    let value = read_value(name, param, parsed == Entity::Dag)?;
    Ok(Some(Reference { entity: parsed, value }))
}

/// Reads the value of a reference, or of a param of a join.
pub fn read_value(name: &str, param: &Node, of_dag: bool) -> Result<RefValue, Box<Diagnostic>> {
    let path = format!("params.{name}.value");
    let value = param.get("value").filter(|node| !node.is_null());
    let Some((node, text)) = value.and_then(|node| node.as_str().map(|text| (node, text))) else {
        let span = value.map_or(param.span, |node| node.span);
        let found = value.map_or("nothing", |node| node.kind_name());
        let message = format!("param `{name}` refers to another run, but its value is {found}");
        return Err(Box::new(
            Diagnostic::error(codes::PARAM_REF, span, message)
                .label("expected text such as outputs.loss")
                .path(path)
                .help(VALUE_HELP),
        ));
    };
    let read = RefValue::parse(text);
    match read.problem(of_dag) {
        None => Ok(read),
        Some(problem) => Err(Box::new(
            Diagnostic::error(codes::PARAM_REF, node.span, format!("param `{name}` has a malformed value: {problem}"))
                .label("cannot be referenced")
                .path(path)
                .help(VALUE_HELP),
        )),
    }
}

/// Whether the value of an output stands for one of an operation of the dag that declares it: `{ref: ops.train, value:
/// outputs.loss}`.
pub fn is_output_of_dag(value: &Node) -> bool {
    let Some(map) = value.as_map() else { return false };
    let is_operation = map.get("ref").and_then(Node::as_str).is_some_and(|entity| entity.starts_with("ops."));
    is_operation && map.contains("value") && map.len() == 2
}

const VALUE_HELP: &str =
    "write inputs, outputs, io or artifacts, or one of them: inputs.NAME, outputs.NAME, globals.NAME, artifacts.NAME";

/// Reads `dag`, `ops.NAME` or `runs.UUID`; the manual also writes them in braces.
pub(crate) fn parse_entity(text: &str) -> Option<Entity> {
    match without_braces(text).split('.').collect::<Vec<_>>().as_slice() {
        // `ops.` alone names nothing.
        ["ops", ""] => None,
        ["dag"] => Some(Entity::Dag),
        ["ops", name] => Some(Entity::Operation((*name).to_string())),
        ["runs", uuid] => match scalar::uuid(&Value::Str((*uuid).to_string())) {
            Ok(Value::Str(uuid)) => Some(Entity::Run(uuid)),
            _ => None,
        },
        _ => None,
    }
}

/// The reference in `{{ reference }}`, or the text itself.
pub(crate) fn without_braces(text: &str) -> &str {
    let inner = text.trim().strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
    inner.map_or(text, str::trim)
}

fn bad_entity(name: &str, entity: &Node) -> Diagnostic {
    let text = entity.as_str().map_or_else(|| entity.to_json().to_string(), str::to_string);
    let message = format!("param `{name}` has the malformed ref `{text}`");
    let problem = Diagnostic::error(codes::PARAM_REF, entity.span, message)
        .label("expected dag, ops.NAME or runs.UUID")
        .path(format!("params.{name}.ref"));
    match text.split_once('.') {
        None if text == "ops" => problem.help("`ops` needs the name of an operation: ops.NAME"),
        None if text == "runs" => problem.help("`runs` needs the uuid of a run: runs.UUID"),
        Some(("runs", _)) => problem.help("`runs.` needs the uuid of a run"),
        Some(("op" | "operation" | "operations", rest)) => problem.help(format!("did you mean `ops.{rest}`?")),
        Some(("run", rest)) => problem.help(format!("did you mean `runs.{rest}`?")),
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Map, Node};

    fn param(entity: &str, value: &str) -> Node {
        let mut map = Map::new();
        map.insert("ref", Node::string(entity));
        map.insert("value", Node::string(value));
        Node::map(map)
    }

    #[test]
    fn well_formed_references_have_a_key() {
        for (entity, value, key) in [
            ("ops.train", "outputs.loss", "ops.train.outputs.loss"),
            ("ops.train", "{{ outputs.loss }}", "ops.train.outputs.loss"),
            ("{{ ops.train }}", "outputs.loss", "ops.train.outputs.loss"),
            ("dag", "inputs.lr", "dag.inputs.lr"),
            ("dag", "globals.uuid", "dag.globals.uuid"),
            ("ops.a", "artifacts.base.x", "ops.a.artifacts.base.x"),
            ("ops.a", "io", "ops.a.io"),
            ("runs.A1B2C3D4-E5F6-4789-8ABC-DEF012345678", "outputs", "runs.a1b2c3d4e5f647898abcdef012345678.outputs"),
        ] {
            let read = read("x", &param(entity, value)).expect("well formed").expect("a reference");
            assert_eq!(read.key(), key);
        }
    }

    #[test]
    fn malformed_references_name_the_param() {
        for (entity, value) in [
            ("ops", "outputs.x"),
            ("jobs.a", "outputs.x"),
            ("ops.a.b", "outputs.x"),
            ("runs.latest", "outputs.x"),
            ("", "outputs.x"),
            ("dag", "outputs"),
            ("dag", "globals"),
            ("ops.a", "metrics.x"),
            ("ops.a", "inputs.a.b"),
            ("ops.a", "artifacts.a.b.c"),
        ] {
            let problem = read("lr", &param(entity, value)).expect_err("malformed");
            assert_eq!(problem.code, codes::PARAM_REF, "{entity} {value}");
            assert!(problem.message.contains("`lr`"), "{}", problem.message);
        }
    }
}
