//! The variables of a container in their normative order (execution §6), for processes of this machine.
//!
//! Does not know the process environment of the program: everything arrives in [`Host`].

use polyaxon_spec::node::{Node, Value};
use serde_json::Value as Json;

use super::process::Host;
use crate::connection::{Connection, catalog_json};
use crate::text;

pub(super) type Variables = Vec<(String, String)>;

/// Which program asks the server: the value of `POLYAXON_HEADER_SERVICE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Runner,
    Initializer,
}

/// A flag of `plugins` or its default.
pub(super) fn plugin(resolved: &Node, name: &str, default: bool) -> bool {
    resolved.at(&["plugins", name]).and_then(Node::as_bool).unwrap_or(default)
}

/// The variables of the main container: user, service block, connections, `toEnv`, secrets.
pub(super) fn main(resolved: &Node, host: &Host, notices: &mut Vec<String>) -> Variables {
    let mut all = user(resolved.at(&["run", "container"]), host, notices);
    all.extend(service(resolved, host, Service::Runner));
    let collect = plugin(resolved, "collectArtifacts", true);
    if collect {
        all.push(pair("POLYAXON_COLLECT_ARTIFACTS", "true"));
    }
    if plugin(resolved, "collectResources", true) {
        all.push(pair("POLYAXON_COLLECT_RESOURCES", "true"));
    }
    let connections = requested(resolved, host, collect);
    if let Some(store) = &host.store {
        all.push(pair("POLYAXON_ARTIFACTS_STORE_NAME", &store.name));
    }
    all.extend(catalog(&connections));
    for connection in &connections {
        all.extend(own_env(connection));
    }
    all.extend(to_env(resolved));
    for connection in &connections {
        all.extend(resources(connection, host, notices));
    }
    last_wins(all)
}

/// The block that every program which talks to the server begins with.
pub(super) fn service(resolved: &Node, host: &Host, service: Service) -> Variables {
    let owner = host.owner.split('/').next().unwrap_or_default();
    let namespace = resolved.get("namespace").and_then(Node::as_str).unwrap_or(&host.namespace);
    let mut all = vec![
        pair("POLYAXON_K8S_NODE_NAME", "process-agent"),
        pair("POLYAXON_K8S_NAMESPACE", namespace),
        pair("POLYAXON_K8S_POD_ID", &format!("plx-operation-{}", host.uuid)),
        pair("POLYAXON_HOST", host.api_host.trim_end_matches('/')),
        pair("POLYAXON_IS_MANAGED", "true"),
        pair("POLYAXON_API_VERSION", "v1"),
        pair("POLYAXON_RUN_INSTANCE", &format!("{owner}.{}.runs.{}", host.project, host.uuid)),
    ];
    if let Some(level) = resolved.at(&["plugins", "logLevel"]).and_then(Node::as_str) {
        all.push(pair("POLYAXON_LOG_LEVEL", level));
    }
    all.push(pair("POLYAXON_HEADER", "X-POLYAXON-SERVICE"));
    match service {
        Service::Runner => all.push(pair("POLYAXON_HEADER_SERVICE", "runner")),
        Service::Initializer => {
            all.push(pair("POLYAXON_HEADER_SERVICE", "initializer"));
            all.push(pair("POLYAXON_AUTHENTICATION_TYPE", "Token"));
        }
    }
    all
}

/// `env` of a container. References to secrets are read from [`Host::secrets`]; other references are skipped.
pub(super) fn user(container: Option<&Node>, host: &Host, notices: &mut Vec<String>) -> Variables {
    let entries = container.and_then(|container| container.get("env"));
    let mut all = Vec::new();
    match entries.map(|node| &node.value) {
        Some(Value::List(items)) => {
            for item in items {
                let Some(name) = item.get("name").map(text::general) else { continue };
                match item.get("valueFrom").or_else(|| item.get("value_from")).filter(|source| !source.is_null()) {
                    None => all.push((name, item.get("value").map_or_else(String::new, text::general))),
                    Some(source) => match referenced(source, host) {
                        Some(value) => all.push((name, value)),
                        None => notices.push(format!(
                            "variable `{name}` is not set: its `valueFrom` has no meaning on this machine"
                        )),
                    },
                }
            }
        }
        Some(Value::Map(map)) => {
            all.extend(map.iter().map(|(key, value)| (key.text.clone(), text::general(value))));
        }
        _ => {}
    }
    all
}

