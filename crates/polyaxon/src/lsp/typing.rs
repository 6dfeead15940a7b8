//! What the tables of the language say about the entries of an outline.

use polyaxon_spec::schema::{DOCUMENT, RUNTIMES, object_of, sections_of};
use polyaxon_spec::section::{Field, KubernetesObject, Section, Type};

use super::outline::{Outline, ROOT, Role};

/// A section and the kind that chooses it; empty without kinds.
type Choice = (&'static str, &'static Section);

static DOCUMENT_TYPE: Type = Type::Document;
static RUNTIME: Type = Type::Runtime;
static TEXT: Type = Type::Str;

/// What one entry is in the language.
#[derive(Clone, Debug, Default)]
pub(crate) struct Typed {
    /// The field whose value, or part of whose value, this is.
    pub(crate) field: Option<&'static Field>,
    /// The section that the field belongs to.
    pub(crate) owner: Option<&'static Section>,
    /// What the value may be; `None` when the language does not say.
    pub(crate) ty: Option<&'static Type>,
    /// The path from the nearest document, as `polyaxon explain` takes it.
    pub(crate) path: String,
    /// The entry is the field itself, not an item or a member of its value.
    pub(crate) is_field: bool,
}

/// The keys that a mapping may have.
#[derive(Clone, Debug)]
pub(crate) enum Members {
    Section(Choice),
    /// The kind is not chosen yet.
    Choice(Vec<Choice>),
    /// Free names.
    Free(&'static Type),
    Object(&'static KubernetesObject),
    Nothing,
}

/// Types an entry by walking down from the root.
pub(crate) fn typed(outline: &Outline, text: &str, id: usize) -> Typed {
    let root = Typed { ty: Some(&DOCUMENT_TYPE), ..Typed::default() };
    let chain = outline.chain(id);
    chain.windows(2).fold(root, |parent, pair| step(outline, text, &parent, pair[0], pair[1]))
}

/// The keys that the value of an entry may have.
pub(crate) fn members(outline: &Outline, text: &str, id: usize, typed: &Typed) -> Members {
    typed.ty.map_or(Members::Nothing, |ty| members_of(outline, text, id, ty))
}

/// The kinds that a section may have.
pub(crate) fn choices(ty: &'static Type) -> Vec<Choice> {
    match ty {
        Type::Kinded(kinds) => kinds.to_vec(),
        Type::Runtime => RUNTIMES.to_vec(),
        Type::Either(first, second) => [choices(first), choices(second)].concat(),
        _ => Vec::new(),
    }
}

/// What an item of a list may be.
pub(crate) fn item_type(ty: &'static Type) -> Option<&'static Type> {
    match ty {
        Type::List(inner) => Some(inner),
        Type::CsvList => Some(&TEXT),
        Type::Either(first, second) => item_type(first).or_else(|| item_type(second)),
        _ => None,
    }
}

pub(crate) fn is_document(typed: &Typed) -> bool {
    matches!(typed.ty, Some(Type::Document))
}

fn members_of(outline: &Outline, text: &str, id: usize, ty: &'static Type) -> Members {
    if let Some(object) = object_of(ty).filter(|_| !matches!(ty, Type::List(_) | Type::Map(_))) {
        return Members::Object(object);
    }
    match ty {
        Type::Map(inner) => Members::Free(inner),
        Type::Section(section) => Members::Section(("", section)),
        Type::Document => Members::Section(("", &DOCUMENT)),
        Type::Kinded(_) | Type::Runtime => chosen(outline, text, id, choices(ty)),
        Type::Either(first, second) => match members_of(outline, text, id, first) {
            Members::Nothing => members_of(outline, text, id, second),
            members => members,
        },
        Type::Custom(_) => match sections_of(ty).as_slice() {
            [section] => Members::Section(*section),
            _ => Members::Nothing,
        },
        _ => Members::Nothing,
    }
}

fn chosen(outline: &Outline, text: &str, id: usize, kinds: Vec<Choice>) -> Members {
    let kind = outline.text_of(id, "kind", text);
    match kinds.iter().find(|(name, _)| Some(*name) == kind) {
        Some(choice) => Members::Section(*choice),
        None => Members::Choice(kinds),
    }
}

fn step(outline: &Outline, text: &str, parent: &Typed, parent_id: usize, id: usize) -> Typed {
    let path = if is_document(parent) { "" } else { parent.path.as_str() };
    let entry = outline.entry(id);
    if entry.role == Role::Item {
        let ty = parent.ty.and_then(item_type);
        return Typed { ty, path: path.to_owned(), is_field: false, ..parent.clone() };
    }
    let name = entry.name.as_str();
    let of_field = |field: &'static Field, owner: &'static Section, kind: &str| {
        // A patch has the fields of what it patches.
        let ty = if field.name == "runPatch" { &RUNTIME } else { &field.ty };
        let path = joined(&joined(path, kind), field.name);
        Typed { field: Some(field), owner: Some(owner), ty: Some(ty), path, is_field: true }
    };
    match members(outline, text, parent_id, parent) {
        Members::Section((kind, section)) => match section.field(name) {
            Some(field) => of_field(field, section, kind),
            None => Typed::default(),
        },
        Members::Choice(kinds) => {
            let found = kinds.iter().find_map(|(kind, section)| Some((*kind, *section, section.field(name)?)));
            found.map_or_else(Typed::default, |(kind, section, field)| of_field(field, section, kind))
        }
        Members::Free(inner) => Typed { ty: Some(inner), path: joined(path, name), is_field: false, ..parent.clone() },
        Members::Object(_) => Typed { path: joined(path, name), ..Typed::default() },
        Members::Nothing => Typed::default(),
    }
}

fn joined(path: &str, name: &str) -> String {
    match (path, name) {
        (path, "") => path.to_owned(),
        ("", name) => name.to_owned(),
        (path, name) => format!("{path}.{name}"),
    }
}

/// The entry of the document that holds an entry: the root, a component, or a node of a dag.
pub(crate) fn document_of(outline: &Outline, text: &str, id: usize) -> usize {
    let root = Typed { ty: Some(&DOCUMENT_TYPE), ..Typed::default() };
    let chain = outline.chain(id);
    let (_, document) = chain.windows(2).fold((root, ROOT), |(parent, document), pair| {
        let typed = step(outline, text, &parent, pair[0], pair[1]);
        let document = if is_document(&typed) { pair[1] } else { document };
        (typed, document)
    });
    document
}

#[cfg(test)]
mod tests {
    use super::super::outline;
    use super::*;

    #[test]
    fn entries_have_their_place_in_the_language() {
        let text = "\
kind: operation
params:
  lr: {ref: ops.a}
matrix:
  kind: grid
  params:
    lr: {kind: choice, value: [1]}
runPatch: {environment: {nodeSelector: {}}}
hooks:
- {trigger: done}
component:
  run:
    kind: dag
    operations:
    - name: a
      component:
        inputs: [{name: x, is_optional: true}]
        run: {kind: job, container: {image: x}}
";
        let outline = outline::read(text);
        let paths: Vec<String> = (0..outline.entries.len())
            .filter(|id| outline.entry(*id).role == Role::Key)
            .map(|id| typed(&outline, text, id).path)
            .collect();
        for expected in [
            "kind",
            "params.lr.ref",
            "matrix.grid.params.lr.choice.value",
            "runPatch.job.environment",
            "hooks.trigger",
            "run.dag.operations",
            "name",
            "inputs.isOptional",
            "run.job.container.image",
        ] {
            assert!(paths.iter().any(|path| path == expected), "{expected} in {paths:?}");
        }
    }
}
