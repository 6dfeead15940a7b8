//! Where the thing is that a reference at a place means.

use std::ops::Range;
use std::path::PathBuf;

use super::names::{self, Place, dag_of};
use super::outline::{ROOT, Role, Slot, slot};
use super::template;
use super::typing;
use super::world::{self, Document, World};

/// A document that a reference leads to.
pub(super) struct Target {
    /// `None` when it is the document of the reference.
    pub(super) document: Option<Document>,
    pub(super) path: Option<PathBuf>,
    /// The entry of the component or operation.
    pub(super) entry: usize,
    range: Range<usize>,
}

pub(crate) fn definition(document: &Document, world: &World, offset: usize) -> Option<Place> {
    let Document { text, outline, .. } = document;
    match slot(outline, text, offset)? {
        Slot::Item { .. } => None,
        // The name of a param: the input that it is for.
        Slot::Key { parent, word, .. } => {
            let typed = typing::typed(outline, text, parent);
            let is_params = typed.is_field && typed.field.is_some_and(|field| field.name == "params");
            let owner = typing::document_of(outline, text, parent);
            let ios = if is_params { names::ios(document, owner, world) } else { Vec::new() };
            let name = text.get(word)?.trim_matches(['"', '\'']);
            ios.into_iter().find(|io| io.name == name).map(|io| io.place)
        }
        Slot::Value { entry, .. } => {
            let written = outline.entry(entry).value.clone()?;
            if let Some(name) = template::name_at(text, written, offset) {
                let is_variable = matches!(name.before.as_slice(), [] | [_] if name.before.first().is_none_or(|group| group == "params"));
                let word = text.get(name.word)?;
                let found = names::variables(document, entry, world).into_iter().find(|io| io.name == word);
                return found.filter(|_| is_variable).map(|io| io.place);
            }
            let target = reference(document, world, entry);
            let from_target = target.map(|target| Place {
                path: if target.document.is_some() { target.path } else { document.path.clone() },
                range: target.range,
                text: target.document.map(|document| document.text),
            });
            from_target.or_else(|| given(document, world, entry))
        }
    }
}

/// The document that the reference in a value means.
pub(super) fn reference(document: &Document, world: &World, entry: usize) -> Option<Target> {
    let Document { text, outline, path } = document;
    let field = typing::typed(outline, text, entry).field?;
    let written = outline.scalar(entry, text)?;
    let in_dag = |list: &str, name: &str| {
        let dag = dag_of(outline, entry)?;
        let (_, range, id) = names::nodes(outline, text, dag, list).into_iter().find(|(known, ..)| *known == name)?;
        Some(Target { document: None, path: None, entry: id, range })
    };
    match field.name {
        "pathRef" => {
            let other = world.document(path.as_deref(), written)?;
            Some(Target { path: other.path.clone(), document: Some(other), entry: ROOT, range: 0..0 })
        }
        "hubRef" => {
            let component = world::component(written)?;
            Some(Target { path: None, document: Some(component), entry: ROOT, range: 0..0 })
        }
        "dagRef" => in_dag("components", written),
        "dependencies" => in_dag("operations", written),
        "ref" => in_dag("operations", written.strip_prefix("ops.")?.split('.').next()?),
        _ => None,
    }
}

/// The output that the value of a param with a `ref` asks for.
fn given(document: &Document, world: &World, entry: usize) -> Option<Place> {
    let Document { text, outline, .. } = document;
    let holder = outline.entry(entry);
    if holder.role != Role::Key || holder.name != "value" {
        return None;
    }
    let (list, name) = outline.scalar(entry, text)?.split_once('.')?;
    let entity = outline.child(holder.parent, "ref")?;
    let owner = match reference(document, world, entity) {
        Some(target) => target.entry,
        None if outline.scalar(entity, text) == Some("dag") => outline.entry(dag_of(outline, entry)?).parent,
        None => return None,
    };
    names::ios(document, owner, world).into_iter().find(|io| io.list == list && io.name == name).map(|io| io.place)
}