/// The catalogue variable, when there is something to list.
pub(super) fn catalog(connections: &[&Connection]) -> Option<(String, String)> {
    (!connections.is_empty()).then(|| ("POLYAXON_CONNECTIONS_CATALOG".to_owned(), catalog_json(connections)))
}

/// The `env` of a connection: a mapping, a list of pairs, or a list of `{name, value}`.
pub(super) fn own_env(connection: &Connection) -> Variables {
    match &connection.env {
        Some(Json::Object(map)) => map.iter().map(|(name, value)| (name.clone(), json_text(value))).collect(),
        Some(Json::Array(items)) => items
            .iter()
            .filter_map(|item| match item {
                Json::Array(pair) => Some((json_text(pair.first()?), json_text(pair.get(1)?))),
                Json::Object(entry) => Some((json_text(entry.get("name")?), json_text(entry.get("value")?))),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The variables inside a connection's secret and config map (execution D5).
pub(super) fn resources(connection: &Connection, host: &Host, notices: &mut Vec<String>) -> Variables {
    let mut all = Vec::new();
    for resource in [&connection.secret, &connection.config_map].into_iter().flatten() {
        let mounted = resource.get("mountPath").is_some_and(|path| !path.is_null());
        let items = resource.get("items").and_then(Json::as_array);
        let name = resource.get("name").and_then(Json::as_str).unwrap_or_default();
        if mounted && items.is_none() {
            continue;
        }
        let Some(values) = secret(host, name) else {
            notices.push(format!(
                "connection `{}`: `{name}` is not available: set the environment variable `{name}` of the server to a \
                 JSON object",
                connection.name
            ));
            continue;
        };
        let wanted = |key: &str| items.is_none_or(|items| items.iter().any(|item| item.as_str() == Some(key)));
        all.extend(values.into_iter().filter(|(key, _)| wanted(key)).map(|(key, value)| (key, json_text(&value))));
    }
    all
}

/// Keeps the last value of each name, at its last place (execution E1).
pub(super) fn last_wins(all: Variables) -> Variables {
    let mut seen = std::collections::HashSet::new();
    let mut kept: Variables = all.into_iter().rev().filter(|(name, _)| seen.insert(name.clone())).collect();
    kept.reverse();
    kept
}

pub(super) fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The connections that the main container may use (execution M1).
fn requested<'a>(resolved: &Node, host: &'a Host, collect: bool) -> Vec<&'a Connection> {
    let names = resolved.at(&["run", "connections"]).and_then(Node::as_list).unwrap_or_default();
    let mut all: Vec<&Connection> = names
        .iter()
        .filter_map(|name| host.connections.iter().chain(&host.store).find(|entry| Some(&*entry.name) == name.as_str()))
        .collect();
    if let Some(store) = &host.store {
        let wanted = !collect || plugin(resolved, "mountArtifactsStore", false);
        if wanted && !all.iter().any(|entry| entry.name == store.name) {
            all.push(store);
        }
    }
    all
}

/// Inputs, outputs and contexts that ask for a variable (execution E6).
fn to_env(resolved: &Node) -> Variables {
    ["inputs", "outputs", "contexts"]
        .iter()
        .filter_map(|section| resolved.get(section)?.as_list())
        .flatten()
        .filter_map(|io| {
            let name = io.get("toEnv")?.as_str()?;
            Some((name.to_owned(), io.get("value").map_or_else(|| "null".to_owned(), text::general)))
        })
        .collect()
}

fn referenced(source: &Node, host: &Host) -> Option<String> {
    let reference = ["secretKeyRef", "secret_key_ref", "configMapKeyRef", "config_map_key_ref"]
        .iter()
        .find_map(|kind| source.get(kind))?;
    let values = secret(host, reference.get("name")?.as_str()?)?;
    values.get(reference.get("key")?.as_str()?).map(json_text)
}

fn secret(host: &Host, name: &str) -> Option<serde_json::Map<String, Json>> {
    let (_, value) = host.secrets.iter().find(|(key, _)| key == name)?;
    match serde_json::from_str(value) {
        Ok(Json::Object(map)) => Some(map),
        _ => None,
    }
}

fn json_text(value: &Json) -> String {
    text::general(&Node::from_json(value))
}
