//! `build`: the operation that makes the image of another one, and the name of that image.
//!
//! Must not know where components come from; the `hubRef` stays one.

use polyaxon_model::builds::DESTINATION;
use polyaxon_spec::node::{Map, Node, Value};
use polyaxon_spec::span::Span;

use crate::context::{self, Agent, RunContext, is_truthy};

/// The operation of the build of a composed operation; none when nothing is built. `inputs` are the values of the run
/// that are known before it is compiled; templates in the section see them, and are rendered by the build.
pub fn operation(compiled: &Node, params: &Map, run: &RunContext) -> Option<Node> {
    let build = compiled.get("build").filter(|build| is_truthy(build))?;
    let text = |field: &str| build.get(field).and_then(Node::as_str).filter(|text| !text.is_empty());
    let connection = text("connection");
    let mut all = Map::new();
    for (name, value) in known_inputs(compiled, params) {
        all.insert(name, context_only(value));
    }
    if let Some(connection) = connection {
        all.insert("connection", context_only(Node::string(connection)));
    }
    for (key, param) in build.get("params").and_then(Node::as_map).into_iter().flat_map(Map::iter) {
        all.insert(&key.text, param.clone());
    }
    let destination = destination(all.get(DESTINATION), connection, run);
    let registry = destination.get("connection").and_then(Node::as_str).map(str::to_owned);
    all.insert(DESTINATION, destination);

    let mut document = Map::new();
    document.insert("version", Node::new(Value::Float(1.1), Span::NONE));
    document.insert("kind", Node::string("operation"));
    for field in ["hubRef", "presets", "queue", "namespace", "patchStrategy"] {
        if let Some(value) = build.get(field).filter(|value| is_truthy(value)) {
            document.insert(field, value.clone());
        }
    }
    if let Some(cache) = build.get("cache").filter(|cache| !cache.is_null()) {
        document.insert("cache", enabled(cache));
    }
    document.insert("params", Node::map(all));
    let patch = patch(build.get("runPatch"), registry.as_deref());
    if !patch.is_empty() {
        document.insert("runPatch", Node::map(patch));
    }
    Some(Node::map(document))
}

/// The image that a build makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its destination, behind the url of the registry that it goes to.
    pub name: String,
    pub connection: Option<String>,
}

/// The image that a resolved build is to make; none when it has no destination.
pub fn image(resolved: &Node, agent: &Agent) -> Option<Image> {
    let destination = context::params(resolved).into_iter().find(|param| param.name == DESTINATION)?;
    let name = destination.value.as_str().filter(|name| !name.is_empty())?;
    let registry = destination.connection.as_deref().and_then(|name| agent.connection(name));
    let url = registry.and_then(|registry| registry.setting("url")).filter(|url| !url.is_empty());
    let name = url.map_or_else(|| name.to_owned(), |url| format!("{url}/{name}"));
    Some(Image { name, connection: destination.connection })
}

/// Literal params and defaults of the inputs of the run.
fn known_inputs(compiled: &Node, params: &Map) -> Vec<(String, Node)> {
    let inputs = compiled.get("inputs").and_then(Node::as_list).unwrap_or_default().iter();
    let defaults = inputs.filter_map(|input| {
        let name = input.get("name").and_then(Node::as_str)?;
        Some((name.to_owned(), input.get("value").filter(|value| !value.is_null())?.clone()))
    });
    let literals = params.iter().filter(|(_, param)| param.get("ref").is_none_or(Node::is_null));
    let literals = literals.filter_map(|(key, param)| Some((key.text.clone(), param.get("value")?.clone())));
    defaults.chain(literals).collect()
}

/// Without another one, an image is called after the project and the run that it is made for.
fn destination(given: Option<&Node>, connection: Option<&str>, run: &RunContext) -> Node {
    let mut param = given.and_then(Node::as_map).cloned().unwrap_or_else(Map::new);
    if param.get("value").is_none_or(|value| !is_truthy(value)) {
        param.insert("value", Node::string(format!("{}:{}", run.project, run.uuid)));
    }
    if let Some(connection) = connection {
        param.insert("connection", Node::string(connection));
    }
    Node::map(param)
}

/// A cache that is asked for is used, although a build belongs to no pipeline.
fn enabled(cache: &Node) -> Node {
    let Some(mut map) = cache.as_map().cloned() else { return cache.clone() };
    if map.get("disable").is_none_or(Node::is_null) {
        map.insert("disable", Node::bool(false));
    }
    Node::map(map)
}

