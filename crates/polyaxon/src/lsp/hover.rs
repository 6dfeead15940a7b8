//! What stands at a place, explained: fields from the tables, kinds, variables of templates, references.

use std::ops::Range;

use polyaxon_spec::reference::{self, Explanation, Inner};

use super::definition;
use super::names::{self, Io};
use super::outline::{Role, Slot, slot};
use super::template;
use super::typing::{self, Members};
use super::world::{Document, World};

/// Fields or words that are listed.
const MOST: usize = 24;

/// A text in Markdown about a range.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hover {
    pub(crate) range: Range<usize>,
    pub(crate) markdown: String,
}

pub(crate) fn hover(document: &Document, world: &World, offset: usize) -> Option<Hover> {
    let Document { text, outline, .. } = document;
    match slot(outline, text, offset)? {
        Slot::Key { is_complete: false, .. } | Slot::Item { .. } => None,
        Slot::Key { parent, word, .. } => {
            let entry = outline.keys(parent).find(|key| outline.entry(*key).span == word)?;
            let markdown = about_key(document, world, entry)?;
            Some(Hover { range: word, markdown })
        }
        Slot::Value { entry, word } => {
            let written = outline.entry(entry).value.clone()?;
            if let Some(name) = template::name_at(text, written, offset) {
                return about_variable(document, world, entry, &name);
            }
            let markdown = about_value(document, world, entry)?;
            Some(Hover { range: word, markdown })
        }
    }
}

fn about_key(document: &Document, world: &World, entry: usize) -> Option<String> {
    let Document { text, outline, .. } = document;
    let typed = typing::typed(outline, text, entry);
    let name = &outline.entry(entry).name;
    let is_param = !typed.is_field && typed.field.is_some_and(|field| field.name == "params");
    if is_param {
        let owner = typing::document_of(outline, text, entry);
        let ios = names::ios(document, owner, world);
        if let Some(io) = ios.iter().find(|io| io.name == *name) {
            return Some(about_io(io));
        }
    }
    if typed.path.is_empty() {
        return None;
    }
    reference::explain(&typed.path).map(|explanation| explained(name, &explanation))
}

fn explained(name: &str, explanation: &Explanation) -> String {
    let mut text = format!("**{name}**: {}", explanation.ty);
    if explanation.template {
        text.push_str(", or a template");
    }
    if explanation.required {
        text.push_str(", required");
    }
    text.push_str(&format!("\n\n{}", explanation.meaning));
    if let Some(default) = explanation.default {
        text.push_str(&format!("\n\nDefault: {default}"));
    }
    if explanation.allowed.len() > 1 {
        text.push_str(&format!("\n\nAllowed: {}", listed(explanation.allowed.iter().copied())));
    }
    match &explanation.inner {
        Inner::Nothing => {}
        Inner::Fields(fields) => {
            text.push_str(&format!("\n\nFields: {}", listed(fields.iter().map(|(name, ..)| *name))));
        }
        Inner::Kinds(kinds) => text.push_str(&format!("\n\nKinds: {}", listed(kinds.iter().map(|(kind, _)| *kind)))),
        Inner::Keys(keys) => text.push_str(&format!("\n\nFields: {}", listed(keys.iter().copied()))),
    }
    if let Some(example) = &explanation.example {
        text.push_str(&format!("\n\n```yaml\n{example}\n```"));
    }
    text
}

fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = if names.len() > MOST { ", ..." } else { "" };
    names.take(MOST).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ") + more
}

fn about_value(document: &Document, world: &World, entry: usize) -> Option<String> {
    let Document { text, outline, .. } = document;
    let typed = typing::typed(outline, text, entry);
    let field = typed.field?;
    let written = outline.scalar(entry, text)?;
    let holder = outline.entry(entry);
    if field.name == "kind" && typed.is_field && holder.role == Role::Key {
        let parent = typing::typed(outline, text, holder.parent);
        return match typing::members(outline, text, holder.parent, &parent) {
            Members::Section((kind, section)) if kind == written => Some(format!("**{kind}**\n\n{}", section.doc)),
            _ => None,
        };
    }
    if let Some(target) = definition::reference(document, world, entry) {
        let path = target.path.as_ref().map(|path| format!("\n\n`{}`", path.display())).unwrap_or_default();
        let (other, id) = (target.document.as_ref().unwrap_or(document), target.entry);
        let description = other.outline.text_of(id, "description", &other.text).unwrap_or_default();
        let ios = names::ios(other, id, world);
        let lines: Vec<String> = ios.iter().map(|io| format!("* {}", line(io))).collect();
        return Some(format!("**{written}** {description}{path}\n\n{}", lines.join("\n")).trim_end().to_owned());
    }
    None
}

fn about_variable(document: &Document, world: &World, entry: usize, name: &template::Name) -> Option<Hover> {
    let Document { text, outline, .. } = document;
    let word = text.get(name.word.clone())?;
    let markdown = match name.before.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | ["params"] => {
            let variables = names::variables(document, typing::document_of(outline, text, entry), world);
            about_io(variables.iter().find(|io| io.name == word)?)
        }
        ["globals"] if names::globals().iter().any(|global| global == word) => {
            format!("**globals.{word}**\n\nA fact of the run.")
        }
        _ => return None,
    };
    Some(Hover { range: name.word.clone(), markdown })
}

fn about_io(io: &Io) -> String {
    let description = io.description.as_ref().map(|text| format!("\n\n{text}")).unwrap_or_default();
    format!("{}{description}", line(io))
}

fn line(io: &Io) -> String {
    let ty = io.ty.as_deref().unwrap_or("any");
    let default = io.default.as_ref().map(|default| format!(", default `{default}`")).unwrap_or_default();
    let what = io.list.trim_end_matches('s');
    format!("**{}**: {ty} ({what}{default})", io.name)
}
