//! Nodes as values of the template engine.

use minijinja::value::Value as Engine;
use polyaxon_spec::node::{Node, Value};

/// The value that templates see for a node.
pub fn from_node(node: &Node) -> Engine {
    match &node.value {
        Value::Null => Engine::from(()),
        Value::Bool(value) => Engine::from(*value),
        Value::Int(value) => i64::try_from(*value).map_or_else(|_| Engine::from(*value), Engine::from),
        Value::Float(value) | Value::TimeDelta(value) => Engine::from(*value),
        Value::Str(text) | Value::Date(text) | Value::DateTime(text) => Engine::from(text.as_str()),
        Value::Bytes(bytes) => Engine::from(String::from_utf8_lossy(bytes).into_owned()),
        Value::List(items) => Engine::from(items.iter().map(from_node).collect::<Vec<_>>()),
        Value::Map(map) => Engine::from_pairs(map.iter().map(|(key, value)| (key.text.as_str(), from_node(value)))),
    }
}
