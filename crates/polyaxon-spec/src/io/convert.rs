//! Values as their io type stores them.

use std::fmt::Write as _;

use super::address;
use super::types::{Bound, IoType, Shape};
use crate::decode;
use crate::diagnostic::Diagnostic;
use crate::node::{Map, Node, Value};
use crate::scalar;

/// What was expected instead, as a noun phrase with article.
type Expected = String;

impl IoType {
    /// The converted value, with the span of the written one.
    pub fn convert(&self, value: &Node) -> Result<Node, Expected> {
        if let (true, Some(text)) = (self.loadable, value.as_str()) {
            let json = serde_json::from_str(text).map_err(|_| self.shape.expectation_of_text())?;
            let parsed = with_span(Node::from_json(&json), value);
            return convert(&self.shape, &parsed);
        }
        convert(&self.shape, value)
    }
}

fn with_span(mut node: Node, written: &Node) -> Node {
    node.span = written.span;
    match &mut node.value {
        Value::List(items) => *items = items.drain(..).map(|item| with_span(item, written)).collect(),
        Value::Map(map) => map.iter_mut().for_each(|(_, item)| *item = with_span(item.clone(), written)),
        _ => {}
    }
    node
}

fn convert(shape: &Shape, node: &Node) -> Result<Node, Expected> {
    let value = value_as(shape, node)?;
    Ok(Node::new(value, node.span))
}

fn value_as(shape: &Shape, node: &Node) -> Result<Value, Expected> {
    let value = &node.value;
    let text = |convert: fn(&str) -> Option<String>| node.as_str().and_then(convert).map(Value::Str);
    let found = match shape {
        Shape::Any => Some(value.clone()),
        Shape::Int(bound) => scalar::lax_int(value).ok().filter(|value| in_range(value, *bound)),
        Shape::Float(bound) => scalar::lax_float(value).ok().filter(|value| in_range(value, *bound)),
        Shape::Bool => scalar::lax_bool(value).ok(),
        Shape::StrictInt => scalar::strict_int(value).ok(),
        Shape::StrictFloat => match value {
            Value::Int(value) => Some(Value::Float(*value as f64)),
            Value::Float(value) => Some(Value::Float(*value)),
            _ => None,
        },
        Shape::StrictBool => node.as_bool().map(Value::Bool),
        Shape::GeneralText => general_text(value),
        Shape::Text => text(|text| Some(text.to_string())),
        Shape::Uri => text(address::uri),
        Shape::Gcs => text(address::gcs),
        Shape::S3 => text(address::s3),
        Shape::Wasb => text(address::wasb),
        Shape::Image => address::image(node).map(Value::Str),
        Shape::Date => scalar::date(value).ok(),
        Shape::TimeDelta => scalar::timedelta(value).ok(),
        Shape::Uuid => scalar::uuid(value).ok(),
        Shape::Email => text(address::email),
        Shape::Json => json(value),
        Shape::Composite(section) => return composite(section, node),
        Shape::List(inner) => return list(inner, node).map(Value::List),
        Shape::Set(inner) => return list(inner, node).map(|items| Value::List(distinct(items))),
        Shape::Mapping { text_keys, values } => return mapping(*text_keys, values, node).map(Value::Map),
        Shape::Null => node.is_null().then_some(Value::Null),
        Shape::FirstOf(shapes) => shapes.iter().find_map(|shape| value_as(shape, node).ok()),
    };
    found.ok_or_else(|| shape.expectation())
}

/// Integers that JSON cannot carry have no text either.
fn general_text(value: &Value) -> Option<Value> {
    match value {
        Value::Int(number) if i64::try_from(*number).is_err() && u64::try_from(*number).is_err() => None,
        _ => scalar::general_text(value).ok(),
    }
}

fn json(value: &Value) -> Option<Value> {
    let Value::Str(text) = value else { return None };
    serde_json::from_str(text).ok().map(|json| Node::from_json(&json).value)
}

fn in_range(value: &Value, bound: Bound) -> bool {
    let value = match value {
        Value::Int(value) => *value as f64,
        Value::Float(value) => *value,
        _ => return false,
    };
    match bound {
        Bound::None => true,
        Bound::Positive => value > 0.0,
        Bound::NonNegative => value >= 0.0,
        Bound::Negative => value < 0.0,
        Bound::NonPositive => value <= 0.0,
        Bound::Finite => value.is_finite(),
    }
}

