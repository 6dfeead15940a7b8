//! The rules of `validation` (spec §8), applied to converted values.

use regex::Regex;

use super::convert::describe;
use crate::node::{Map, Node, Value};
use crate::scalar;
use crate::span::Span;

/// A rule that a value breaks. `message` continues "the value of `x` …".
pub(super) struct Broken {
    pub(super) message: String,
    pub(super) label: String,
    pub(super) rule_span: Span,
}

/// Every broken rule: item rules on each item or value, size rules on the whole.
pub(super) fn broken_rules(rules: &Map, value: &Node) -> Vec<Broken> {
    let mut broken = Vec::new();
    for (key, rule) in rules.iter().filter(|(_, rule)| !rule.is_null()) {
        let mut check = |value: &Node, holds: fn(&str, &Node, &Node) -> Option<bool>| {
            let message = match holds(&key.text, rule, value) {
                Some(true) => return,
                Some(false) => format!("{}, but it is {}", requirement(&key.text, rule), describe(value)),
                None => format!("cannot be checked with `{}`: it is {}", key.text, describe(value)),
            };
            let label = format!("breaks `{}: {}`", key.text, rule.to_json());
            broken.push(Broken { message, label, rule_span: key.span });
        };
        match &value.value {
            Value::List(items) => {
                for item in items {
                    check(item, item_rule);
                }
                check(value, size_rule);
            }
            Value::Map(map) => {
                for (_, item) in map.iter() {
                    check(item, item_rule);
                }
                check(value, size_rule);
                check(value, keys_rule);
            }
            _ => check(value, item_rule),
        }
    }
    broken
}

/// The rules that mean nothing for a value with fields of its own (git, artifacts, …).
pub(super) fn unfit_rules(rules: &Map, value: &Node) -> Vec<Broken> {
    const HARMLESS: &[&str] =
        &["delay", "contains", "excludes", "minItems", "maxItems", "keys", "containsKeys", "excludesKeys"];
    let unfit = rules.iter().filter(|(key, rule)| !rule.is_null() && !HARMLESS.contains(&key.text.as_str()));
    unfit
        .map(|(key, rule)| Broken {
            message: format!("cannot be checked with `{}`: it is {}", key.text, describe(value)),
            label: format!("breaks `{}: {}`", key.text, rule.to_json()),
            rule_span: key.span,
        })
        .collect()
}

/// The rules of single values; `None` when the rule does not fit the kind of value.
fn item_rule(rule: &str, bound: &Node, value: &Node) -> Option<bool> {
    Some(match rule {
        "gt" => holds(value, bound, |value, bound| value > bound)?,
        "ge" => holds(value, bound, |value, bound| value >= bound)?,
        "lt" => holds(value, bound, |value, bound| value < bound)?,
        "le" => holds(value, bound, |value, bound| value <= bound)?,
        "multipleOf" => is_multiple(value, bound)?,
        "minDigits" => digits(value) >= size(bound)?,
        "maxDigits" => digits(value) <= size(bound)?,
        "decimalPlaces" => plain_text(value).split('.').nth(1)?.chars().count() <= size(bound)?,
        "regex" => at_start(bound.as_str()?)?.is_match(value.as_str()?),
        "minLength" => length(value)? >= size(bound)?,
        "maxLength" => length(value)? <= size(bound)?,
        "contains" => contains(value, bound)?,
        "excludes" => !contains(value, bound)?,
        "options" => contains(bound, value)?,
        _ => true,
    })
}

/// The rules of lists and mappings as a whole.
fn size_rule(rule: &str, bound: &Node, value: &Node) -> Option<bool> {
    Some(match rule {
        "minItems" => length(value)? >= size(bound)?,
        "maxItems" => length(value)? <= size(bound)?,
        _ => true,
    })
}

fn keys_rule(rule: &str, bound: &Node, value: &Node) -> Option<bool> {
    let map = value.as_map()?;
    let has = |key: &Node| key.as_str().is_some_and(|key| map.contains(key));
    Some(match rule {
        "keys" => {
            let keys = bound.as_list()?;
            keys.iter().all(has) && map.iter().all(|(key, _)| keys.iter().any(|k| k.as_str() == Some(&key.text)))
        }
        "containsKeys" => bound.as_list()?.iter().all(has),
        "excludesKeys" => !bound.as_list()?.iter().any(has),
        _ => true,
    })
}