/// The build is given what it needs to push to the registry.
fn patch(given: Option<&Node>, registry: Option<&str>) -> Map {
    let mut patch = given.and_then(Node::as_map).cloned().unwrap_or_else(Map::new);
    if let Some(connection) = registry {
        let mut names = patch.get("connections").and_then(Node::as_list).unwrap_or_default().to_vec();
        if !names.iter().any(|name| name.as_str() == Some(connection)) {
            names.push(Node::string(connection));
        }
        patch.insert("connections", Node::list(names));
    }
    patch
}

fn context_only(value: Node) -> Node {
    let mut param = Map::new();
    param.insert("value", value);
    param.insert("contextOnly", Node::bool(true));
    Node::map(param)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::connection::Connection;

    fn built(build: Json) -> Json {
        let compiled = Node::from_json(&json!({
            "build": build,
            "inputs": [{"name": "lr", "value": 0.1}, {"name": "rows"}],
        }));
        let params = Node::from_json(&json!({"rows": {"value": 5}, "data": {"ref": "runs.a", "value": "outputs.x"}}));
        let run = RunContext { project: "vision".to_owned(), uuid: "01".to_owned(), ..RunContext::default() };
        operation(&compiled, params.as_map().unwrap(), &run).map_or(Json::Null, |document| document.to_json())
    }

    #[test]
    fn a_build_is_an_operation_of_its_own() {
        let context = |value: Json| json!({"value": value, "contextOnly": true});
        assert_eq!(
            built(json!({"hubRef": "kaniko"})),
            json!({
                "version": 1.1, "kind": "operation", "hubRef": "kaniko",
                "params": {"lr": context(json!(0.1)), "rows": context(json!(5)), "destination": {"value": "vision:01"}},
            })
        );
        let full = built(json!({
            "hubRef": "kaniko", "connection": "registry", "queue": "builds", "cache": {"ttl": 60},
            "params": {"destination": {"value": "me/{{ globals.uuid }}"}, "lr": {"value": 1}},
            "runPatch": {"connections": ["git"]}, "patchStrategy": "replace",
        }));
        assert_eq!(full["params"]["destination"], json!({"value": "me/{{ globals.uuid }}", "connection": "registry"}));
        assert_eq!(full["params"]["lr"], json!({"value": 1}));
        assert_eq!(full["params"]["connection"], context(json!("registry")));
        assert_eq!(full["runPatch"], json!({"connections": ["git", "registry"]}));
        assert_eq!((&full["queue"], &full["patchStrategy"]), (&json!("builds"), &json!("replace")));
        assert_eq!(full["cache"], json!({"ttl": 60, "disable": false}));
        let alone = built(json!({"hubRef": "kaniko", "params": {"destination": {"connection": "registry"}}}));
        assert_eq!(alone["params"]["destination"], json!({"value": "vision:01", "connection": "registry"}));
        assert_eq!(alone["runPatch"], json!({"connections": ["registry"]}));
        assert_eq!(built(json!({})), Json::Null);
    }

    #[test]
    fn an_image_is_named_with_its_registry() {
        let registry = |name: &str, schema: Json| Connection {
            name: name.to_owned(),
            kind: "registry".to_owned(),
            schema: Some(schema),
            ..Connection::default()
        };
        let connections = vec![registry("acme", json!({"url": "reg.io/acme"})), registry("bare", json!({}))];
        let agent = Agent { connections, ..Agent::default() };
        let name = |destination: Json| {
            let resolved = Node::from_json(&json!({ "inputs": [destination] }));
            image(&resolved, &agent).map(|image| (image.name, image.connection.unwrap_or_default()))
        };
        let destination = |connection: &str| json!({"name": "destination", "type": "image", "value": "vision:01", "connection": connection});
        for (connection, expected) in
            [("acme", "reg.io/acme/vision:01"), ("bare", "vision:01"), ("gone", "vision:01"), ("", "vision:01")]
        {
            assert_eq!(name(destination(connection)), Some((expected.to_owned(), connection.to_owned())));
        }
        assert_eq!(name(json!({"name": "destination", "value": ""})), None);
        assert_eq!(name(json!({"name": "other", "value": "vision:01"})), None);
    }
}
