//! The spanned tree that every later step works on: parsing, typing, patching, composition, resolution.
//!
//! Equality ignores spans: two nodes are equal when they mean the same value.

use std::fmt;

use serde_json::Value as Json;

use crate::span::Span;

/// A value and where it was written.
#[derive(Clone)]
pub struct Node {
    pub value: Value,
    pub span: Span,
}

/// What a YAML or JSON text can hold after scalar resolution.
///
/// `Date`, `DateTime` and `TimeDelta` hold canonical text or numbers, because only their wire form matters:
/// `YYYY-MM-DD`, ISO 8601 with offset (naive = `+00:00`), and seconds.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(String),
    Date(String),
    DateTime(String),
    TimeDelta(f64),
    Bytes(Vec<u8>),
    List(Vec<Node>),
    Map(Map),
}

/// A key of a mapping. Keys that were not strings in YAML keep their text, with `is_text` false.
#[derive(Clone, Debug)]
pub struct Key {
    pub text: String,
    pub span: Span,
    pub is_text: bool,
}

/// An insertion ordered mapping. Lookups are linear: sections are small, and order must be kept.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Key, Node)>,
}

impl Key {
    pub fn new(text: impl Into<String>) -> Key {
        Key { text: text.into(), span: Span::NONE, is_text: true }
    }
}

impl Node {
    pub fn new(value: Value, span: Span) -> Node {
        Node { value, span }
    }

    /// A node that no text wrote.
    pub fn bare(value: Value) -> Node {
        Node { value, span: Span::NONE }
    }

    pub fn null() -> Node {
        Node::bare(Value::Null)
    }

    pub fn string(text: impl Into<String>) -> Node {
        Node::bare(Value::Str(text.into()))
    }

    pub fn bool(value: bool) -> Node {
        Node::bare(Value::Bool(value))
    }

    pub fn int(value: i128) -> Node {
        Node::bare(Value::Int(value))
    }

    pub fn float(value: f64) -> Node {
        Node::bare(Value::Float(value))
    }

    pub fn list(items: Vec<Node>) -> Node {
        Node::bare(Value::List(items))
    }

    pub fn map(map: Map) -> Node {
        Node::bare(Value::Map(map))
    }

    /// How many values there are in it, itself included.
    pub fn count(&self) -> usize {
        match &self.value {
            Value::List(items) => 1 + items.iter().map(Node::count).sum::<usize>(),
            Value::Map(map) => 1 + map.iter().map(|(_, value)| value.count()).sum::<usize>(),
            _ => 1,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub fn as_int(&self) -> Option<i128> {
        match self.value {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The member `key` of a mapping; `None` for absent keys and for other values.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// The node at a path of mapping keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// What a person calls the kind of this value: `string`, `integer`, `list`, ...
    pub fn kind_name(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) => "integer",
            Value::Float(_) => "number",
            Value::Str(_) => "string",
            Value::Date(_) => "date",
            Value::DateTime(_) => "datetime",
            Value::TimeDelta(_) => "duration",
            Value::Bytes(_) => "binary data",
            Value::List(_) => "list",
            Value::Map(_) => "mapping",
        }
    }

    /// Reads JSON from the wire. Numbers stay what JSON says they are; spans are absent.
    pub fn from_json(json: &Json) -> Node {
        Node::bare(match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Value::Int(value.into()),
                (None, Some(value)) => Value::Int(value.into()),
                (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Value::Str(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(Node::from_json).collect()),
            Json::Object(map) => {
                let entries = map.iter().map(|(key, value)| (Key::new(key), Node::from_json(value)));
                Value::Map(Map::from_entries(entries.collect()))
            }
        })
    }

    /// The wire form (spec §1): NaN and infinities are null, durations are seconds, binary data is refused
    /// earlier (here it becomes its text). Integers beyond 64 bits become numbers; submission refuses them first.
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => value.into(),
                (_, Ok(value)) => value.into(),
                _ => json_number(*value as f64),
            },
            Value::Float(value) | Value::TimeDelta(value) => json_number(*value),
            Value::Str(text) | Value::Date(text) | Value::DateTime(text) => Json::String(text.clone()),
            Value::Bytes(bytes) => Json::String(String::from_utf8_lossy(bytes).into_owned()),
            Value::List(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Map(map) => {
                Json::Object(map.iter().map(|(key, value)| (key.text.clone(), value.to_json())).collect())
            }
        }
    }
}

fn json_number(value: f64) -> Json {
    serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number)
}

impl Map {
    pub fn new() -> Map {
        Map::default()
    }

    /// A mapping of entries whose keys are known to differ. Does not look for equal keys, which would take long.
    pub fn from_entries(entries: Vec<(Key, Node)>) -> Map {
        Map { entries }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(k, _)| k.text == key).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|(k, _)| k.text == key).map(|(_, value)| value)
    }

    pub fn get_key(&self, key: &str) -> Option<&Key> {
        self.entries.iter().find(|(k, _)| k.text == key).map(|(k, _)| k)
    }

    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Sets `key`, keeping its place when it is already there.
    pub fn insert(&mut self, key: impl Into<String>, value: Node) {
        self.insert_key(Key::new(key), value);
    }

    /// As [`Map::insert`], with the key's own span.
    pub fn insert_key(&mut self, key: Key, value: Node) {
        match self.entries.iter_mut().find(|(k, _)| k.text == key.text && k.is_text == key.is_text) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((key, value)),
        }
    }

    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.entries.iter().position(|(k, _)| k.text == key)?;
        Some(self.entries.remove(at).1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Node)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Node)> {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&Key, &Node) -> bool) {
        self.entries.retain(|(key, value)| keep(key, value));
    }
}

impl FromIterator<(Key, Node)> for Map {
    fn from_iter<T: IntoIterator<Item = (Key, Node)>>(pairs: T) -> Map {
        let mut map = Map::new();
        for (key, value) in pairs {
            map.insert_key(key, value);
        }
        map
    }
}

impl IntoIterator for Map {
    type Item = (Key, Node);
    type IntoIter = std::vec::IntoIter<(Key, Node)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.value == other.value
    }
}

/// Python's equality: numbers compare by value, mappings without order.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => *a as f64 == *b,
            (Value::Float(a), Value::Float(b)) | (Value::TimeDelta(a), Value::TimeDelta(b)) => a == b,
            (Value::Str(a), Value::Str(b))
            | (Value::Date(a), Value::Date(b))
            | (Value::DateTime(a), Value::DateTime(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            _ => false,
        }
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Map) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(&key.text) == Some(value))
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_json())
    }
}
