//! What `polyaxon check` and `polyaxon run` do before anything is submitted (spec §11): read, collect references, wrap,
//! patch with presets and options, compose, validate. Every problem of every file is collected.
//!
//! Reads only through the [`Loader`].

mod options;
mod sandbox;
mod wrap;

use serde_json::Value as Json;

use crate::compose::{self, Compiled, Place};
use crate::dag;
use crate::decode::{self, DocumentRole};
use crate::diagnostic::{Diagnostic, codes};
use crate::events;
use crate::loader::{LoadError, LoadErrorKind, Loaded, Loader};
use crate::node::{Map, Node, Value};
use crate::params;
use crate::patch::{Strategy, apply_preset};
use crate::references::{self, Collector, Origin};
use crate::span::{Sources, Span};
use crate::yaml;

/// Default file names; the name is the outer loop, the extension the inner one.
const DEFAULT_NAMES: &[&str] = &["polyaxon", "polyaxonci", "polyaxon-ci", "polyaxon.ci", "polyaxonfile"];
const DEFAULT_EXTENSIONS: &[&str] = &["yaml", "yml", "json"];

/// What was asked on the command line, or by a caller of the API.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `-f`: the main file, then presets. Without any, `hub` or `url`, a default file is looked up.
    pub files: Vec<String>,
    pub hub: Option<String>,
    pub url: Option<String>,
    /// `-P name=value`
    pub params: Vec<String>,
    /// `-HP name=kind:value`
    pub hyper_params: Vec<String>,
    pub options: Options,
    pub inline: Inline,
    /// Root shortcuts given as a mapping by a caller of the API.
    pub shortcuts: Option<Json>,
    /// The init step of `--git-preset`.
    pub git_init: Option<Json>,
    /// `-m from[:to]`
    pub mounts: Vec<String>,
    pub sandbox: bool,
    pub ignore_template: bool,
    /// Only read and patch: no composition, params and graph are not validated.
    pub lint: bool,
}

/// Fields of the operation that options set.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub presets: Option<Vec<String>>,
    pub queue: Option<String>,
    pub namespace: Option<String>,
    /// A truth word: whether a cached run may be used.
    pub cache: Option<String>,
    pub nocache: bool,
    /// A truth word.
    pub approved: Option<String>,
    pub strict_params: Option<bool>,
    /// A whole matrix, given by a caller of the API.
    pub matrix: Option<Json>,
    pub matrix_kind: Option<String>,
    pub matrix_concurrency: Option<i64>,
    pub matrix_num_runs: Option<i64>,
}

/// `--image` and friends: a preset that is laid over everything else.
#[derive(Clone, Debug, Default)]
pub struct Inline {
    pub image: Option<String>,
    /// Lines of one script.
    pub cmd: Vec<String>,
    /// `NAME=VALUE`
    pub env: Vec<String>,
    pub cpu: Option<String>,
    pub memory: Option<String>,
    pub gpu: Option<String>,
    /// `80,443`
    pub ports: Vec<String>,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Every text that was read; the spans of the diagnostics point into them.
    pub sources: Sources,
    pub diagnostics: Vec<Diagnostic>,
    /// The operation to submit; `None` when there are errors.
    pub operation: Option<Node>,
    /// Its composition; `None` with errors and with `lint`.
    pub compiled: Option<Compiled>,
    /// The operation is marked as a template by its owner: it is valid, but must not be submitted.
    pub is_template: bool,
}

