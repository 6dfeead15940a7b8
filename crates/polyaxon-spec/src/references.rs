//! References between documents: `hubRef`, `urlRef` and `pathRef` become inline components (spec §10).

use crate::decode::{self, DocumentRole};
use crate::diagnostic::{Diagnostic, codes};
use crate::loader::{LoadError, Loaded, Loader};
use crate::node::{Node, Value};
use crate::patch::{kind_of, native_run, read_run_patch, runtime_map};
use crate::span::Sources;
use crate::spelling;
use crate::yaml;

/// Where a document came from: its paths are relative to `folder`, and what led to it must not come again.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    folder: Option<String>,
    chain: Vec<Link>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Link {
    field: &'static str,
    identity: String,
    /// As the reader wrote it.
    shown: String,
}

impl Origin {
    /// The origin of a document that was read as a file.
    pub fn of_file(loaded: &Loaded) -> Origin {
        let link = Link { field: "pathRef", identity: loaded.identity.clone(), shown: loaded.name.clone() };
        Origin { folder: loaded.folder.clone(), chain: vec![link] }
    }
}

/// References in a row; longer chains are made by machines.
const MOST_IN_A_ROW: usize = 50;
/// References of one request; each is read anew where it is used, so a few files could name millions.
const MOST_IN_ALL: usize = 10_000;

/// What reading needs, and what it finds.
pub struct Collector<'a> {
    pub sources: &'a mut Sources,
    pub loader: &'a mut dyn Loader,
    pub problems: &'a mut Vec<Diagnostic>,
    count: usize,
}

impl<'a> Collector<'a> {
    pub fn new(
        sources: &'a mut Sources,
        loader: &'a mut dyn Loader,
        problems: &'a mut Vec<Diagnostic>,
    ) -> Collector<'a> {
        Collector { sources, loader, problems, count: 0 }
    }
}

/// Fills in the components of `document` and, for dags, of its nodes. Goes on after a problem, so that all are found.
pub fn collect(document: &mut Node, origin: &Origin, collector: &mut Collector) {
    match document.as_map_mut().and_then(|map| map.get_mut("component")).filter(|component| !component.is_null()) {
        // References beside a component are ignored, even broken ones.
        Some(component) => collect(component, origin, collector),
        None => {
            if let Some(component) = referenced(document, origin, collector) {
                if let Some(map) = document.as_map_mut() {
                    map.insert("component", component);
                }
            }
        }
    }
    type_dag_run(document);
    collect_nodes(document, origin, collector);
}

/// Does the same for the components and operations of a dag, also of a kindless one (presets).
pub fn collect_nodes(document: &mut Node, origin: &Origin, collector: &mut Collector) {
    let Some(run) = document.as_map_mut().and_then(|map| map.get_mut("run")) else { return };
    if kind_of(run).is_some_and(|kind| kind != "dag") {
        return;
    }
    for field in ["components", "operations"] {
        let Some(items) = run.as_map_mut().and_then(|map| map.get_mut(field)) else { continue };
        let Value::List(items) = &mut items.value else { continue };
        items.iter_mut().filter(|item| item.as_map().is_some()).for_each(|item| collect(item, origin, collector));
    }
}

/// A kindless `run` over a referenced dag is one too: its nodes may hold references.
fn type_dag_run(document: &mut Node) {
    let Some(run) = document.get("run").filter(|run| run.as_map().is_some() && kind_of(run).is_none()) else { return };
    let Some(component) = document.get("component").filter(|component| !component.is_null()) else { return };
    let Ok(Some(base)) = native_run(component) else { return };
    if kind_of(&base) != Some("dag") {
        return;
    }
    // A run that does not read as a dag is reported by composition.
    let Ok(read) = read_run_patch(run, &base, "run") else { return };
    let typed = Node::new(runtime_map(&base, read), run.span);
    if let Some(map) = document.as_map_mut() {
        map.insert("run", typed);
    }
}

