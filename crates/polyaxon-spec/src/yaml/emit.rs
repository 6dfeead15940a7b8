//! Writes a tree as YAML for people: block style, keys in their order, quotes only where they are needed.
//!
//! Whatever is written reads back as the same tree, by [`super::read`] and by PyYAML.

use super::binary;
use super::resolve::{self, Plain};
use crate::node::{Key, Map, Node, Value};

/// PyYAML reads keys up to 1024 characters without the `?` mark.
const LONGEST_SIMPLE_KEY: usize = 1000;

pub fn emit(node: &Node) -> String {
    emit_with_notes(node, &mut |_| None)
}

/// As [`emit`], with a comment behind each value for which there is a note. Values come in the order of the text.
pub fn emit_with_notes(node: &Node, note: &mut dyn FnMut(&Node) -> Option<String>) -> String {
    let mut out = String::new();
    match &node.value {
        Value::Map(map) if !map.is_empty() => mapping(&mut out, map, 0, note),
        Value::List(items) if !items.is_empty() => list(&mut out, items, 0, note),
        _ => leaf(&mut out, node, 0, note),
    }
    out
}

type Note<'a> = &'a mut dyn FnMut(&Node) -> Option<String>;

/// A scalar or an empty collection, to the end of its last line. The comment ends the first one.
fn leaf(out: &mut String, node: &Node, level: usize, note: Note) {
    let start = out.len();
    scalar(out, &node.value, level);
    if let Some(note) = note(node) {
        let line_end = out[start..].find('\n').map_or(out.len(), |newline| start + newline);
        out.insert_str(line_end, &format!("  # {}", note.replace('\n', " ")));
    }
    out.push('\n');
}

fn indent(out: &mut String, level: usize) {
    out.extend(std::iter::repeat_n("  ", level));
}

/// Writes the entries; the first one is expected to be indented already when `out` does not end a line.
fn mapping(out: &mut String, map: &Map, level: usize, note: Note) {
    for (key, value) in map.iter() {
        start_line(out, level);
        write_key(out, key, level);
        match &value.value {
            Value::Map(inner) if !inner.is_empty() => {
                out.push_str(":\n");
                mapping(out, inner, level + 1, note);
            }
            Value::List(items) if !items.is_empty() => {
                out.push_str(":\n");
                list(out, items, level + 1, note);
            }
            _ => {
                out.push_str(": ");
                leaf(out, value, level, note);
            }
        }
    }
}

fn list(out: &mut String, items: &[Node], level: usize, note: Note) {
    for item in items {
        start_line(out, level);
        out.push_str("- ");
        match &item.value {
            Value::Map(inner) if !inner.is_empty() => mapping(out, inner, level + 1, note),
            Value::List(inner) if !inner.is_empty() => list(out, inner, level + 1, note),
            _ => leaf(out, item, level, note),
        }
    }
}

fn start_line(out: &mut String, level: usize) {
    if out.is_empty() || out.ends_with('\n') {
        indent(out, level);
    }
}

fn write_key(out: &mut String, key: &Key, level: usize) {
    let text = match key.is_text {
        true if is_plain(&key.text) => key.text.clone(),
        true => double_quoted(&key.text),
        false => key.text.clone(),
    };
    if text.chars().count() <= LONGEST_SIMPLE_KEY {
        out.push_str(&text);
    } else {
        out.push_str("? ");
        out.push_str(&text);
        out.push('\n');
        indent(out, level);
    }
}

fn scalar(out: &mut String, value: &Value, level: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Float(value) | Value::TimeDelta(value) => out.push_str(&float(*value)),
        Value::Date(text) | Value::DateTime(text) => out.push_str(text),
        Value::Bytes(bytes) => {
            out.push_str("!!binary \"");
            out.push_str(&binary::encode(bytes));
            out.push('"');
        }
        Value::List(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
        Value::Str(text) => string(out, text, level),
    }
}

/// A YAML 1.1 float needs a dot, and a sign in its exponent.
pub(super) fn float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{value:?}");
    match text.split_once('e') {
        None => text,
        Some((mantissa, exponent)) => {
            let dot = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{mantissa}{dot}e{sign}{exponent}")
        }
    }
}

fn string(out: &mut String, text: &str, level: usize) {
    if is_plain(text) {
        out.push_str(text);
    } else if is_block(text) {
        block(out, text, level);
    } else if !text.contains(['\'', '\\']) && text.contains('"') && text.chars().all(is_printable) {
        out.push('\'');
        out.push_str(text);
        out.push('\'');
    } else {
        out.push_str(&double_quoted(text));
    }
}

/// Characters that mean themselves in every style. Exotic line breaks and byte order marks do not.
fn is_printable(character: char) -> bool {
    matches!(character, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Whether the text can stand without quotes, in block style, and still be read as this text.
fn is_plain(text: &str) -> bool {
    let first_is_safe = match text.chars().next() {
        None => return false,
        Some('-' | '?' | ':') => {
            text.chars().nth(1).is_some_and(|second| second.is_alphanumeric() || "-_/.".contains(second))
        }
        Some(first) => !",[]{}#&*!|>'\"%@` ".contains(first),
    };
    first_is_safe
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.starts_with("---")
        && !text.starts_with("...")
        && text.chars().all(is_printable)
        && matches!(resolve::plain(text), Ok(Plain::Value(Value::Str(_))))
        && text != "="
}

/// Whether a literal block shows the text as it is, without guessing about blanks.
fn is_block(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.is_empty());
    text.contains('\n')
        && text.split('\n').all(|line| line.chars().all(|character| is_printable(character) || character == '\t'))
        && text.split('\n').all(|line| line.is_empty() || !line.trim().is_empty())
        && lines.next().is_some_and(|first| !first.starts_with([' ', '\t']))
}

fn block(out: &mut String, text: &str, level: usize) {
    let body = text.strip_suffix('\n');
    out.push_str(match body {
        None => "|-",
        Some(body) if body.ends_with('\n') => "|+",
        Some(_) => "|",
    });
    for line in body.unwrap_or(text).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            indent(out, level + 1);
            out.push_str(line);
        }
    }
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            _ if is_printable(character) => out.push(character),
            _ => {
                let code = u32::from(character);
                out.push_str(&if code <= 0xff { format!("\\x{code:02x}") } else { format!("\\u{code:04x}") });
            }
        }
    }
    out.push('"');
    out
}
