//! The text form of values outside templates: environment values, arguments, `as_str` (spec §16.2, execution E2).
//!
//! Knows nothing of templates; the Python form of values lives in [`crate::template`].

use std::fmt::Write as _;

use polyaxon_spec::node::{Map, Node, Value};

/// Strings as they are, everything else as compact JSON.
pub fn general(node: &Node) -> String {
    match &node.value {
        Value::Str(text) | Value::Date(text) | Value::DateTime(text) => text.clone(),
        _ => compact_json(node),
    }
}

/// JSON without blanks. Floats keep a decimal form for `1e-5 <= |x| < 1e16`.
pub fn compact_json(node: &Node) -> String {
    let mut out = String::new();
    write_json(node, &mut out);
    out
}

/// A float in JSON: `0.5`, `1.0`, `1e-6`, `1e+16`; NaN and infinities are `null`.
pub fn json_float(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "null".to_owned()
    } else if size == 0.0 || (1e-5..1e16).contains(&size) {
        let text = value.to_string();
        if text.contains('.') { text } else { text + ".0" }
    } else {
        let text = format!("{value:e}");
        if size >= 1.0 { text.replace('e', "e+") } else { text }
    }
}

fn write_json(node: &Node, out: &mut String) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => write!(out, "{value}").expect("writing to a string cannot fail"),
        Value::Float(value) | Value::TimeDelta(value) => out.push_str(&json_float(*value)),
        Value::Str(text) | Value::Date(text) | Value::DateTime(text) => write_string(text, out),
        Value::Bytes(bytes) => write_string(&String::from_utf8_lossy(bytes), out),
        Value::List(items) => write_list(items, out),
        Value::Map(map) => write_map(map, out),
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn write_list(items: &[Node], out: &mut String) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_json(item, out);
    }
    out.push(']');
}

fn write_map(map: &Map, out: &mut String) {
    out.push('{');
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(&key.text, out);
        out.push(':');
        write_json(value, out);
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_in_json() {
        let cases =
            [(0.5, "0.5"), (1.0, "1.0"), (1e-5, "0.00001"), (1e-6, "1e-6"), (1.5e16, "1.5e+16"), (-2.0, "-2.0")];
        for (value, expected) in cases {
            assert_eq!(json_float(value), expected);
        }
        assert_eq!(json_float(f64::NAN), "null");
    }

    #[test]
    fn strings_stay_and_the_rest_is_json() {
        assert_eq!(general(&Node::string("a b")), "a b");
        assert_eq!(general(&Node::null()), "null");
        let json = serde_json::json!({"k": [1, 2.0, "x\"y"], "b": true});
        assert_eq!(general(&Node::from_json(&json)), r#"{"k":[1,2.0,"x\"y"],"b":true}"#);
    }
}
