//! The readers of single values (spec §3): what each type accepts, and what it makes of it.
//!
//! Used by the decode tables and by the types of inputs and outputs. Knows nothing about fields or documents; a
//! failure only says what was expected.

mod time;

#[cfg(test)]
mod tests;

pub(crate) use time::datetime_text;
pub use time::{date, datetime, timedelta};

use std::fmt;

use crate::node::{Node, Value};

/// What a reader would have accepted, as the end of a sentence: `an integer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected(pub String);

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn expected<T>(what: impl Into<String>) -> Result<T, Expected> {
    Err(Expected(what.into()))
}

/// Text and nothing else.
pub fn text(value: &Value) -> Result<Value, Expected> {
    match value {
        Value::Str(text) => Ok(Value::Str(text.clone())),
        _ => expected("a string"),
    }
}

/// An integer as such.
pub fn strict_int(value: &Value) -> Result<Value, Expected> {
    match value {
        Value::Int(value) => Ok(Value::Int(*value)),
        _ => expected("an integer"),
    }
}

/// An integer, or what stands for one: booleans, floats without fraction, numeric text.
pub fn lax_int(value: &Value) -> Result<Value, Expected> {
    let int = match value {
        Value::Int(value) => Some(*value),
        Value::Bool(value) => Some(i128::from(*value)),
        Value::Float(value) if value.fract() != 0.0 => return expected("an integer, without a fraction"),
        Value::Float(value) => (value.abs() < 9.3e18).then_some(*value as i128),
        Value::Str(text) => int_of_text(text),
        _ => None,
    };
    int.map_or_else(|| expected("an integer"), |int| Ok(Value::Int(int)))
}

fn int_of_text(text: &str) -> Option<i128> {
    let digits = without_underscores(text.trim())?;
    let digits = match digits.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => &digits,
    };
    digits.parse().ok()
}

/// Removes single underscores between other characters; `None` when they stand anywhere else.
fn without_underscores(text: &str) -> Option<String> {
    let is_well_placed =
        !text.contains("__") && !text.trim_start_matches(['+', '-']).starts_with('_') && !text.ends_with('_');
    is_well_placed.then(|| text.replace('_', ""))
}

/// A number, or what stands for one: booleans, numeric text with `inf` and `nan`.
pub fn lax_float(value: &Value) -> Result<Value, Expected> {
    let float = match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Str(text) => without_underscores(text.trim()).and_then(|text| text.parse().ok()),
        _ => None,
    };
    float.map_or_else(|| expected("a number"), |float| Ok(Value::Float(float)))
}

/// A number as it is; anything else that stands for one becomes a float.
pub fn number(value: &Value) -> Result<Value, Expected> {
    match value {
        Value::Int(_) | Value::Float(_) => Ok(value.clone()),
        _ => lax_float(value),
    }
}

/// A boolean, or what stands for one: 0 and 1, and the usual words.
pub fn lax_bool(value: &Value) -> Result<Value, Expected> {
    let answer = match value {
        Value::Bool(value) => Some(*value),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Float(0.0) => Some(false),
        Value::Float(1.0) => Some(true),
        Value::Str(text) => match text.to_lowercase().as_str() {
            "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
            "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
            _ => None,
        },
        _ => None,
    };
    answer.map_or_else(|| expected("true or false"), |answer| Ok(Value::Bool(answer)))
}

/// Text; anything else but null becomes compact JSON text, dates the text that Python prints.
pub fn general_text(value: &Value) -> Result<Value, Expected> {
    match value {
        Value::Null => expected("a string"),
        Value::Str(text) | Value::Date(text) => Ok(Value::Str(text.clone())),
        Value::DateTime(text) => Ok(Value::Str(text.replacen('T', " ", 1))),
        Value::Bytes(bytes) => Ok(Value::Str(String::from_utf8_lossy(bytes).into_owned())),
        other => Ok(Value::Str(Node::bare(other.clone()).to_json().to_string())),
    }
}

/// A list as it is, or text split at commas. The items of a list are not looked at.
pub fn csv_list(node: &Node) -> Result<Value, Expected> {
    match &node.value {
        Value::List(items) => Ok(Value::List(items.clone())),
        Value::Str(text) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Ok(Value::List(parts.map(|part| Node::new(Value::Str(part.to_owned()), node.span)).collect()))
        }
        _ => expected("a list of strings, or one string with commas"),
    }
}

/// Any textual form of a UUID; gives 32 lower-case hexadecimal digits.
pub fn uuid(value: &Value) -> Result<Value, Expected> {
    let Value::Str(text) = value else { return expected("a UUID") };
    let digits = text.replace("urn:", "").replace("uuid:", "");
    let digits = digits.trim_matches(['{', '}']).replace('-', "").to_lowercase();
    if digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(Value::Str(digits))
    } else {
        expected("a UUID of 32 hexadecimal digits")
    }
}

/// One of a set of words, case sensitive.
pub fn choice(value: &Value, words: &[&str]) -> Result<Value, Expected> {
    match value {
        Value::Str(text) if words.contains(&text.as_str()) => Ok(Value::Str(text.clone())),
        _ => expected(format!("one of {}", quoted_list(words))),
    }
}

/// "`a`, `b` and `c`" for messages; long lists are cut.
pub fn quoted_list(words: &[&str]) -> String {
    const MOST: usize = 12;
    let mut shown: Vec<String> = words.iter().take(MOST).map(|word| format!("`{word}`")).collect();
    if words.len() > MOST {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}
