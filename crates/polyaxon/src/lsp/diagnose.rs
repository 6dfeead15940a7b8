//! The findings of `polyaxon check` for a text that is being typed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use polyaxon_spec::check::{self, Outcome, Request};
use polyaxon_spec::compose;
use polyaxon_spec::decode::DocumentRole;
use polyaxon_spec::diagnostic::{Diagnostic, codes};
use polyaxon_spec::loader::Loader;
use polyaxon_spec::references::{self, Collector, Origin};
use polyaxon_spec::schema::DOCUMENT;
use polyaxon_spec::span::Sources;
use polyaxon_spec::{dag, params};

use super::outline::ROOT;
use super::world::{Document, OpenLoader, World, resolve};
use crate::source::loader::WorldLoader;
use crate::source::read;

/// Fields that make a document more than something to lay over another one.
const ESSENCE: &[&str] =
    &["kind", "run", "component", "hubRef", "pathRef", "urlRef", "dagRef", "container", "cmd", "ports"];

/// Findings with the texts that they point into.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) sources: Sources,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The files behind the names of the sources.
    pub(crate) files: BTreeMap<String, PathBuf>,
    /// Names that only a network has; what is said about them is no mistake.
    pub(crate) skipped: Vec<String>,
    /// The references of the document, with the files that they name: what is wrong in those is shown here.
    pub(crate) references: Vec<(Option<PathBuf>, Range<usize>)>,
}

/// Checks the open document at `path`.
pub(crate) fn findings(world: &World, path: &Path) -> Findings {
    let Some(text) = world.open.get(path) else { return Findings::default() };
    let document = Document::new(text.clone(), Some(path.to_owned()));
    if !is_ours(&document) {
        return Findings::default();
    }
    let mut loader = OpenLoader { open: &world.open, files: WorldLoader::default(), skipped: Vec::new() };
    let name = path.display().to_string();
    let outcome = if is_preset(&document) { preset(&name, &mut loader) } else { whole(&name, &document, &mut loader) };
    let mut diagnostics = outcome.diagnostics;
    // An empty document is about to be written.
    diagnostics.retain(|finding| finding.code != codes::EMPTY || !text.trim().is_empty());
    let files = loader.files.files.into_iter().collect();
    let references = references_of(&document);
    Findings { sources: outcome.sources, diagnostics, files, skipped: loader.skipped, references }
}

fn references_of(document: &Document) -> Vec<(Option<PathBuf>, Range<usize>)> {
    let Document { text, outline, path } = document;
    let folder = path.as_deref().and_then(Path::parent);
    let entries = outline.entries.iter().enumerate();
    let references = entries.filter_map(|(id, entry)| {
        let is_path = matches!(entry.name.as_str(), "pathRef" | "path_ref");
        let is_reference = is_path || matches!(entry.name.as_str(), "hubRef" | "hub_ref" | "urlRef" | "url_ref");
        let range = outline.inner(id, text).filter(|_| is_reference)?;
        Some((folder.filter(|_| is_path).map(|folder| resolve(folder, &text[range.clone()])), range))
    });
    references.collect()
}

/// Editors hand over every YAML file; manifests and settings of others are none of our business.
fn is_ours(document: &Document) -> bool {
    let Document { outline, path, .. } = document;
    let name = path.as_ref().and_then(|path| path.file_name()).and_then(|name| name.to_str()).unwrap_or_default();
    let mut keys = outline.keys(ROOT).map(|key| outline.entry(key).name.as_str());
    let is_named = name.starts_with("polyaxon");
    let is_foreign = outline.child(ROOT, "apiVersion").is_some();
    is_named || (!is_foreign && keys.any(|key| DOCUMENT.field(key).is_some()))
}

/// By its mark, by the name of the file or its folder, or because it holds nothing that could run.
fn is_preset(document: &Document) -> bool {
    let Document { text, outline, path } = document;
    let is_marked = outline.text_of(ROOT, "isPreset", text) == Some("true");
    let mut names = path.iter().flat_map(|path| path.iter().rev().take(2)).filter_map(|name| name.to_str());
    let is_called_so = outline.child(ROOT, "kind").is_none() && names.any(|name| name.contains("preset"));
    let has_keys = outline.keys(ROOT).next().is_some();
    is_marked || is_called_so || (has_keys && ESSENCE.iter().all(|name| outline.child(ROOT, name).is_none()))
}

/// A preset has nothing below it yet: only its fields can be checked.
fn preset(name: &str, loader: &mut OpenLoader) -> Outcome {
    let mut outcome = Outcome::default();
    let Outcome { sources, diagnostics, .. } = &mut outcome;
    let Ok(loaded) = loader.file(None, name) else { return outcome };
    let origin = Origin::of_file(&loaded);
    if let Some(mut node) = references::read(&loaded, DocumentRole::Preset, sources, diagnostics) {
        references::collect_nodes(&mut node, &origin, &mut Collector::new(sources, loader, diagnostics));
    }
    outcome
}

fn whole(name: &str, document: &Document, loader: &mut OpenLoader) -> Outcome {
    let request = Request { files: vec![name.to_owned()], ..Request::default() };
    let outcome = read::advise(&request, loader);
    let is_component = document.outline.text_of(ROOT, "kind", &document.text) == Some("component");
    let mut errors = outcome.diagnostics.iter().filter(|finding| finding.is_error()).peekable();
    let lacks_params = errors.peek().is_some() && errors.all(|finding| finding.code == codes::PARAM_REQUIRED);
    if is_component && lacks_params { without_params(request, loader) } else { outcome }
}

/// A component gets its params when it is run; that they are missing while it is written is no mistake.
fn without_params(request: Request, loader: &mut OpenLoader) -> Outcome {
    loader.files.files.clear();
    let mut outcome = check::check(&Request { lint: true, ..request }, loader);
    let Some(operation) = &outcome.operation else { return outcome };
    match compose::compose(operation) {
        Err(problems) => outcome.diagnostics.extend(problems),
        Ok(compiled) => {
            let mut found = params::validate(&compiled.operation, &compiled.params, &params::Context::new());
            found.retain(|finding| finding.code != codes::PARAM_REQUIRED);
            let is_dag =
                compiled.operation.at(&["run", "kind"]).and_then(polyaxon_spec::node::Node::as_str) == Some("dag");
            if is_dag && !found.iter().any(Diagnostic::is_error) {
                found.extend(dag::check(&compiled.operation));
            }
            outcome.diagnostics.extend(found);
            outcome.compiled = Some(compiled);
        }
    }
    if !outcome.has_errors() {
        read::add_templates(&mut outcome);
        read::add_advice(&mut outcome);
    }
    outcome
}

impl Findings {
    /// The reference of the document that leads to a file, or to a file that leads there.
    pub(crate) fn reference_to(&self, path: Option<&Path>) -> Option<Range<usize>> {
        let named = self.references.iter().find(|(named, _)| path.is_some() && named.as_deref() == path);
        named.or(self.references.first()).map(|(_, range)| range.clone())
    }

    /// Whether a finding says only that something was not looked up.
    pub(crate) fn is_skipped(&self, finding: &Diagnostic) -> bool {
        finding.code == codes::REFERENCE_UNRESOLVED
            && self.skipped.iter().any(|name| finding.message.contains(&format!(": {name}`")))
    }
}
