//! Patching runtimes: kindless `run` mappings and `runPatch` are read as the kind of the runtime below (spec §12.4,
//! §12.7).

use super::{Strategy, patch_section};
use crate::decode;
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Map, Node, Value};
use crate::schema;
use crate::section::{Section, Type};

/// Why a run patch cannot be used, every problem at once.
pub type RunPatchError = Vec<Diagnostic>;

/// The kinds whose patches may be flat: one patch that is meant for every replica.
const DISTRIBUTED: &[&str] = &["tfjob", "pytorchjob", "mpijob", "daskcluster", "raycluster"];

/// The kind of a typed runtime; `None` for kindless mappings.
pub fn kind_of(run: &Node) -> Option<&str> {
    run.get("kind").and_then(Node::as_str)
}

/// The table of a runtime kind.
pub fn runtime_section(kind: &str) -> Option<&'static Section> {
    schema::RUNTIMES.iter().find(|(name, _)| *name == kind).map(|(_, section)| *section)
}

/// Applies `value` (a typed runtime, a kindless mapping or null) to `current`.
///
/// `base` is the runtime that a kindless `current` stands on; a document patched by a preset keeps only its own
/// fields, the inherited ones stay in its component.
pub fn patch_run(
    current: Option<&Node>,
    value: &Node,
    strategy: Strategy,
    base: Option<&Node>,
    path: &str,
) -> Result<Option<Node>, RunPatchError> {
    let mut current = current.filter(|run| !run.is_null()).cloned();
    if let Some(run) = current.as_mut().filter(|run| kind_of(run).is_none()) {
        let base = base.ok_or_else(|| vec![no_base(run)])?;
        let read = read_run_patch(run, base, path)?;
        *run = Node::new(runtime_map(base, read), run.span);
    }
    if value.as_map().is_some() && kind_of(value).is_none() {
        let runtime = match (&current, base) {
            (Some(run), Some(base)) if kind_of(base) == kind_of(run) => base,
            (Some(run), _) => run,
            (None, Some(base)) => base,
            (None, None) => return Err(vec![no_base(value)]),
        };
        let patch = read_run_patch(value, runtime, path)?;
        return Ok(Some(match current.as_ref() {
            Some(run) => patched(run, &patch, strategy),
            None => Node::new(runtime_map(runtime, patch), value.span),
        }));
    }
    match &current {
        Some(run) if !value.is_null() && kind_of(run) == kind_of(value) => {
            Ok(value.as_map().map(|patch| patched(run, patch, strategy)))
        }
        Some(_) if !strategy.prefers_patch() => Ok(current),
        _ => Ok(Some(value.clone())),
    }
}

/// The runtime with `patch`, which was read as its kind, applied.
pub fn patched(run: &Node, patch: &Map, strategy: Strategy) -> Node {
    let mut run = run.clone();
    let section = kind_of(&run).and_then(runtime_section);
    if let (Some(section), Some(config)) = (section, run.as_map_mut()) {
        patch_section(section, config, patch, strategy);
    }
    run
}

/// The runtime of a document with those of the components below it, without shortcuts and run patches.
pub fn native_run(document: &Node) -> Result<Option<Node>, RunPatchError> {
    let below = match document.get("component") {
        Some(component) if !component.is_null() => native_run(component)?,
        _ => None,
    };
    let Some(run) = document.get("run") else { return Ok(below) };
    if below.is_none() && run.as_map().is_some() && kind_of(run).is_none() {
        return Ok(None);
    }
    let patched = patch_run(below.as_ref(), run, Strategy::of(document), None, "run")?;
    Ok(patched.filter(|run| !run.is_null()))
}

/// Reads a mapping without kind as a partial runtime of the kind of `runtime`.
///
/// For distributed kinds a patch that does not read as the kind is tried on every replica that is present.
pub fn read_run_patch(patch: &Node, runtime: &Node, path: &str) -> Result<Map, RunPatchError> {
    let kind = kind_of(runtime).unwrap_or_default();
    let Some(section) = runtime_section(kind) else {
        let message = format!("`{path}` cannot be applied: the runtime below has no known kind");
        return Err(vec![Diagnostic::error(codes::RUN_KIND, patch.span, message).path(path)]);
    };
    let mut keyed = patch.clone();
    let Some(map) = keyed.as_map_mut() else {
        let message = format!("`{path}` must be a mapping, found a {}", patch.kind_name());
        return Err(vec![Diagnostic::error(codes::TYPE, patch.span, message).label("expected a mapping").path(path)]);
    };
    if let Some(written) = map.remove("kind") {
        if written.as_str() != Some(kind) {
            return Err(vec![other_kind(&written, kind, path)]);
        }
    }
    let mut problems = Vec::new();
    decode::section(section, &mut keyed, path, &mut problems);
    if !problems.iter().any(Diagnostic::is_error) {
        return Ok(keyed.as_map().cloned().unwrap_or_default());
    }
    if DISTRIBUTED.contains(&kind) && patch.get("kind").is_none() {
        if let Some(flat) = read_flat(section, patch, runtime, path) {
            // Keys of the kind itself say that the keyed form was meant: its problems are the useful ones.
            let keys_of_kind = patch.as_map().is_some_and(|map| {
                map.iter().any(|(key, _)| section.fields.iter().any(|field| names_field(field.name, &key.text)))
            });
            match flat {
                Err(_) if keys_of_kind => {}
                result => return result,
            }
        }
    }
    problems.retain(Diagnostic::is_error);
    Err(problems.into_iter().map(|problem| explain(problem, kind)).collect())
}

