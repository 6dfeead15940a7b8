//! The names that a document can refer to: inputs and outputs, operations and components of a dag, globals.

use std::ops::Range;
use std::path::PathBuf;

use polyaxon_compile::context::{self, Pass, RunContext};
use polyaxon_spec::node::{Key, Node};

use super::outline::{Outline, ROOT, Role};
use super::typing;
use super::world::{self, Document, World};

/// Documents in a row that are read for their inputs.
const DEEPEST: usize = 8;

/// A declared input or output.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Io {
    /// `inputs` or `outputs`
    pub(crate) list: &'static str,
    pub(crate) name: String,
    pub(crate) ty: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) default: Option<String>,
    pub(crate) place: Place,
}

/// A range of a document; `path` is `None` for components of the hub.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) path: Option<PathBuf>,
    pub(crate) range: Range<usize>,
    /// The text that the range is in, of other documents than the open one.
    pub(crate) text: Option<String>,
}

/// The inputs and outputs of the document at `id`, with those of the component that it refers to.
pub(crate) fn ios(document: &Document, id: usize, world: &World) -> Vec<Io> {
    let mut found = Vec::new();
    collect(document, id, world, 0, &mut found);
    found
}

fn collect(document: &Document, id: usize, world: &World, depth: usize, found: &mut Vec<Io>) {
    let Document { text, outline, path } = document;
    for list in ["inputs", "outputs"] {
        let Some(declared) = outline.child(id, list) else { continue };
        for item in outline.items(declared) {
            let Some(name) = outline.child(item, "name") else { continue };
            let Some(range) = outline.inner(name, text) else { continue };
            let owned = |key: &str| outline.text_of(item, key, text).map(str::to_owned);
            found.push(Io {
                list,
                name: text[range.clone()].to_owned(),
                ty: owned("type"),
                description: owned("description"),
                default: owned("value"),
                place: Place { path: path.clone(), range, text: (depth > 0).then(|| text.clone()) },
            });
        }
    }
    if depth >= DEEPEST {
        return;
    }
    if let Some(component) = outline.child(id, "component") {
        return collect(document, component, world, depth, found);
    }
    if let Some(name) = outline.text_of(id, "dagRef", text) {
        let component = dag_of(outline, id).and_then(|dag| named(outline, text, dag, "components", name));
        // A component that names itself is the check's to report.
        if let Some(component) = component.filter(|component| *component != id) {
            collect(document, component, world, depth + 1, found);
        }
        return;
    }
    let path_ref = outline.text_of(id, "pathRef", text).and_then(|name| world.document(path.as_deref(), name));
    let hub_ref = || outline.text_of(id, "hubRef", text).and_then(world::component);
    if let Some(other) = path_ref.or_else(hub_ref) {
        collect(&other, ROOT, world, depth + 1, found);
    }
}

/// The `run` entry of the dag that holds an entry as one of its nodes or components.
pub(crate) fn dag_of(outline: &Outline, id: usize) -> Option<usize> {
    let chain = outline.chain(id);
    chain.iter().rev().copied().find_map(|id| {
        let entry = outline.entry(id);
        let is_list = entry.role == Role::Key && matches!(entry.name.as_str(), "operations" | "components");
        (is_list && outline.entry(entry.parent).name == "run").then_some(entry.parent)
    })
}

/// The names in a list of a dag, with the place of each name and its node.
pub(crate) fn nodes<'a>(
    outline: &Outline,
    text: &'a str,
    dag: usize,
    list: &str,
) -> Vec<(&'a str, Range<usize>, usize)> {
    let Some(list) = outline.child(dag, list) else { return Vec::new() };
    let named = |item: usize| {
        let range = outline.inner(outline.child(item, "name")?, text)?;
        Some((&text[range.clone()], range, item))
    };
    outline.items(list).filter_map(named).collect()
}

/// The node of this name.
pub(crate) fn named(outline: &Outline, text: &str, dag: usize, list: &str, name: &str) -> Option<usize> {
    nodes(outline, text, dag, list).into_iter().find(|(known, ..)| *known == name).map(|(.., item)| item)
}

/// The names of `globals`, of services with theirs.
pub(crate) fn globals() -> Vec<String> {
    let service = Node::map([(Key::new("kind"), Node::string("service"))].into_iter().collect());
    let operation = Node::map([(Key::new("run"), service)].into_iter().collect());
    let globals = context::globals(&RunContext::default(), Pass::Runtime { namespace: "", operation: &operation });
    globals.as_map().into_iter().flat_map(|map| map.iter()).map(|(key, _)| key.text.clone()).collect()
}

/// What a template in the document of `id` can name at its first level: declared values and given params.
pub(crate) fn variables(document: &Document, id: usize, world: &World) -> Vec<Io> {
    let Document { text, outline, path } = document;
    let owner = typing::document_of(outline, text, id);
    let mut found = ios(document, owner, world);
    for params in [Some(owner), outline.child(owner, "matrix")].into_iter().flatten() {
        let Some(params) = outline.child(params, "params") else { continue };
        for param in outline.keys(params).map(|param| outline.entry(param)) {
            if !found.iter().any(|io| io.name == param.name) {
                found.push(Io {
                    list: "params",
                    name: param.name.clone(),
                    ty: None,
                    description: None,
                    default: None,
                    place: Place { path: path.clone(), range: param.span.clone(), text: None },
                });
            }
        }
    }
    found
}