impl Outcome {
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Checks a request.
pub fn check(request: &Request, loader: &mut dyn Loader) -> Outcome {
    let mut outcome = Outcome::default();
    let operation = build(request, loader, &mut outcome);
    if outcome.has_errors() {
        return outcome;
    }
    let Some(mut operation) = operation else { return outcome };
    if !request.lint || request.sandbox {
        match compose::compose(&operation) {
            Ok(compiled) => {
                validate(request, &compiled, &mut outcome.diagnostics);
                outcome.compiled = Some(compiled);
            }
            Err(problems) => outcome.diagnostics.extend(problems),
        }
    }
    if outcome.has_errors() {
        outcome.compiled = None;
        return outcome;
    }
    append_mounts(&mut operation, &request.mounts);
    if let (Some(compiled), false) = (&mut outcome.compiled, request.mounts.is_empty()) {
        append_mounts(&mut compiled.operation, &request.mounts);
    }
    if request.ignore_template && is_template(&operation) {
        if let Some(template) = operation.as_map_mut().and_then(|map| map.get_mut("template")) {
            template.as_map_mut().into_iter().for_each(|map| map.insert("enabled", Node::bool(false)));
        }
    }
    outcome.is_template = is_template(&operation);
    outcome.operation = Some(operation);
    outcome
}

/// Whether the owner of a document marked it as one to fill in first.
pub fn is_template(operation: &Node) -> bool {
    match operation.at(&["template", "enabled"]).map(|enabled| &enabled.value) {
        Some(Value::Bool(enabled)) => *enabled,
        Some(Value::Str(text)) => !text.is_empty(),
        _ => false,
    }
}

fn validate(request: &Request, compiled: &Compiled, problems: &mut Vec<Diagnostic>) {
    if !request.lint {
        problems.extend(params::validate(&compiled.operation, &compiled.params, &params::Context::new()));
        problems.extend(events::check(&compiled.operation, Place::Root));
        if compiled.operation.at(&["run", "kind"]).and_then(Node::as_str) == Some("dag")
            && !problems.iter().any(Diagnostic::is_error)
        {
            problems.extend(dag::check(&compiled.operation));
        }
    }
    if request.sandbox {
        problems.extend(sandbox::check_composed(&compiled.operation));
    }
}

/// Everything up to the operation that would be submitted.
fn build(request: &Request, loader: &mut dyn Loader, outcome: &mut Outcome) -> Option<Node> {
    let Outcome { sources, diagnostics, .. } = outcome;
    let options = wrap::read_options(request, sources).unwrap_or_else(|problems| {
        diagnostics.extend(problems);
        None
    });
    let inline = options::inline(request, sources).unwrap_or_else(|problems| {
        diagnostics.extend(problems);
        None
    });
    let is_sourceless = request.files.is_empty() && request.url.is_none() && request.hub.is_none();
    let has_image = inline.as_ref().is_some_and(|inline| inline.get("container").is_some());
    let mut files = request.files.clone();
    if is_sourceless && !has_image {
        files.extend(default_file(loader));
    }
    let is_sourceless = is_sourceless && files.is_empty();
    let inline = if request.sandbox && is_sourceless { Some(sandbox::service(inline)) } else { inline };

    let main = read_main(request, &mut files, is_sourceless, inline.as_ref(), loader, sources, diagnostics);
    let inline = inline.filter(|_| !is_sourceless);
    let presets = read_presets(&files, loader, sources, diagnostics);
    let mut document = main?;
    if diagnostics.iter().any(Diagnostic::is_error) {
        return None;
    }
    let result = (|| {
        document = wrap::wrap(document, request.hub.as_deref(), options)?;
        for preset in presets.iter().chain(&inline) {
            apply_preset(&mut document, preset, Strategy::of(preset))?;
        }
        if let Some(init) = &request.git_init {
            apply_preset(&mut document, &git_preset(init), Strategy::PreMerge)?;
        }
        if request.sandbox {
            sandbox::apply(&mut document)?;
        }
        Ok::<_, Vec<Diagnostic>>(document)
    })();
    result.map_err(|problems| diagnostics.extend(problems)).ok()
}

/// Reads the main document and takes it off `files`.
fn read_main(
    request: &Request,
    files: &mut Vec<String>,
    is_sourceless: bool,
    inline: Option<&Node>,
    loader: &mut dyn Loader,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Node> {
    if let (Some(hub), Some(url)) = (&request.hub, &request.url) {
        let message = format!("the component comes from the hub (`{hub}`) or from a URL (`{url}`), not from both");
        diagnostics.push(Diagnostic::error(codes::CLI_PARAM, Span::NONE, message).help("leave out `--hub` or `--url`"));
        return None;
    }
    let (loaded, origin) = if let Some(name) = &request.hub {
        (loader.hub(name).map_err(|error| unread("hub component", name, error)), Origin::default())
    } else if let Some(url) = &request.url {
        (loader.url(url).map_err(|error| unread("URL", url, error)), Origin::default())
    } else if !files.is_empty() {
        let name = files.remove(0);
        let loaded = loader.file(None, &name).map_err(|error| no_file(&name, error));
        let origin = loaded.as_ref().map(Origin::of_file).unwrap_or_default();
        (loaded, origin)
    } else if let (true, Some(inline)) = (is_sourceless, inline) {
        // Inline options alone are the whole document.
        return decode::document(inline.clone(), DocumentRole::Main, diagnostics);
    } else {
        diagnostics.push(nothing_given());
        return None;
    };
    let loaded = loaded.map_err(|problem| diagnostics.push(problem)).ok()?;
    let mut document = references::read(&loaded, DocumentRole::Main, sources, diagnostics)?;
    references::collect(&mut document, &origin, &mut Collector::new(sources, loader, diagnostics));
    Some(document)
}

fn read_presets(
    files: &[String],
    loader: &mut dyn Loader,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Node> {
    let mut presets = Vec::new();
    for name in files {
        let (loaded, origin) = match loader.file(None, name) {
            Ok(loaded) => {
                let origin = Origin::of_file(&loaded);
                (loaded, origin)
            }
            Err(error) => match inline_text(name).filter(|_| error.kind == LoadErrorKind::NotFound) {
                Some(loaded) => (loaded, Origin::default()),
                None => {
                    diagnostics.push(no_file(name, error));
                    continue;
                }
            },
        };
        if let Some(mut preset) = references::read(&loaded, DocumentRole::Preset, sources, diagnostics) {
            references::collect_nodes(&mut preset, &origin, &mut Collector::new(sources, loader, diagnostics));
            presets.push(preset);
        }
    }
    presets
}

/// A preset argument that is no file may be YAML text itself: `-f '{queue: fast}'`.
fn inline_text(argument: &str) -> Option<Loaded> {
    let document = yaml::read(crate::span::SourceId::NONE, argument.as_bytes()).ok()?;
    document.node.as_map()?;
    Some(Loaded { name: "-f".into(), text: argument.as_bytes().to_vec(), identity: argument.to_string(), folder: None })
}

fn default_file(loader: &mut dyn Loader) -> Option<String> {
    let names = DEFAULT_NAMES.iter();
    let mut files =
        names.flat_map(|name| DEFAULT_EXTENSIONS.iter().map(move |extension| format!("{name}.{extension}")));
    files.find(|file| !matches!(loader.file(None, file), Err(error) if error.kind == LoadErrorKind::NotFound))
}

fn git_preset(init: &Json) -> Node {
    let list = [(crate::node::Key::new("init"), Node::list(vec![Node::from_json(init)]))];
    let patch = Node::map(list.into_iter().collect());
    Node::map([(crate::node::Key::new("runPatch"), patch)].into_iter().collect())
}

fn append_mounts(operation: &mut Node, mounts: &[String]) {
    if mounts.is_empty() {
        return;
    }
    let added = mounts.iter().map(Node::string);
    let Some(map) = operation.as_map_mut() else { return };
    match map.get_mut("mount").map(|mount| &mut mount.value) {
        Some(Value::List(items)) => items.extend(added),
        _ => map.insert("mount", Node::list(added.collect())),
    }
}

fn nothing_given() -> Diagnostic {
    let message = "there is nothing to check: no file was given, and no default file is in this folder";
    Diagnostic::error(codes::NO_FILE, Span::NONE, message).help(
        "use `-f FILE`, `--hub NAME`, `--url URL` or `--image IMAGE`; the default names start with polyaxonfile.yaml",
    )
}

fn no_file(name: &str, error: LoadError) -> Diagnostic {
    let problem = Diagnostic::error(codes::NO_FILE, Span::NONE, format!("cannot read `{name}`: {}", error.message));
    match error.help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

fn unread(what: &str, name: &str, error: LoadError) -> Diagnostic {
    let message = format!("cannot read the {what} `{name}`: {}", error.message);
    let problem = Diagnostic::error(codes::REFERENCE_UNRESOLVED, Span::NONE, message);
    match error.help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// A component as the operation that the server stores for it.
pub(crate) fn wrap_component(component: Node) -> Node {
    wrap::as_operation(component, Map::new())
}

/// A mapping with one entry.
fn entry(name: &str, value: Node) -> Map {
    [(crate::node::Key::new(name), value)].into_iter().collect()
}