fn requirement(rule: &str, bound: &Node) -> String {
    let bound = match &bound.value {
        Value::Str(text) => format!("`{text}`"),
        _ => bound.to_json().to_string(),
    };
    match rule {
        "gt" => format!("must be greater than {bound}"),
        "ge" => format!("must be at least {bound}"),
        "lt" => format!("must be less than {bound}"),
        "le" => format!("must be at most {bound}"),
        "multipleOf" => format!("must be a multiple of {bound}"),
        "minDigits" => format!("must have at least {bound} digits"),
        "maxDigits" => format!("must have at most {bound} digits"),
        "decimalPlaces" => format!("must have at most {bound} decimal places"),
        "regex" => format!("must match the regular expression {bound}"),
        "minLength" => format!("must be at least {bound} long"),
        "maxLength" => format!("must be at most {bound} long"),
        "contains" => format!("must contain {bound}"),
        "excludes" => format!("must not contain {bound}"),
        "options" => format!("must be one of {bound}"),
        "minItems" => format!("must have at least {bound} items"),
        "maxItems" => format!("must have at most {bound} items"),
        "keys" => format!("must have exactly the keys {bound}"),
        "containsKeys" => format!("must have the keys {bound}"),
        "excludesKeys" => format!("must not have the keys {bound}"),
        _ => format!("breaks `{rule}`"),
    }
}

fn number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Int(value) => Some(value as f64),
        Value::Float(value) => Some(value),
        Value::Bool(value) => Some(f64::from(u8::from(value))),
        _ => None,
    }
}

/// NaN is on no side of a bound, so it breaks none.
fn holds(value: &Node, bound: &Node, compare: fn(f64, f64) -> bool) -> Option<bool> {
    let (value, bound) = (number(value)?, number(bound)?);
    Some(value.is_nan() || bound.is_nan() || compare(value, bound))
}

fn is_multiple(value: &Node, of: &Node) -> Option<bool> {
    if let (Value::Int(value), Value::Int(of)) = (&value.value, &of.value) {
        return value.checked_rem(*of).map(|rest| rest == 0);
    }
    let of = number(of).filter(|of| *of != 0.0)?;
    Some(number(value)? % of == 0.0)
}

fn size(bound: &Node) -> Option<usize> {
    bound.as_int().map(|value| usize::try_from(value).unwrap_or(0))
}

fn digits(value: &Node) -> usize {
    plain_text(value).chars().filter(|letter| *letter != '.').count()
}

fn plain_text(value: &Node) -> String {
    match &value.value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        // A whole float shows its zero: `2.0` has one decimal place.
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e16 => format!("{number:.1}"),
        _ => match scalar::general_text(&value.value) {
            Ok(Value::Str(text)) => text,
            _ => String::new(),
        },
    }
}

fn length(value: &Node) -> Option<usize> {
    match &value.value {
        Value::Str(text) => Some(text.chars().count()),
        Value::List(items) => Some(items.len()),
        Value::Map(map) => Some(map.len()),
        _ => None,
    }
}

/// Membership: part of a text, item of a list, key of a mapping.
fn contains(holder: &Node, item: &Node) -> Option<bool> {
    match &holder.value {
        Value::Str(text) => item.as_str().map(|part| text.contains(part)),
        Value::List(items) => Some(items.iter().any(|known| known == item || is_same_number(known, item))),
        Value::Map(map) => Some(item.as_str().is_some_and(|key| map.contains(key))),
        _ => None,
    }
}

/// True is 1 and false is 0, as in Python.
fn is_same_number(a: &Node, b: &Node) -> bool {
    number(a).is_some() && number(a) == number(b)
}

/// The pattern anchored at the start, with an open end.
fn at_start(pattern: &str) -> Option<Regex> {
    Regex::new(&format!(r"\A(?:{})", pattern.replace(r"\Z", r"\z"))).ok()
}
