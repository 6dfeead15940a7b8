//! Reads one value by its type.

use super::{DocumentRole, read_document, report, section};
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Map, Node, Value};
use crate::scalar::{self, Expected};
use crate::schema::{RUNTIMES, old};
use crate::section::{Field, KubernetesObject, Section, Type};
use crate::template::is_template;

/// Reads the value of a field: null for optional fields, a template where one is allowed, else its type.
pub(super) fn read_field(field: &'static Field, node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let is_whole_template = field.template && node.as_str().is_some_and(is_template);
    let is_absent = node.is_null() && !field.required;
    if !is_whole_template && !is_absent {
        read(&field.ty, node, path, diagnostics);
    }
}

/// Reads a value in place.
pub(crate) fn read(ty: &'static Type, node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let result = match ty {
        Type::Str => scalar::text(&node.value),
        Type::IntStrict => scalar::strict_int(&node.value),
        Type::Int => scalar::lax_int(&node.value),
        Type::PositiveInt => {
            return ranged(node, path, scalar::lax_int, "greater than 0", |value| value > 0.0, diagnostics);
        }
        Type::Float => scalar::lax_float(&node.value),
        Type::NonNegativeFloat => {
            return ranged(node, path, scalar::lax_float, "0 or more", |value| value >= 0.0, diagnostics);
        }
        Type::Number => scalar::number(&node.value),
        Type::Bool => scalar::lax_bool(&node.value),
        Type::GeneralText => scalar::general_text(&node.value),
        Type::CsvList => {
            if let Ok(value) = scalar::csv_list(node) {
                node.value = value;
            }
            return list(&Type::Str, node, path, diagnostics);
        }
        Type::Date => scalar::date(&node.value),
        Type::DateTime => scalar::datetime(&node.value),
        Type::TimeDelta => scalar::timedelta(&node.value),
        Type::Uuid => scalar::uuid(&node.value),
        Type::Enum(words) => match scalar::choice(&node.value, words) {
            Ok(value) => Ok(value),
            Err(_) if node.as_str().is_some_and(|text| !is_template(text)) => {
                diagnostics.push(report::not_a_word(node, path, words));
                return;
            }
            Err(expected) => Err(expected),
        },
        Type::Template => match &node.value {
            Value::Str(text) if is_template(text) => return,
            _ => Err(Expected("a template like \"{{ name }}\"".to_owned())),
        },
        Type::Any => return,
        Type::AnyMap => match &node.value {
            Value::Map(_) => return,
            _ => Err(Expected("a mapping".to_owned())),
        },
        Type::List(inner) => return list(inner, node, path, diagnostics),
        Type::Map(inner) => return map(inner, node, path, diagnostics),
        Type::Section(inner) => return section(inner, node, path, diagnostics),
        Type::Kinded(kinds) => return kinded(kinds, node, path, diagnostics),
        Type::Runtime => {
            if node.as_map().is_none_or(|map| map.contains("kind")) {
                kinded(RUNTIMES, node, path, diagnostics);
            }
            return;
        }
        Type::Kubernetes(object) => return kubernetes(object, node, path, diagnostics),
        Type::Either(first, second) => return either(first, second, node, path, diagnostics),
        Type::Document => return read_document(node, DocumentRole::Component, path, diagnostics),
        Type::Custom(custom) => return (custom.read)(node, path, diagnostics),
    };
    match result {
        Ok(value) => node.value = value,
        Err(expected) => diagnostics.push(report::wrong_value(node, path, &expected.0)),
    }
}

fn ranged(
    node: &mut Node,
    path: &str,
    reader: fn(&Value) -> Result<Value, Expected>,
    range: &str,
    is_inside: fn(f64) -> bool,
    diagnostics: &mut Vec<Diagnostic>,
) {
    match reader(&node.value) {
        Ok(value) => {
            let number = match value {
                Value::Int(value) => value as f64,
                Value::Float(value) => value,
                _ => f64::NAN,
            };
            if is_inside(number) {
                node.value = value;
            } else {
                diagnostics.push(
                    Diagnostic::error(codes::RANGE, node.span, format!("`{path}` cannot be {}", report::shown(node)))
                        .label(format!("must be {range}"))
                        .path(path),
                );
            }
        }
        Err(expected) => diagnostics.push(report::wrong_value(node, path, &expected.0)),
    }
}

fn list(inner: &'static Type, node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Value::List(items) = &mut node.value else {
        diagnostics.push(report::wrong_kind(node, path, &format!("a list of {}", plural(inner))));
        return;
    };
    for (index, item) in items.iter_mut().enumerate() {
        read(inner, item, &report::index(path, index), diagnostics);
    }
}

fn map(inner: &'static Type, node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Value::Map(map) = &mut node.value else {
        diagnostics.push(report::wrong_kind(node, path, &format!("a mapping of names to {}", plural(inner))));
        return;
    };
    for (key, value) in map.iter_mut() {
        if key.is_text {
            read(inner, value, &report::join(path, &key.text), diagnostics);
        } else {
            diagnostics.push(report::key_is_no_text(key, path));
        }
    }
}

