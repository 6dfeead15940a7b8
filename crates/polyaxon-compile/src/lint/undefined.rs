//! Names in templates that exist nowhere.

use std::collections::HashSet;

use polyaxon_spec::diagnostic::{Diagnostic, Severity, codes};
use polyaxon_spec::likeness;

use super::assumed::Group;
use super::root;
use super::sites::Site;
use crate::context::PARAM_FORMS;
use crate::place;
use crate::suggest::closest;

/// Words that people write in front of a name, where the language has none.
const SECTIONS: &[&str] = &["inputs", "outputs", "contexts", "context", "matrix", "io", "input", "output"];

/// A part of a name that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Missing {
    pub(super) name: String,
    /// Something is asked of it, which fails; by itself it prints nothing.
    pub(super) is_asked: bool,
}

/// What does not exist of the names of a template, in a fixed order.
pub(super) fn missing(names: &HashSet<String>, group: &Group) -> Vec<Missing> {
    let mut missing: Vec<Missing> = names.iter().filter_map(|name| missing_part(name, group)).collect();
    missing.sort();
    missing.dedup_by(|later, earlier| {
        later.name == earlier.name && {
            earlier.is_asked |= later.is_asked;
            true
        }
    });
    missing
}

fn missing_part(name: &str, group: &Group) -> Option<Missing> {
    const METHODS: &[&str] = &["items", "keys", "values", "get"];
    let parts: Vec<&str> = name.split('.').collect();
    let upto = |count: usize| parts[..parts.len().min(count)].join(".");
    let (name, is_asked) = match parts.as_slice() {
        [first, ..] if !group.names.contains(*first) => (upto(2), parts.len() > 1),
        ["globals", global, ..] if !METHODS.contains(global) && !group.globals.iter().any(|known| known == global) => {
            (upto(2), parts.len() > 2)
        }
        ["params", "as_args", ..] => return None,
        ["params", param, ..] if METHODS.contains(param) => return None,
        ["params", param, ..] if !group.params.iter().any(|known| known == param) => (upto(2), parts.len() > 2),
        ["params", _, form, ..] if !PARAM_FORMS.contains(form) && !METHODS.contains(form) => (upto(3), parts.len() > 3),
        _ => return None,
    };
    Some(Missing { name, is_asked })
}

/// The finding about one name.
pub(super) fn finding(name: &str, site: &Site<'_>, group: &Group, severity: Severity, effect: &str) -> Diagnostic {
    let span = position(site.text, name).map_or(site.span, |range| place::within(site.text, site.span, range));
    let message = format!("`{name}` is not defined: {effect}");
    Diagnostic { severity, ..Diagnostic::error(codes::TEMPLATE_UNDEFINED, span, message) }
        .label(label(name, group))
        .path(site.path.as_str())
        .help(help(name, group))
}

fn label(name: &str, group: &Group) -> &'static str {
    match root(name) {
        "globals" if group.names.contains("globals") => "no such global",
        "params" if name.matches('.').count() > 1 => "a param has no such form",
        "params" => "no such input, output or param",
        _ => "no input, output, param or global has this name",
    }
}

fn help(name: &str, group: &Group) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts.as_slice() {
        ["globals", global] => match closest(global, group.globals.iter().map(String::as_str)) {
            Some(close) => format!("did you mean `globals.{close}`?"),
            None => format!("globals: {}", group.globals.join(", ")),
        },
        ["params", _, form] => match closest(form, PARAM_FORMS.iter().copied()) {
            Some(close) => format!("did you mean `.{close}`?"),
            None => format!("a param has {}", PARAM_FORMS.join(", ")),
        },
        ["params", param] => match closest(param, group.params.iter().map(String::as_str)) {
            Some(close) => format!("did you mean `params.{close}`?"),
            None => declared(group),
        },
        [section, param] if SECTIONS.contains(section) && group.params.iter().any(|known| known == param) => {
            format!("write `{{{{ {param} }}}}`, or `{{{{ params.{param}.value }}}}`")
        }
        [first, ..] => {
            let own = group.params.iter().map(String::as_str).chain(["globals", "params", "init", "connections"]);
            let hidden = group.globals.iter().find(|global| global == first);
            match (closest(first, own), hidden) {
                (_, Some(global)) => format!("did you mean `globals.{global}`?"),
                (Some(close), None) => format!("did you mean `{close}`?"),
                (None, None) => declared(group),
            }
        }
        [] => declared(group),
    }
}

fn declared(group: &Group) -> String {
    if group.params.is_empty() {
        return "declare it under `inputs`; without declarations there are `globals` and `params` only".to_owned();
    }
    format!("declare it under `inputs`; declared: {}", likeness::listed(&group.params))
}

/// Where a name stands in a template.
fn position(text: &str, name: &str) -> Option<std::ops::Range<usize>> {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let mut from = text.find("{{").into_iter().chain(text.find("{%")).min()?;
    while let Some(found) = text[from..].find(name) {
        let start = from + found;
        let end = start + name.len();
        let before = text[..start].chars().next_back().is_some_and(|char| is_word(char) || char == '.');
        let after = text[end..].chars().next().is_some_and(is_word);
        if !before && !after {
            return Some(start..end);
        }
        from = end;
    }
    // `params['x']` and the like: the first part at least.
    let (first, _) = name.split_once('.')?;
    position(text, first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_words() {
        assert_eq!(position("epoch {{ epochs + epoch }}", "epoch"), Some(18..23));
        assert_eq!(position("{{ params['x'] }}", "params.x"), Some(3..9));
        assert_eq!(position("{{ a.lr }}", "lr"), None);
        assert_eq!(position("plain", "plain"), None);
    }
}