/// Reads the one document that `document` refers to, with what that one refers to.
fn referenced(document: &Node, origin: &Origin, collector: &mut Collector) -> Option<Node> {
    let (field, value, name) = ["hubRef", "urlRef", "pathRef"].into_iter().find_map(|field| {
        let value = document.get(field)?;
        let name = value.as_str().filter(|name| !name.is_empty())?;
        Some((field, value, name))
    })?;
    collector.count += 1;
    if collector.count > MOST_IN_ALL || origin.chain.len() > MOST_IN_A_ROW {
        if collector.count <= MOST_IN_ALL + 1 {
            collector.problems.push(too_many(field, value, origin.chain.len()));
        }
        return None;
    }
    let loaded = match field {
        "hubRef" => collector.loader.hub(name),
        "urlRef" => collector.loader.url(name),
        _ => collector.loader.file(origin.folder.as_deref(), name),
    };
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            collector.problems.push(unresolved(field, value, name, error));
            return None;
        }
    };
    let link = Link { field, identity: loaded.identity.clone(), shown: name.to_string() };
    if origin.chain.iter().any(|known| known.field == link.field && known.identity == link.identity) {
        collector.problems.push(cycle(origin, &link, value));
        return None;
    }
    // A document that is not a local file leaves relative paths where they were.
    let folder = if field == "pathRef" { loaded.folder.clone() } else { origin.folder.clone() };
    let mut chain = origin.chain.clone();
    chain.push(link);
    let mut problems = Vec::new();
    let node = read(&loaded, DocumentRole::Component, collector.sources, &mut problems);
    let place = format!("referenced by this `{field}`");
    collector.problems.extend(problems.into_iter().map(|problem| problem.related(value.span, place.clone())));
    let mut node = node?;
    collect(&mut node, &Origin { folder, chain }, collector);
    Some(node)
}

/// Reads one document: text, YAML, sections. The text becomes a source.
pub fn read(
    loaded: &Loaded,
    role: DocumentRole,
    sources: &mut Sources,
    problems: &mut Vec<Diagnostic>,
) -> Option<Node> {
    let source = sources.add(&loaded.name, String::from_utf8_lossy(&loaded.text));
    match yaml::read(source, &loaded.text) {
        Ok(document) => {
            problems.extend(document.warnings);
            let text = sources.get(source).map_or("", |source| source.text.as_str());
            problems.extend(spelling::find(&document.node, text, role));
            decode::document(document.node, role, problems)
        }
        Err(more) => {
            problems.extend(more);
            None
        }
    }
}

fn unresolved(field: &'static str, value: &Node, name: &str, error: LoadError) -> Diagnostic {
    let message = format!("cannot read `{field}: {name}`: {}", error.message);
    let problem = Diagnostic::error(codes::REFERENCE_UNRESOLVED, value.span, message).label("not found").path(field);
    match error.help {
        Some(help) => problem.help(help),
        None if field == "pathRef" => problem.help("paths are relative to the folder of the file that names them"),
        None => problem,
    }
}

fn too_many(field: &'static str, value: &Node, in_a_row: usize) -> Diagnostic {
    let message = if in_a_row > MOST_IN_A_ROW {
        format!("more than {MOST_IN_A_ROW} references lead from one to the next")
    } else {
        format!("the documents hold more than {MOST_IN_ALL} references")
    };
    Diagnostic::error(codes::REFERENCE_CYCLE, value.span, message).label("not followed").path(field)
}

fn cycle(origin: &Origin, link: &Link, value: &Node) -> Diagnostic {
    let start = origin.chain.iter().position(|known| known.identity == link.identity).unwrap_or(0);
    let links: Vec<&str> = origin.chain[start..].iter().chain([link]).map(|link| link.shown.as_str()).collect();
    let message = format!("the reference `{}` leads back to where it started: {}", link.shown, links.join(" -> "));
    Diagnostic::error(codes::REFERENCE_CYCLE, value.span, message)
        .label("closes the circle")
        .path(link.field)
        .help("a component cannot contain itself; remove one of these references")
}