fn composite(section: &'static crate::section::Section, node: &Node) -> Result<Value, Expected> {
    let expectation = || Shape::Composite(section).expectation();
    if node.as_map().is_none() {
        return Err(expectation());
    }
    let mut read = node.clone();
    let mut problems: Vec<Diagnostic> = Vec::new();
    decode::section(section, &mut read, "", &mut problems);
    match problems.iter().find(|problem| problem.is_error()) {
        Some(problem) => Err(format!("{}: {}", expectation(), problem.message)),
        None => Ok(read.value),
    }
}

fn list(inner: &Shape, node: &Node) -> Result<Vec<Node>, Expected> {
    let items = node.as_list().ok_or_else(|| Shape::List(Box::new(inner.clone())).expectation())?;
    let mut converted = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let item =
            convert(inner, item).map_err(|expected| format!("{expected} at [{index}], found {}", describe(item)))?;
        converted.push(item);
    }
    Ok(converted)
}

fn distinct(items: Vec<Node>) -> Vec<Node> {
    let mut kept: Vec<Node> = Vec::with_capacity(items.len());
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

fn mapping(text_keys: bool, values: &Shape, node: &Node) -> Result<Map, Expected> {
    let map = node.as_map().ok_or_else(|| "a mapping".to_string())?;
    let mut converted = Map::new();
    for (key, value) in map.iter() {
        if text_keys && !key.is_text {
            return Err(format!("text keys, found the key {}", key.text));
        }
        let value = convert(values, value)
            .map_err(|expected| format!("{expected} at `{}`, found {}", key.text, describe(value)))?;
        converted.insert_key(key.clone(), value);
    }
    Ok(converted)
}

impl Shape {
    /// What is expected instead of a text that is no JSON.
    fn expectation_of_text(&self) -> String {
        let expected = self.expectation();
        match self {
            Shape::List(_) | Shape::Set(_) | Shape::Mapping { .. } | Shape::Composite(_) => {
                format!("{expected}, or the same as JSON text")
            }
            _ => expected,
        }
    }

    /// What a value of this shape is, as a noun phrase.
    pub(super) fn expectation(&self) -> String {
        match self {
            Shape::Any => "any value".into(),
            Shape::Int(bound) => format!("{} integer", bound.article("an")),
            Shape::Float(bound) => format!("{} number", bound.article("a")),
            Shape::Bool => "a boolean (true, false, yes, no, on, off, 1, 0)".into(),
            Shape::StrictInt => "an integer".into(),
            Shape::StrictFloat => "a number".into(),
            Shape::StrictBool => "true or false".into(),
            Shape::GeneralText => "text".into(),
            Shape::Text => "a string".into(),
            Shape::Uri => "an absolute URL, for example https://example.org/path".into(),
            Shape::Gcs => "a bucket path such as gs://bucket/key".into(),
            Shape::S3 => "a bucket path such as s3://bucket/key".into(),
            Shape::Wasb => "a blob path such as wasbs://container@account.blob.core.windows.net/path".into(),
            Shape::Image => "a container image such as python:3.12".into(),
            Shape::Date => "a date such as 2024-01-31 (times other than midnight are not accepted)".into(),
            Shape::TimeDelta => "a duration such as 90 (seconds), 1:30:00, 2 days or PT1H30M".into(),
            Shape::Uuid => "a uuid".into(),
            Shape::Email => "an email address".into(),
            Shape::Json => "a text that holds JSON".into(),
            Shape::Composite(section) => {
                let article = if section.name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
                format!("{article} {} mapping", section.name)
            }
            Shape::List(inner) | Shape::Set(inner) => match **inner {
                Shape::Any => "a list".into(),
                _ => format!("a list, each item {}", inner.expectation()),
            },
            Shape::Mapping { values, .. } => match **values {
                Shape::Any => "a mapping".into(),
                _ => format!("a mapping, each value {}", values.expectation()),
            },
            Shape::Null => "null".into(),
            Shape::FirstOf(shapes) => shapes.iter().map(Shape::expectation).collect::<Vec<_>>().join(" or "),
        }
    }
}

impl Bound {
    fn article(self, plain: &str) -> &str {
        match self {
            Bound::None => plain,
            Bound::Positive => "a positive",
            Bound::NonNegative => "a non-negative",
            Bound::Negative => "a negative",
            Bound::NonPositive => "a non-positive",
            Bound::Finite => "a finite",
        }
    }
}

/// The value as it is shown in a message: kind and text, cut when long.
pub(super) fn describe(value: &Node) -> String {
    const SHOWN: usize = 60;
    let text = match &value.value {
        Value::Null => return "null".into(),
        Value::Str(text) => format!("{text:?}"),
        Value::Bytes(_) => return "binary data".into(),
        _ => value.to_json().to_string(),
    };
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let mut described = String::new();
    let _ = write!(described, "the {} {shown}", value.kind_name());
    described
}
