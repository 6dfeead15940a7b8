//! Values that can be chosen: words, kinds, types, files, components, operations of a dag and what they give.

use polyaxon_spec::io::known_types;
use polyaxon_spec::schema::{ARTIFACT_KINDS, DOCUMENT};
use polyaxon_spec::section::{Section, Type};

use super::{Candidate, Kind};
use crate::lsp::names::{self, dag_of, nodes};
use crate::lsp::outline::Role;
use crate::lsp::typing::{self, Typed};
use crate::lsp::world::{self, Document, World};
use polyaxon_spec::hub;

/// What the value of `entry` may be; `written` is what stands before the cursor.
pub(super) fn values(document: &Document, world: &World, entry: usize, typed: &Typed, written: &str) -> Vec<Candidate> {
    let Document { text, outline, path } = document;
    let Some(field) = typed.field else { return Vec::new() };
    let parent = outline.entry(entry).parent;
    let is_key = outline.entry(entry).role == Role::Key;
    let owner = typed.owner.map_or("", |owner| owner.name);
    if typed.is_field && field.name == "kind" && is_key {
        let kinds = typing::typed(outline, text, parent).ty.map(typing::choices).unwrap_or_default();
        if !kinds.is_empty() {
            return kinds.iter().map(|(kind, section)| kind_of(kind, section)).collect();
        }
    }
    match field.name {
        "type" if owner == "input or output" => types(),
        "pathRef" => world::files(path.as_deref(), written).into_iter().map(file).collect(),
        "hubRef" => hub::names().into_iter().map(component_of_the_hub).collect(),
        "dagRef" => in_dag(document, entry, "components", "component of the dag"),
        "dependencies" => in_dag(document, entry, "operations", "operation of the dag"),
        "ref" => entities(document, entry),
        "value" if owner == "param" => outputs(document, world, parent),
        _ => typed.ty.map(|ty| words(ty, field.default)).unwrap_or_default(),
    }
}

fn kind_of(kind: &str, section: &'static Section) -> Candidate {
    Candidate::new(kind, Kind::Word).detail(section.name).doc(section.doc)
}

fn types() -> Vec<Candidate> {
    let known = known_types().iter().map(|name| Candidate::new(*name, Kind::Type).detail("type"));
    let artifacts = ARTIFACT_KINDS.iter().filter(|kind| !known_types().contains(kind));
    let artifacts = artifacts.map(|kind| Candidate { rank: 6, ..Candidate::new(*kind, Kind::Type).detail("artifact") });
    known.chain(artifacts).collect()
}

fn file(path: String) -> Candidate {
    let kind = if path.ends_with('/') { Kind::Folder } else { Kind::File };
    Candidate::new(path, kind)
}

fn component_of_the_hub(name: String) -> Candidate {
    Candidate::new(name, Kind::Reference).detail("built in")
}

/// The names in a list of the dag around an entry, without the node that holds the entry.
fn in_dag(document: &Document, entry: usize, list: &str, what: &str) -> Vec<Candidate> {
    let Document { text, outline, .. } = document;
    let Some(dag) = dag_of(outline, entry) else { return Vec::new() };
    let around = outline.chain(entry);
    let nodes = nodes(outline, text, dag, list).into_iter();
    nodes
        .filter(|(_, _, node)| !around.contains(node))
        .map(|(name, ..)| Candidate::new(name, Kind::Reference).detail(what))
        .collect()
}

/// Whose values a reference can ask for.
fn entities(document: &Document, entry: usize) -> Vec<Candidate> {
    let mut candidates = in_dag(document, entry, "operations", "operation of the dag");
    for candidate in &mut candidates {
        candidate.label = format!("ops.{}", candidate.label);
        candidate.insert.clone_from(&candidate.label);
    }
    if dag_of(&document.outline, entry).is_some() {
        candidates.push(Candidate::new("dag", Kind::Reference).detail("the dag itself"));
    }
    let run = Candidate::new("runs.", Kind::Reference).detail("another run").doc("`runs.UUID`: a run by its uuid");
    candidates.push(Candidate { rank: 7, ..run });
    candidates
}

/// What the entity of a param's `ref` offers.
fn outputs(document: &Document, world: &World, param: usize) -> Vec<Candidate> {
    let Document { text, outline, .. } = document;
    let Some(entity) = outline.text_of(param, "ref", text) else { return Vec::new() };
    let dag = dag_of(outline, param);
    let node = match entity.strip_prefix("ops.") {
        Some(name) => dag.and_then(|dag| names::named(outline, text, dag, "operations", name)),
        None if entity == "dag" => dag.map(|dag| outline.entry(dag).parent),
        None => None,
    };
    let ios = node.map(|node| names::ios(document, node, world)).unwrap_or_default();
    let offered = ios.iter().filter(|io| entity != "dag" || io.list == "inputs").map(|io| {
        let candidate = Candidate::new(format!("{}.{}", io.list, io.name), Kind::Reference);
        let rank = if io.list == "outputs" { 2 } else { 3 };
        let candidate = candidate.detail(io.ty.clone().unwrap_or_else(|| "any".to_owned()));
        Candidate { rank, ..candidate.doc(io.description.clone().unwrap_or_default()) }
    });
    let mut candidates: Vec<Candidate> = offered.collect();
    for whole in ["outputs", "inputs", "artifacts"].iter().filter(|whole| entity != "dag" || **whole != "outputs") {
        candidates.push(Candidate { rank: 6, ..Candidate::new(*whole, Kind::Reference).detail("all of them") });
    }
    let globals = names::globals().into_iter().map(|name| format!("globals.{name}"));
    candidates.extend(globals.map(|name| Candidate { rank: 8, ..Candidate::new(name, Kind::Reference) }));
    candidates
}

/// The words of a type; items of lists of words included.
fn words(ty: &'static Type, default: Option<&str>) -> Vec<Candidate> {
    let word = |word: &str| {
        let detail = if default == Some(word) { "default" } else { "" };
        Candidate::new(word, Kind::Word).detail(detail)
    };
    match ty {
        Type::Bool => vec![word("true"), word("false")],
        Type::Enum(names) => {
            let is_of_document = DOCUMENT.field("kind").is_some_and(|kind| std::ptr::eq(&raw const kind.ty, ty));
            let doc = |name: &&str| match *name {
                "component" if is_of_document => "What can run: inputs, outputs and a runtime.",
                "operation" if is_of_document => "How to run a component: params, schedule, resources.",
                _ => "",
            };
            names.iter().map(|name| word(name).doc(doc(name))).collect()
        }
        Type::Either(first, second) => [words(first, default), words(second, default)].concat(),
        _ => Vec::new(),
    }
}
