//! What the connections of this server are told to use: settings, and secrets out of files and the environment.
//!
//! Invariant: texts for people name variables and files, never what is in them.

use std::path::Path;

use polyaxon_client::notify::Backend;
use polyaxon_compile::connection::Connection;
use serde_json::{Map, Value as Json};

/// The environment of the server.
pub(crate) type Variable = fn(&str) -> Option<String>;

/// The secrets and config maps that connections name, by name, as variables of the server hold them.
pub(crate) fn secrets(connections: &[Connection], variable: Variable) -> Vec<(String, String)> {
    let names = connections.iter().flat_map(resources).filter_map(|resource| resource.get("name")?.as_str());
    names.filter_map(|name| Some((name.to_owned(), variable(name)?))).collect()
}

/// The settings of a connection that takes messages: its schema, else the value of the key that is called like its kind
/// in its secret, its config map, its own environment or that of the server.
pub(crate) fn settings(connection: &Connection, backend: Backend, variable: Variable) -> Result<Json, String> {
    let key = backend.kind();
    let needed = if backend == Backend::Email { "smtp_host" } else { "url" };
    if let Some(schema) = connection.schema.as_ref().and_then(Json::as_object) {
        let schema = filled(schema, variable)?;
        if schema.contains_key(needed) {
            return Ok(Json::Object(schema));
        }
        if let Some(value) = schema.get(key) {
            return Ok(value.clone());
        }
    }
    for resource in resources(connection) {
        if let Some(value) = of_resource(resource, key, needed, variable)? {
            return Ok(value);
        }
    }
    let own = || connection.env.as_ref()?.get(key).cloned();
    own()
        .or_else(|| variable(key).map(Json::String))
        .ok_or_else(|| format!("it has no `{needed}` in its schema, and there is no secret with the key `{key}`"))
}

fn resources(connection: &Connection) -> impl Iterator<Item = &Json> {
    [&connection.secret, &connection.config_map].into_iter().flatten()
}

/// A secret is a folder of files, or a variable with a JSON object; or with the value itself.
fn of_resource(resource: &Json, key: &str, needed: &str, variable: Variable) -> Result<Option<Json>, String> {
    let text = |field: &str| resource.get(field).and_then(Json::as_str).filter(|text| !text.is_empty());
    if let Some(folder) = text("hostPath").or_else(|| text("mountPath")) {
        return read(&Path::new(folder).join(key)).map(|text| Some(Json::String(text)));
    }
    let Some(value) = text("name").and_then(variable) else { return Ok(None) };
    Ok(match serde_json::from_str(&value) {
        Ok(Json::Object(fields)) if fields.contains_key(needed) => Some(Json::Object(fields)),
        Ok(Json::Object(mut fields)) => fields.remove(key),
        _ => Some(Json::String(value)),
    })
}

/// A schema with the values that `{env: NAME}` and `{file: PATH}` stand for.
fn filled(schema: &Map<String, Json>, variable: Variable) -> Result<Map<String, Json>, String> {
    schema.iter().map(|(name, value)| Ok((name.clone(), value_of(value, variable)?))).collect()
}

fn value_of(value: &Json, variable: Variable) -> Result<Json, String> {
    let Some(fields) = value.as_object().filter(|fields| fields.len() == 1) else { return Ok(value.clone()) };
    let text = |field: &str| fields.get(field).and_then(Json::as_str);
    match (text("env"), text("file")) {
        (Some(name), _) => variable(name)
            .map(Json::String)
            .ok_or_else(|| format!("the variable `{name}` is not set in the environment of the server")),
        (_, Some(path)) => read(Path::new(path)).map(Json::String),
        _ => Ok(value.clone()),
    }
}

fn read(path: &Path) -> Result<String, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "HOOK" => Some("https://a.example".to_owned()),
            "CHAT" => Some(r#"{"slack": "[{\"url\": \"https://b.example\"}]", "other": 1}"#.to_owned()),
            "WHOLE" => Some(r#"{"url": "https://c.example"}"#.to_owned()),
            "discord" => Some("https://d.example".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn settings_come_from_the_schema_or_from_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("slack"), "https://e.example\n").unwrap();
        let path = folder.path().to_str().unwrap();
        let missing = "it has no `url` in its schema, and there is no secret with the key `slack`";
        let cases = [
            (json!({ "schema": { "url": "https://x" } }), Ok(json!({ "url": "https://x" }))),
            (
                json!({ "schema": { "url": { "env": "HOOK" }, "channel": "#a" } }),
                Ok(json!({ "url": "https://a.example", "channel": "#a" })),
            ),
            (
                json!({ "schema": { "url": { "file": format!("{path}/slack") } } }),
                Ok(json!({ "url": "https://e.example" })),
            ),
            (
                json!({ "schema": { "url": { "env": "GONE" } } }),
                Err("the variable `GONE` is not set in the environment of the server"),
            ),
            (json!({ "secret": { "name": "CHAT" } }), Ok(json!(r#"[{"url": "https://b.example"}]"#))),
            (json!({ "secret": { "name": "WHOLE" } }), Ok(json!({ "url": "https://c.example" }))),
            (json!({ "secret": { "name": "HOOK" } }), Ok(json!("https://a.example"))),
            (json!({ "configMap": { "name": "none", "mountPath": path } }), Ok(json!("https://e.example"))),
            (json!({ "env": { "slack": "https://f.example" } }), Ok(json!("https://f.example"))),
            (json!({}), Err(missing)),
            (json!({ "secret": { "name": "NONE" } }), Err(missing)),
        ];
        for (mut connection, expected) in cases {
            connection["name"] = json!("chat");
            connection["kind"] = json!("slack");
            let read: Connection = serde_json::from_value(connection.clone()).unwrap();
            assert_eq!(settings(&read, Backend::Slack, environment), expected.map_err(str::to_owned), "{connection}");
        }
    }

    #[test]
    fn the_environment_of_the_server_is_asked_last() {
        let connection = Connection { name: "c".into(), kind: "discord".into(), ..Connection::default() };
        assert_eq!(settings(&connection, Backend::Discord, environment), Ok(json!("https://d.example")));
    }
}
