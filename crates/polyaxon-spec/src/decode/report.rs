//! The wording of what is wrong with a field. Every message names the path, the bad value and what was expected.

use crate::diagnostic::{Diagnostic, codes};
use crate::edit::Edit;
use crate::node::{Key, Node, Value};
use crate::scalar::quoted_list;
use crate::schema::DOCUMENT;
use crate::section::{Field, KubernetesObject, Section};
use crate::span::Span;
use crate::template::is_template;

/// `run.container`
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// `inputs[2]`
pub(crate) fn index(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// Where a value begins: the first key of a mapping, else the whole value.
pub(crate) fn start(node: &Node) -> Span {
    match &node.value {
        Value::Map(map) => map.iter().next().map_or(node.span, |(key, _)| key.span),
        Value::List(items) => items.first().map_or(node.span, start),
        _ => node.span,
    }
}

/// `an integer`
pub(crate) fn article(noun: &str) -> String {
    match noun {
        "null" | "binary data" => noun.to_owned(),
        _ if noun.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {noun}"),
        _ => format!("a {noun}"),
    }
}

/// The value for a message: scalars as they are, shortened; collections by their kind.
pub(crate) fn shown(node: &Node) -> String {
    const LONGEST: usize = 60;
    let text = match &node.value {
        Value::Null => return "null".to_owned(),
        Value::List(_) | Value::Map(_) | Value::Bytes(_) => return article(node.kind_name()),
        Value::Str(text) if text.is_empty() => return "empty".to_owned(),
        Value::Str(text) => text.clone(),
        _ => node.to_json().to_string(),
    };
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(LONGEST).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("`{short}{dots}`")
}

/// A value of the wrong type, or a template where none is possible.
pub(crate) fn wrong_value(node: &Node, path: &str, expected: &str) -> Diagnostic {
    if node.as_str().is_some_and(is_template) {
        return Diagnostic::error(codes::TEMPLATE_PLACE, node.span, format!("`{path}` cannot be a template"))
            .label(format!("expected {expected}, found a template"))
            .path(path)
            .help("write the value itself; this field is read before templates are rendered");
    }
    let diagnostic = Diagnostic::error(codes::TYPE, node.span, format!("`{path}` cannot be {}", shown(node)))
        .label(format!("expected {expected}, found {}", article(node.kind_name())))
        .path(path);
    match (&node.value, expected) {
        (Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Date(_) | Value::DateTime(_), "a string") => {
            diagnostic.help(format!("put the value in quotes: \"{}\"", shown(node).trim_matches(['`', '"'])))
        }
        (Value::Str(text), "an integer" | "a number") if text.trim().parse::<f64>().is_ok() => {
            diagnostic.help(format!("remove the quotes: {}", text.trim()))
        }
        (Value::Null, _) => diagnostic.help("give it a value, or remove the field"),
        _ => diagnostic,
    }
}

/// A value of the wrong shape, such as a string instead of a mapping. Points to where it begins.
pub(crate) fn wrong_kind(node: &Node, path: &str, expected: &str) -> Diagnostic {
    let diagnostic = wrong_value(node, path, expected);
    let is_scalar = !matches!(node.value, Value::List(_) | Value::Map(_) | Value::Null);
    let is_template_place = diagnostic.code == codes::TEMPLATE_PLACE;
    if is_scalar && !is_template_place && expected.starts_with("a list") {
        diagnostic.help(format!("write it as a list: [{}]", shown(node).trim_matches('`')))
    } else {
        diagnostic
    }
}

pub(crate) fn not_a_word(node: &Node, path: &str, words: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::error(codes::ENUM, node.span, format!("`{path}` cannot be {}", shown(node)))
        .label(format!("expected one of {}", quoted_list(words)))
        .path(path);
    match closest(node.as_str().unwrap_or_default(), words.iter().copied()) {
        Some(word) => diagnostic.help(format!("did you mean `{word}`?")),
        None => diagnostic,
    }
}

pub(crate) fn unknown_kind(kind: &Node, path: &str, words: &[&str]) -> Diagnostic {
    let help = match closest(kind.as_str().unwrap_or_default(), words.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("the kinds are {}", quoted_list(words)),
    };
    Diagnostic::error(codes::UNKNOWN_KIND, kind.span, format!("`{path}` cannot be {}", shown(kind)))
        .label("not a kind that is known here")
        .path(path)
        .help(help)
}

pub(crate) fn unknown_field(section: &Section, key: &Key, path: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        codes::UNKNOWN_FIELD,
        key.span,
        format!("`{}` is not a field of {}", key.text, place(section, path)),
    )
    .path(join(path, &key.text));
    describe_unknown(diagnostic, key, section.fields.iter().map(|field| field.name))
}