fn kinded(
    kinds: &'static [(&'static str, &'static Section)],
    node: &mut Node,
    path: &str,
    diagnostics: &mut Vec<Diagnostic>,
) {
    old::modernize(kinds, node);
    let words: Vec<&str> = kinds.iter().map(|(kind, _)| *kind).collect();
    let Some(map) = node.as_map() else {
        diagnostics.push(report::wrong_kind(node, path, "a mapping with a `kind`"));
        return;
    };
    let Some(kind) = map.get("kind") else {
        diagnostics.push(
            Diagnostic::error(codes::MISSING_KIND, report::start(node), format!("`{path}` has no `kind`"))
                .label("`kind` is missing here")
                .path(path)
                .help(format!("add `kind:` with one of {}", scalar::quoted_list(&words))),
        );
        return;
    };
    match kinds.iter().find(|(name, _)| kind.as_str() == Some(name)) {
        Some((_, inner)) => section(inner, node, path, diagnostics),
        None => diagnostics.push(report::unknown_kind(kind, &report::join(path, "kind"), &words)),
    }
}

fn kubernetes(object: &'static KubernetesObject, node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let start = report::start(node);
    let Value::Map(map) = &mut node.value else {
        diagnostics.push(report::wrong_value(node, path, &format!("a mapping (Kubernetes {})", object.name)));
        return;
    };
    if map.is_empty() && !object.allow_empty {
        diagnostics.push(report::wrong_value(
            node,
            path,
            &format!("at least one field of a Kubernetes {}", object.name),
        ));
        return;
    }
    let mut entries: Vec<(crate::node::Key, Node)> = Vec::with_capacity(map.len());
    for (mut key, value) in std::mem::take(map) {
        match object.key(&key.text).filter(|_| key.is_text) {
            None => diagnostics.push(report::unknown_kubernetes_key(object, &key, path)),
            Some(name) => {
                name.clone_into(&mut key.text);
                match entries.iter_mut().find(|(first, _)| first.text == name) {
                    // As in Python, the last spelling wins.
                    Some(entry) => *entry = (key, value),
                    None => entries.push((key, value)),
                }
            }
        }
    }
    // A null attribute of a Kubernetes object is the same as none; patching relies on it.
    entries.retain(|(_, value)| !value.is_null());
    for name in object.required {
        if !entries.iter().any(|(key, _)| key.text == *name) {
            diagnostics.push(
                Diagnostic::error(codes::K8S_REQUIRED, start, format!("`{path}` lacks the field `{name}`"))
                    .label(format!("`{name}` is missing here"))
                    .path(path)
                    .help(format!("a Kubernetes {} needs `{name}`", object.name)),
            );
        }
    }
    *map = Map::from_entries(entries);
}

/// The errors of the type that the value comes closest to; of both when it fits the shape of neither.
fn either(first: &'static Type, second: &'static Type, node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let mut attempt = node.clone();
    let mut first_errors = Vec::new();
    read(first, &mut attempt, path, &mut first_errors);
    if first_errors.is_empty() {
        *node = attempt;
        return;
    }
    let mut second_errors = Vec::new();
    read(second, node, path, &mut second_errors);
    if second_errors.is_empty() {
        return;
    }
    let is_outside = |errors: &[Diagnostic]| errors.iter().any(|error| error.path == path && error.code == codes::TYPE);
    match (is_outside(&first_errors), is_outside(&second_errors)) {
        (true, true) => {
            let expected = format!("{} or {}", singular(first), singular(second));
            diagnostics.push(report::wrong_value(node, path, &expected));
        }
        (false, true) => diagnostics.extend(first_errors),
        (_, false) => diagnostics.extend(second_errors),
    }
}

/// What one value of a type is called: `a string`.
pub(super) fn singular(ty: &Type) -> String {
    match ty {
        Type::Str | Type::GeneralText => "a string".to_owned(),
        Type::IntStrict | Type::Int => "an integer".to_owned(),
        Type::PositiveInt => "an integer greater than 0".to_owned(),
        Type::Float | Type::Number | Type::NonNegativeFloat => "a number".to_owned(),
        Type::Bool => "true or false".to_owned(),
        Type::CsvList => "a list of strings".to_owned(),
        Type::Date => "a date".to_owned(),
        Type::DateTime => "a date and time".to_owned(),
        Type::TimeDelta => "a duration".to_owned(),
        Type::Uuid => "a UUID".to_owned(),
        Type::Enum(words) => format!("one of {}", scalar::quoted_list(words)),
        Type::Any => "any value".to_owned(),
        Type::AnyMap => "a mapping".to_owned(),
        Type::List(inner) => format!("a list of {}", plural(inner)),
        Type::Map(inner) => format!("a mapping of names to {}", plural(inner)),
        Type::Section(section) => format!("a mapping ({})", section.name),
        Type::Kinded(_) | Type::Runtime => "a mapping with a `kind`".to_owned(),
        Type::Kubernetes(object) => format!("a mapping (Kubernetes {})", object.name),
        Type::Template => "a template".to_owned(),
        Type::Either(first, second) => format!("{} or {}", singular(first), singular(second)),
        Type::Document => "a component or an operation".to_owned(),
        Type::Custom(custom) => custom.name.to_owned(),
    }
}

fn plural(ty: &Type) -> String {
    match ty {
        Type::Str | Type::GeneralText => "strings".to_owned(),
        Type::IntStrict | Type::Int | Type::PositiveInt => "integers".to_owned(),
        Type::Float | Type::Number | Type::NonNegativeFloat => "numbers".to_owned(),
        Type::AnyMap | Type::Section(_) | Type::Kinded(_) | Type::Kubernetes(_) | Type::Map(_) => "mappings".to_owned(),
        Type::Document => "operations or components".to_owned(),
        Type::Any => "values".to_owned(),
        Type::Custom(custom) if !custom.name.contains(" of ") => {
            format!("{}s", custom.name.trim_start_matches("a "))
        }
        other => format!("items, each {}", singular(other)),
    }
}
