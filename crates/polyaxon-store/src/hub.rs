//! `hubRef`: component versions of this server, and what is built in, as the components of operations; the state of a
//! component.
//!
//! Invariants: what is registered goes before what is built in; equal components have equal states, whatever the order of
//! their keys and the spelling of their text.

use polyaxon_model::ids::{OWNER_NAMESPACE, StateId};
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::hub::{self, HubName};
use polyaxon_spec::loader::{LoadError, Loaded, Loader};
use polyaxon_spec::node::Node;
use polyaxon_spec::references::{self, Collector, Origin};
use polyaxon_spec::span::Sources;
use polyaxon_spec::yaml;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::db::{Tx, args, first};
use crate::{Error, Result, projects};

/// A registered component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// `project:version`.
    pub name: String,
    pub content: String,
    pub state: Option<StateId>,
}

/// Puts the components that `hubRef` names into a document and, for a dag, into its operations. Components that are
/// there already stay. `project` is the project of the run: a name without version may be a version of it.
pub fn collect(tx: &mut dyn Tx, document: &mut Node, project: &str) -> std::result::Result<(), Vec<Diagnostic>> {
    let (mut sources, mut problems) = (Sources::default(), Vec::new());
    let mut registry = Registry { tx, project };
    references::collect(document, &Origin::default(), &mut Collector::new(&mut sources, &mut registry, &mut problems));
    problems.retain(Diagnostic::is_error);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The component state of a run of this document, once its references were collected: that of the version which its
/// `hubRef` names, or of the component that came along.
pub fn state_of_document(tx: &mut dyn Tx, document: &Node, project: &str) -> Result<Option<StateId>> {
    let Some(name) = document.get("hubRef").and_then(Node::as_str).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    match find(tx, name, project)? {
        Some(component) if component.state.is_some() => Ok(component.state),
        _ => Ok(document.get("component").filter(|component| !component.is_null()).map(component_state)),
    }
}

/// The component that a reference `[owner/]project[:version]` names. The owner is not read: there is only one.
pub fn find(tx: &mut dyn Tx, reference: &str, project: &str) -> Result<Option<Component>> {
    let name = HubName::parse(reference);
    if let Some(component) = version(tx, &name.name, name.version())? {
        return Ok(Some(component));
    }
    // The newest one stands in for the latest.
    if name.version() == hub::LATEST {
        if let Some(component) = newest(tx, &name.name)? {
            return Ok(Some(component));
        }
    }
    match name.version {
        Some(_) => Ok(None),
        None => version(tx, project, &name.name),
    }
}

/// The state of a component: a digest of its content without `kind` and `version`.
pub fn component_state(component: &Node) -> StateId {
    let mut json = component.to_json();
    if let Some(fields) = json.as_object_mut() {
        fields.remove("kind");
        fields.remove("version");
    }
    let mut text = String::new();
    write_sorted(&json, &mut text);
    StateId::new(Uuid::new_v5(&OWNER_NAMESPACE, text.as_bytes()))
}

fn write_sorted(value: &Json, out: &mut String) {
    match value {
        Json::Object(fields) => {
            let mut entries: Vec<_> = fields.iter().filter(|(_, value)| !value.is_null()).collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (key, value) in entries {
                out.push_str(&Json::from(key.as_str()).to_string());
                out.push(':');
                write_sorted(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Json::Array(items) => {
            out.push('[');
            for item in items {
                write_sorted(item, out);
                out.push(',');
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

const COMPONENTS: &str = "SELECT p.name || ':' || v.name, v.content, v.state FROM project_versions v \
     JOIN projects p ON p.id = v.project_id \
     WHERE p.name = ?1 AND p.live_state >= 0 AND v.kind = 'component' AND v.content IS NOT NULL";

fn version(tx: &mut dyn Tx, project: &str, version: &str) -> Result<Option<Component>> {
    let sql = format!("{COMPONENTS} AND v.name = ?2");
    first(tx, &sql, args![project, version])?.map(read).transpose()
}

fn newest(tx: &mut dyn Tx, project: &str) -> Result<Option<Component>> {
    let sql = format!("{COMPONENTS} AND v.stage <> 'disabled' ORDER BY v.created_at DESC, v.id DESC LIMIT 1");
    first(tx, &sql, args![project])?.map(read).transpose()
}

fn read(mut row: crate::db::Row) -> Result<Component> {
    Ok(Component { name: row.take()?, content: row.take()?, state: row.take()? })
}

/// The store as a place to load components from. Files and addresses are not the business of a server.
struct Registry<'a> {
    tx: &'a mut dyn Tx,
    project: &'a str,
}

impl Loader for Registry<'_> {
    fn file(&mut self, _: Option<&str>, _: &str) -> std::result::Result<Loaded, LoadError> {
        Err(LoadError::unreadable("the server does not read files")
            .help("submit the file with `polyaxon run`, which reads what it refers to"))
    }

    fn url(&mut self, _: &str) -> std::result::Result<Loaded, LoadError> {
        Err(LoadError::unreadable("the server does not read addresses")
            .help("submit the file with `polyaxon run`, which reads what it refers to"))
    }

    fn hub(&mut self, name: &str) -> std::result::Result<Loaded, LoadError> {
        let unreadable = |error: Error| LoadError::unreadable(error.to_string());
        match find(self.tx, name, self.project).map_err(unreadable)? {
            Some(component) => Ok(Loaded {
                identity: component.name.clone(),
                name: format!("hub:{}", component.name),
                text: as_yaml(component.content).into_bytes(),
                folder: None,
            }),
            None => {
                let name = HubName::parse(name);
                match hub::bundled(&name) {
                    Some(text) => {
                        let name = format!("hub:{}:{}", name.name, name.version());
                        Ok(Loaded { identity: name.clone(), name, text, folder: None })
                    }
                    None => Err(self.unknown(&name).map_err(unreadable)?),
                }
            }
        }
    }
}

impl Registry<'_> {
    /// What is missing, and what there is instead.
    fn unknown(&mut self, name: &HubName) -> Result<LoadError> {
        if projects::live_id(self.tx, &name.name)?.is_none() {
            let sql = "SELECT DISTINCT p.name FROM project_versions v JOIN projects p ON p.id = v.project_id \
                       WHERE v.kind = 'component' AND p.live_state >= 0 ORDER BY p.name LIMIT 20";
            let projects = list(self.tx, sql, args![])?;
            let error = LoadError::not_found(format!("there is no project `{}` on this server", name.name));
            let built_in = hub::names().join(", ");
            return Ok(error.help(match projects.as_str() {
                "" => format!("no project has component versions, register one with `polyaxon components register`; built in are: {built_in}"),
                projects => format!("projects with component versions are: {projects}; built in are: {built_in}"),
            }));
        }
        let sql = "SELECT v.name FROM project_versions v JOIN projects p ON p.id = v.project_id \
                   WHERE p.name = ?1 AND v.kind = 'component' ORDER BY v.updated_at DESC, v.id DESC LIMIT 20";
        let versions = list(self.tx, sql, args![name.name.as_str()])?;
        let message = format!("the project `{}` has no component version `{}`", name.name, name.version());
        Ok(LoadError::not_found(message).help(match versions.as_str() {
            "" => "it has none; register one with `polyaxon components register`".to_owned(),
            versions => format!("its component versions are: {versions}"),
        }))
    }
}

fn list(tx: &mut dyn Tx, sql: &str, values: &[crate::db::Value]) -> Result<String> {
    let names: Vec<String> = tx.query(sql, values)?.into_iter().map(|mut row| row.take()).collect::<Result<_>>()?;
    Ok(names.join(", "))
}

/// Contents in JSON are read as JSON, where `1e-05` is a number; references are read as YAML, where it is a text.
fn as_yaml(content: String) -> String {
    match serde_json::from_str::<Json>(&content) {
        Ok(json) => yaml::emit(&Node::from_json(&json)),
        Err(_) => content,
    }
}
