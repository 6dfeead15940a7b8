//! What can be typed at a place: keys of the section, and with [`values`] and [`variables`] everything else.

mod values;
mod variables;

use std::ops::Range;

use polyaxon_spec::reference;
use polyaxon_spec::section::{Field, Section, Type, snake_case};

use super::names;
use super::outline::{Role, Slot, slot};
use super::template;
use super::typing::{self, Members, Typed};
use super::world::{Document, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Field,
    Word,
    Type,
    Reference,
    File,
    Folder,
    Variable,
}

/// One proposal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) label: String,
    pub(crate) insert: String,
    pub(crate) kind: Kind,
    pub(crate) detail: String,
    pub(crate) doc: String,
    /// Required fields and the like come first: low numbers first.
    pub(crate) rank: u8,
}

/// Proposals, and what they replace.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Completion {
    pub(crate) range: Range<usize>,
    pub(crate) candidates: Vec<Candidate>,
}

impl Candidate {
    fn new(label: impl Into<String>, kind: Kind) -> Candidate {
        let label = label.into();
        Candidate { insert: label.clone(), label, kind, detail: String::new(), doc: String::new(), rank: 5 }
    }

    fn detail(self, detail: impl Into<String>) -> Candidate {
        Candidate { detail: detail.into(), ..self }
    }

    fn doc(self, doc: impl Into<String>) -> Candidate {
        Candidate { doc: doc.into(), ..self }
    }
}

/// What can be typed at `offset`.
pub(crate) fn complete(document: &Document, world: &World, offset: usize) -> Completion {
    let Document { text, outline, .. } = document;
    match slot(outline, text, offset) {
        None => Completion::default(),
        Some(Slot::Key { parent, word, is_complete }) => {
            let suffix = if is_complete { Suffix::Nothing } else { Suffix::Colon };
            // The cursor may stand in the middle of a word that is no key yet.
            Completion { range: word, candidates: keys(document, world, parent, suffix) }
        }
        Some(Slot::Item { list }) => {
            let typed = typing::typed(outline, text, list);
            let item = Typed { ty: typed.ty.and_then(typing::item_type), is_field: false, ..typed };
            Completion { range: offset..offset, candidates: values::values(document, world, list, &item, "") }
        }
        Some(Slot::Value { entry, word }) => {
            let written = outline.entry(entry).value.clone().unwrap_or(offset..offset);
            if let Some(name) = template::name_at(text, written, offset) {
                return variables::variables(document, world, entry, &name);
            }
            // A long text has nothing to choose from, and behind the closing quote nothing can be typed.
            if text[word.clone()].contains(['\n', '\r']) || !(word.start..=word.end).contains(&offset) {
                return Completion::default();
            }
            let typed = typing::typed(outline, text, entry);
            let mut candidates = values::values(document, world, entry, &typed, &text[word.start..offset]);
            if outline.entry(entry).role == Role::Item {
                candidates.extend(keys(document, world, entry, Suffix::Colon));
            }
            Completion { range: word, candidates }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Suffix {
    Colon,
    Nothing,
}

/// The keys that the mapping of `parent` may have and has not.
fn keys(document: &Document, world: &World, parent: usize, suffix: Suffix) -> Vec<Candidate> {
    let Document { text, outline, .. } = document;
    let typed = typing::typed(outline, text, parent);
    let holder = outline.entry(parent);
    // In a list, a key starts an item.
    let item = typed.ty.and_then(typing::item_type).filter(|_| !holder.in_flow && holder.flow.is_none());
    if let Some(item) = item {
        let item = Typed { ty: Some(item), is_field: false, ..typed };
        let mut candidates = keys_of(document, world, parent, &item, suffix);
        for candidate in &mut candidates {
            candidate.insert.insert_str(0, "- ");
        }
        return candidates;
    }
    let written: Vec<String> = outline.keys(parent).map(|key| snake_case(&outline.entry(key).name)).collect();
    let mut candidates = keys_of(document, world, parent, &typed, suffix);
    if suffix == Suffix::Colon {
        candidates.retain(|candidate| !written.contains(&snake_case(&candidate.label)));
    }
    candidates
}

fn keys_of(document: &Document, world: &World, parent: usize, typed: &Typed, suffix: Suffix) -> Vec<Candidate> {
    let Document { text, outline, .. } = document;
    let finish = |name: &str, is_nested: bool| match (suffix, is_nested) {
        (Suffix::Nothing, _) => name.to_owned(),
        (Suffix::Colon, true) => format!("{name}:"),
        (Suffix::Colon, false) => format!("{name}: "),
    };
    let of_section = |section: &'static Section, kind: &str| {
        let fields = section.fields.iter();
        fields.map(|field| of_field(field, kind, finish(field.name, is_nested(&field.ty)))).collect::<Vec<_>>()
    };
    match typing::members(outline, text, parent, typed) {
        Members::Section((_, section)) => of_section(section, ""),
        Members::Choice(kinds) => {
            let mut candidates: Vec<Candidate> = Vec::new();
            for candidate in kinds.iter().flat_map(|(kind, section)| of_section(section, kind)) {
                match candidates.iter_mut().find(|known| known.label == candidate.label) {
                    Some(known) if known.label == "kind" => "the kind".clone_into(&mut known.detail),
                    Some(_) => {}
                    None => candidates.push(candidate),
                }
            }
            // The kind decides about everything else.
            for candidate in &mut candidates {
                candidate.rank = if candidate.label == "kind" { 0 } else { 6 };
            }
            candidates
        }
        Members::Object(object) => {
            let keys = object.keys.iter();
            keys.map(|key| {
                let is_required = object.required.contains(key);
                let detail = format!("Kubernetes {}{}", object.name, if is_required { ", required" } else { "" });
                let candidate = Candidate::new(*key, Kind::Field).detail(detail);
                Candidate { insert: finish(key, false), rank: if is_required { 1 } else { 5 }, ..candidate }
            })
            .collect()
        }
        Members::Free(_) if typed.field.is_some_and(|field| field.name == "params") => {
            let owner = typing::document_of(outline, text, parent);
            let ios = names::ios(document, owner, world).into_iter();
            ios.map(|io| {
                let candidate = variables::candidate(&io);
                let is_required = io.list == "inputs" && io.default.is_none();
                Candidate { insert: finish(&io.name, false), rank: if is_required { 1 } else { 5 }, ..candidate }
            })
            .collect()
        }
        Members::Free(_) | Members::Nothing => Vec::new(),
    }
}

fn of_field(field: &'static Field, kind: &str, insert: String) -> Candidate {
    let mut detail = reference::type_name(&field.ty);
    if field.required {
        detail.push_str(", required");
    }
    if !kind.is_empty() {
        detail.push_str(&format!(" ({kind})"));
    }
    let default = field.default.map_or(String::new(), |default| format!("\n\nDefault: {default}"));
    let doc = format!("{}{default}\n\n```yaml\n{}: {}\n```", field.doc, field.name, field.example);
    let rank = match (field.required, field.name) {
        (true, _) => 1,
        (false, "kind" | "name" | "run") => 3,
        (false, _) => 5,
    };
    Candidate { insert, rank, ..Candidate::new(field.name, Kind::Field).detail(detail).doc(doc) }
}

/// Whether a value of this type is usually written on lines of its own.
fn is_nested(ty: &Type) -> bool {
    match ty {
        Type::Section(_) | Type::Kinded(_) | Type::Runtime | Type::Kubernetes(_) | Type::Document | Type::Map(_) => {
            true
        }
        Type::AnyMap => true,
        Type::List(inner) => is_nested(inner),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
