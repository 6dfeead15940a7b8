//! The Python text form of values: `True`, `None`, `1e-05`, `['a', 1]`, `{'k': 'v'}`.
//!
//! The one place that knows it; does not know templates.

use std::fmt::Write as _;

use polyaxon_spec::node::{Node, Value};

/// `str(value)`.
pub fn text(node: &Node) -> String {
    match &node.value {
        Value::Str(text) | Value::Date(text) | Value::DateTime(text) => text.clone(),
        _ => {
            let mut out = String::new();
            write_repr(node, &mut out);
            out
        }
    }
}

/// `repr(float)`: the shortest digits that read back, exponent from `1e16` and below `1e-4`.
pub fn float(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        "nan".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "inf".to_owned() } else { "-inf".to_owned() }
    } else if size == 0.0 || (1e-4..1e16).contains(&size) {
        let text = value.to_string();
        if text.contains('.') { text } else { text + ".0" }
    } else {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').expect("the format has an exponent");
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        format!("{digits}e{sign}{exponent:0>2}")
    }
}

/// `repr(str)`: single quotes unless only double quotes save escaping.
pub fn quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if char == quote => {
                out.push('\\');
                out.push(char);
            }
            char if (char as u32) < 0x20 || (0x7f..0xa1).contains(&(char as u32)) || char == '\u{ad}' => {
                write!(out, "\\x{:02x}", char as u32).expect("writing to a string cannot fail");
            }
            char => out.push(char),
        }
    }
    out.push(quote);
}

fn write_repr(node: &Node, out: &mut String) {
    match &node.value {
        Value::Null => out.push_str("None"),
        Value::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        Value::Int(value) => write!(out, "{value}").expect("writing to a string cannot fail"),
        Value::Float(value) | Value::TimeDelta(value) => out.push_str(&float(*value)),
        Value::Str(text) | Value::Date(text) | Value::DateTime(text) => quoted(text, out),
        Value::Bytes(bytes) => quoted(&String::from_utf8_lossy(bytes), out),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_repr(item, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                quoted(&key.text, out);
                out.push_str(": ");
                write_repr(value, out);
            }
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_like_python() {
        let cases = [
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1e16, "1e+16"),
            (1.5e100, "1.5e+100"),
            (3.0, "3.0"),
            (-0.0, "-0.0"),
            (1e15, "1000000000000000.0"),
            (f64::INFINITY, "inf"),
        ];
        for (value, expected) in cases {
            assert_eq!(float(value), expected);
        }
    }

    #[test]
    fn containers_print_like_python() {
        let json = serde_json::json!({"k": ["a'b", 1, 2.5, true, null], "q": "x\ny"});
        assert_eq!(text(&Node::from_json(&json)), r#"{'k': ["a'b", 1, 2.5, True, None], 'q': 'x\ny'}"#);
    }
}
