//! Nodes as values of the template engine, and mappings whose keys come out of templates or literals.

use std::collections::HashMap;

use minijinja::value::Value as Engine;
use polyaxon_spec::node::{Key, Map, Node, Value};

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

/// A mapping of entries whose keys may be equal: the last value counts, at the first place.
pub(super) fn distinct(entries: Vec<(Key, Node)>) -> Map {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(entries.len());
    let mut kept: Vec<(Key, Node)> = Vec::with_capacity(entries.len());
    for (key, node) in entries {
        match places.get(&key.text) {
            Some(place) => kept[*place].1 = node,
            None => {
                places.insert(key.text.clone(), kept.len());
                kept.push((key, node));
            }
        }
    }
    Map::from_entries(kept)
}