pub(crate) fn unknown_root_key(key: &Key) -> Diagnostic {
    let message = format!("`{}` is not a section of a polyaxonfile", key.text);
    let diagnostic = Diagnostic::error(codes::UNKNOWN_SECTION, key.span, message).path(&key.text);
    if key.is_text
        && let Some(field) = DOCUMENT.field(&key.text)
    {
        return diagnostic
            .label(format!("write `{}`", field.name))
            .fix(Edit::new(key.span, &*key.text, field.name))
            .help("the fields of a document with a `kind` are spelled in camelCase");
    }
    describe_unknown(diagnostic, key, DOCUMENT.fields.iter().map(|field| field.name))
}

pub(crate) fn unknown_kubernetes_key(object: &KubernetesObject, key: &Key, path: &str) -> Diagnostic {
    let message = format!("`{}` is not a field of a Kubernetes {}", key.text, object.name);
    let diagnostic = Diagnostic::error(codes::K8S_FIELD, key.span, message).path(join(path, &key.text));
    describe_unknown(diagnostic, key, object.keys.iter().copied())
}

fn describe_unknown(
    diagnostic: Diagnostic,
    key: &Key,
    names: impl Iterator<Item = &'static str> + Clone,
) -> Diagnostic {
    if !key.is_text {
        return diagnostic
            .label("not read as text")
            .help("unquoted `on`, `off`, `yes`, `no` and numbers are no names; put the key in quotes if it is one");
    }
    if let Some(name) = closest(&key.text, names.clone()) {
        return diagnostic.label("unknown field").help(format!("did you mean `{name}`?"));
    }
    if let Some(home) = home_of(&key.text) {
        return diagnostic.label("unknown field").help(format!("`{}` belongs into {home}", key.text));
    }
    let names: Vec<&str> = names.collect();
    diagnostic.label("unknown field").help(format!("the fields are {}", quoted_list(&names)))
}

/// Fields that are often written one level too high.
fn home_of(name: &str) -> Option<&'static str> {
    match name {
        "image" | "command" | "args" | "workingDir" | "imagePullPolicy" | "volumeMounts" => Some("`container`"),
        "nodeSelector" | "labels" | "annotations" | "tolerations" | "affinity" | "serviceAccountName" => {
            Some("`environment`")
        }
        "maxRetries" | "ttl" | "timeout" => Some("`termination`"),
        _ => None,
    }
}

fn place(section: &Section, path: &str) -> String {
    match path {
        "" => "a polyaxonfile".to_owned(),
        _ if path.ends_with(section.name) => format!("`{path}`"),
        _ => format!("`{path}` ({})", section.name),
    }
}

pub(crate) fn two_spellings(field: &Field, first: &Key, second: &Key, path: &str) -> Diagnostic {
    Diagnostic::error(codes::VALUE, second.span, format!("`{}` is written twice, in two spellings", field.name))
        .label("second spelling")
        .related(first.span, "first spelling")
        .path(join(path, field.name))
        .help("remove one of the two")
}

pub(crate) fn missing_field(section: &Section, field: &Field, start: Span, path: &str) -> Diagnostic {
    let message = format!("{} lacks the field `{}`", place(section, path), field.name);
    let example = if field.example.contains('\n') { "…" } else { field.example };
    Diagnostic::error(codes::MISSING_FIELD, start, message)
        .label(format!("`{}` is missing here", field.name))
        .path(join(path, field.name))
        .help(format!("add `{}: {example}`", field.name))
}

pub(crate) fn key_is_no_text(key: &Key, path: &str) -> Diagnostic {
    Diagnostic::error(codes::TYPE, key.span, format!("a name in `{path}` cannot be `{}`", key.text))
        .label("expected a string, found another value")
        .path(join(path, &key.text))
        .help(format!("put the name in quotes: \"{}\"", key.text))
}

/// Longer names resemble none of ours.
const LONGEST_NAME: usize = 100;

/// The name that was probably meant. Spelling, case and underscores may be off a little.
pub(crate) fn closest<'name>(written: &str, names: impl Iterator<Item = &'name str>) -> Option<&'name str> {
    let plain = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    if written.len() > LONGEST_NAME {
        return None;
    }
    let written = plain(written);
    if written.is_empty() {
        return None;
    }
    let scored = names.map(|name| (strsim::damerau_levenshtein(&written, &plain(name)), name));
    let (distance, name) = scored.min_by_key(|(distance, _)| *distance)?;
    let is_close = distance <= (written.chars().count() / 3).min(3);
    (is_close || strsim::jaro_winkler(&written, &plain(name)) > 0.9).then_some(name)
}
