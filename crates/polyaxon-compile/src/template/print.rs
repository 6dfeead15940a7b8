//! The Python text form of values: `True`, `None`, `1e-05`, `['a', 1]`, `{'k': 'v'}`.
//!
//! The one place that knows it; used for what templates print and for arguments of containers.

use std::fmt::Write as _;

use minijinja::value::{Value, ValueKind};
use polyaxon_spec::node::Node;

use super::value;

/// Deeper containers print as `...`; nothing legitimate gets there.
const MAX_DEPTH: usize = 100;

/// `str(node)`.
pub fn text(node: &Node) -> String {
    let mut out = String::new();
    write_text(&value::from_node(node), &mut out);
    out
}

/// `str(value)`; undefined prints nothing.
pub fn write_text(value: &Value, out: &mut String) {
    match value.kind() {
        ValueKind::Undefined => {}
        ValueKind::String => out.push_str(value.as_str().unwrap_or_default()),
        _ => write_repr(value, 0, out),
    }
}

/// `repr(float)`: the shortest digits that read back, with exponent from `1e16` and below `1e-4`.
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

/// Whether a number is a float; integers of every size are not.
pub fn as_float(value: &Value) -> Option<f64> {
    if value.kind() == ValueKind::Number && !value.is_integer() { f64::try_from(value.clone()).ok() } else { None }
}

/// `repr(str)`: single quotes, unless double quotes save escaping.
fn write_quoted(text: &str, out: &mut String) {
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
            char if char < ' ' || ('\u{7f}'..'\u{a1}').contains(&char) || char == '\u{ad}' => {
                write!(out, "\\x{:02x}", char as u32).expect("writing to a string cannot fail");
            }
            char => out.push(char),
        }
    }
    out.push(quote);
}

fn write_repr(value: &Value, depth: usize, out: &mut String) {
    if depth > MAX_DEPTH {
        out.push_str("...");
        return;
    }
    match value.kind() {
        ValueKind::Undefined => out.push_str("Undefined"),
        ValueKind::None => out.push_str("None"),
        ValueKind::Bool => out.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::Number => match as_float(value) {
            Some(number) => out.push_str(&float(number)),
            None => write!(out, "{value}").expect("writing to a string cannot fail"),
        },
        ValueKind::String => write_quoted(value.as_str().unwrap_or_default(), out),
        ValueKind::Seq if value.is_tuple() => write_items(value, depth, ('(', ')'), out),
        ValueKind::Seq | ValueKind::Iterable => write_items(value, depth, ('[', ']'), out),
        ValueKind::Map => write_members(value, depth, out),
        _ => write!(out, "{value}").expect("writing to a string cannot fail"),
    }
}

fn write_items(value: &Value, depth: usize, (open, close): (char, char), out: &mut String) {
    out.push(open);
    let mut count = 0;
    for item in value.try_iter().into_iter().flatten() {
        if count > 0 {
            out.push_str(", ");
        }
        if is_full(out) {
            break;
        }
        write_repr(&item, depth + 1, out);
        count += 1;
    }
    if count == 1 && open == '(' {
        out.push(',');
    }
    out.push(close);
}

fn write_members(value: &Value, depth: usize, out: &mut String) {
    out.push('{');
    for (index, key) in value.try_iter().into_iter().flatten().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        if is_full(out) {
            break;
        }
        write_repr(&key, depth + 1, out);
        out.push_str(": ");
        write_repr(&value.get_item(&key).unwrap_or_default(), depth + 1, out);
    }
    out.push('}');
}

/// Enough was written; whoever asked refuses a text of this size.
fn is_full(out: &str) -> bool {
    out.len() > super::MAX_OUTPUT
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