/// The patch read once per present replica, keyed by role.
fn read_flat(
    section: &'static Section,
    patch: &Node,
    runtime: &Node,
    path: &str,
) -> Option<Result<Map, RunPatchError>> {
    let mut result = Map::new();
    let mut replica_table = None;
    for field in section.fields {
        let Some(table) = replica_section(&field.ty) else { continue };
        let is_group = holds_groups(&field.ty);
        replica_table = replica_table.or(Some(table));
        let Some(present) = runtime.get(field.name).filter(|replica| !replica.is_null()) else { continue };
        let read = match read_replica(table, patch, path) {
            Ok(read) => read,
            Err(problems) => return Some(Err(problems)),
        };
        if is_group {
            let names = present.as_map().into_iter().flat_map(Map::iter);
            let groups = names.map(|(name, _)| (name.clone(), read.clone())).collect();
            result.insert(field.name, Node::map(groups));
        } else {
            result.insert(field.name, read);
        }
    }
    if result.is_empty() {
        // No replica is present: the patch must be valid for one, and changes nothing.
        return Some(read_replica(replica_table?, patch, path).map(|_| Map::new()));
    }
    Some(Ok(result))
}

fn read_replica(table: &'static Section, patch: &Node, path: &str) -> Result<Node, RunPatchError> {
    let mut read = patch.clone();
    let mut problems = Vec::new();
    decode::section(table, &mut read, path, &mut problems);
    problems.retain(Diagnostic::is_error);
    if problems.is_empty() { Ok(read) } else { Err(problems) }
}

/// A field of a distributed runtime that holds replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Replica(&'static str),
    /// A mapping of replicas by group name.
    Groups(&'static str),
}

/// The replica fields of a runtime, whether present or not.
pub fn replica_fields(run: &Node) -> Vec<Role> {
    let fields = kind_of(run).and_then(runtime_section).map_or(&[][..], |section| section.fields);
    let role = |field: &'static crate::section::Field| {
        replica_section(&field.ty)?;
        Some(if holds_groups(&field.ty) { Role::Groups(field.name) } else { Role::Replica(field.name) })
    };
    fields.iter().filter_map(role).collect()
}

fn holds_groups(ty: &Type) -> bool {
    match ty {
        Type::Map(_) => true,
        Type::Either(first, second) => holds_groups(first) || holds_groups(second),
        _ => false,
    }
}

/// The replica table of a field that holds one replica or a mapping of them.
fn replica_section(ty: &'static Type) -> Option<&'static Section> {
    match ty {
        Type::Section(section) if section.fields.iter().any(|field| field.name == "replicas") => Some(section),
        Type::Map(inner) => replica_section(inner),
        Type::Either(first, second) => replica_section(first).or_else(|| replica_section(second)),
        _ => None,
    }
}

/// A typed runtime of the kind of `runtime` with the fields of `patch`.
pub fn runtime_map(runtime: &Node, patch: Map) -> Value {
    let mut map = Map::new();
    if let Some(kind) = runtime.get("kind") {
        map.insert("kind", kind.clone());
    }
    for (key, value) in patch {
        map.insert_key(key, value);
    }
    Value::Map(map)
}

/// Whether `written` is the field `name`, in camelCase or snake_case.
fn names_field(name: &str, written: &str) -> bool {
    name == written || name == written.split('_').enumerate().map(capitalized).collect::<String>()
}

fn capitalized((index, part): (usize, &str)) -> String {
    let mut letters = part.chars();
    match letters.next() {
        Some(first) if index > 0 => first.to_uppercase().chain(letters).collect(),
        _ => part.to_string(),
    }
}

fn explain(problem: Diagnostic, kind: &str) -> Diagnostic {
    if problem.help.is_some() {
        return problem;
    }
    problem.help(format!("the runtime below is a `{kind}`: only its fields can be patched"))
}

fn no_base(run: &Node) -> Diagnostic {
    Diagnostic::error(codes::RUN_KIND, run.span, "`run` has no `kind`, and no component below gives it one")
        .label("which runtime is this?")
        .path("run")
        .help("add `kind: job` (or service, dag, ...), or reference a component with hubRef, pathRef or urlRef")
}

fn other_kind(written: &Node, kind: &str, path: &str) -> Diagnostic {
    let found = written.as_str().map_or_else(|| written.kind_name().to_string(), |text| format!("`{text}`"));
    let message = format!("`{path}.kind` is {found}, but the runtime below is a `{kind}`");
    Diagnostic::error(codes::VALUE, written.span, message)
        .label(format!("expected `{kind}`"))
        .path(format!("{path}.kind"))
        .help("a patch cannot change the kind of a runtime; leave `kind` out, or replace the whole `run`")
}
