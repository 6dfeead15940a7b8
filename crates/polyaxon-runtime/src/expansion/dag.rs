//! The operations of a dag as children: in an order in which each comes after what it waits for.

use std::collections::{BTreeMap, HashMap, HashSet};

use polyaxon_engine::flow::rerun::{Earlier, Part, Rerun, plan};
use polyaxon_engine::flow::trigger::OnSkip;
use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::Trigger;
use polyaxon_model::run::Run;
use polyaxon_spec::dag::{self, GraphNode};
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::events::{Awaited, Source};
use polyaxon_spec::node::{Map, Node};
use polyaxon_spec::patch::{Strategy, apply_preset};
use polyaxon_spec::refs::{self, Entity, Reference};
use polyaxon_spec::wire;
use polyaxon_store::hub;
use polyaxon_store::pipelines::children::{Batch, Component, NewChild, Pace, Upstream};
use polyaxon_store::pipelines::events::Listen;
use polyaxon_store::pipelines::{child_id, rerun};
use serde_json::Value as Json;

use crate::compile::sentences;

#[derive(Debug)]
pub(super) struct Dag {
    children: Vec<NewChild>,
}

impl Dag {
    /// `earlier` has the operations of the run whose results are kept in part.
    pub(super) fn read(run: &Run, resolved: &Node, earlier: &BTreeMap<String, Earlier>) -> Result<Dag, String> {
        let graph = dag::graph(resolved).map_err(|problems| sentences(&problems))?;
        let problems: Vec<Diagnostic> =
            dag::validate(resolved, &graph).into_iter().filter(Diagnostic::is_error).collect();
        if !problems.is_empty() {
            return Err(sentences(&problems));
        }
        let handed_on = handed_on(resolved);
        let ids: HashMap<&str, RunId> =
            graph.nodes.iter().map(|node| (node.name.as_str(), child_id(run.uuid, &node.name))).collect();
        let listened_to: HashSet<&str> =
            graph.nodes.iter().flat_map(|node| &node.events).filter_map(operation).collect();
        let operations = rerun::operations(&graph);
        let parts = match Rerun::of_run(&run.meta_info) {
            Some(rerun) => plan(&operations, earlier, &rerun.selection).map_err(|refusal| refusal.to_string())?,
            None => BTreeMap::new(),
        };
        let level = levels(&graph.order);
        let mut children = Vec::with_capacity(graph.nodes.len());
        for (index, node) in graph.nodes.iter().enumerate() {
            let document = dag::document(resolved, index).map_err(|problems| sentences(&problems))?;
            let mut child = child(run, node, document, &ids, &listened_to, handed_on.as_ref())?;
            child.part = parts.get(node.name.as_str()).cloned().unwrap_or_default();
            if let Part::Within(rerun) = &child.part {
                rerun.remember(&mut child.meta_info);
            }
            children.push((level.get(node.name.as_str()), child));
        }
        // Level by level, and as they are written inside of a level.
        children.sort_by_key(|(level, _)| *level);
        Ok(Dag { children: children.into_iter().map(|(_, child)| child).collect() })
    }

    pub(super) fn batch(&self, from: u64, most: u64) -> Batch {
        let rest = self.children.get(from as usize..).unwrap_or_default();
        let children: Vec<NewChild> = rest.iter().take(most as usize).cloned().collect();
        let pace = if children.len() == rest.len() { Pace::Complete } else { Pace::AtOnce };
        let expected = self.children.len() as u64;
        Batch {
            from,
            expected,
            children,
            begins_early: false,
            pace,
            ends_seen: 0,
            early_stopping: None,
            experience: None,
        }
    }
}

fn levels(order: &[Vec<String>]) -> HashMap<&str, usize> {
    let levels = order.iter().enumerate();
    levels.flat_map(|(level, names)| names.iter().map(move |name| (name.as_str(), level))).collect()
}

fn child(
    run: &Run,
    node: &GraphNode,
    mut document: Node,
    ids: &HashMap<&str, RunId>,
    listened_to: &HashSet<&str>,
    handed_on: Option<&Node>,
) -> Result<NewChild, String> {
    let operation = &node.compiled.operation;
    let component = component(&document);
    if let Some(preset) = handed_on {
        apply_preset(&mut document, preset, Strategy::PreMerge)
            .map_err(|problems| format!("{}: {}", node.name, sentences(&problems)))?;
    }
    let text = |field: &str| operation.get(field).and_then(Node::as_str).map(str::to_owned);
    let tags = operation.get("tags").and_then(Node::as_list);
    let trigger = text("trigger").and_then(|word| word.parse().ok()).unwrap_or(Trigger::AllSucceeded);
    let skips = operation.get("skipOnUpstreamSkip").and_then(Node::as_bool) == Some(true);
    let (kind, runtime) = super::family(operation)?;
    let values = references(&node.compiled.params);
    let upstream = |name: &String| {
        let run = *ids.get(name.as_str())?;
        Some(Upstream { run, values: values.get(name).map(|values| Json::Object(values.clone())) })
    };
    let mut meta_info = super::inherited(run);
    if listened_to.contains(node.name.as_str()) {
        meta_info.insert("has_downstream_events_trigger".to_owned(), Json::Bool(true));
    }
    Ok(NewChild {
        uuid: child_id(run.uuid, &node.name),
        kind,
        runtime,
        name: Some(node.name.clone()),
        description: text("description"),
        tags: tags.map(|tags| tags.iter().filter_map(Node::as_str).map(str::to_owned).collect()),
        meta_info,
        inputs: Some(literals(&node.compiled.params)).filter(|inputs| !inputs.is_empty()),
        raw_content: wire::to_source(&document).map_err(|problems| sentences(&problems))?.to_string(),
        component,
        requires_approval: operation.get("isApproved").and_then(Node::as_bool) == Some(false),
        trigger,
        on_skip: if skips { OnSkip::Skip } else { OnSkip::GoOn },
        upstream: node.ends.iter().filter_map(upstream).collect(),
        listens: node.events.iter().map(|event| listen(event, ids)).collect(),
        part: Part::Run,
        origin: None,
    })
}

/// The operation that an event happens to.
fn operation(event: &Awaited) -> Option<&str> {
    match &event.source {
        Source::Run(Entity::Operation(name)) => Some(name),
        Source::Run(_) | Source::Silent(_) => None,
    }
}

fn listen(event: &Awaited, ids: &HashMap<&str, RunId>) -> Listen {
    let run = match &event.source {
        Source::Run(Entity::Operation(name)) => ids.get(name.as_str()).copied(),
        Source::Run(Entity::Run(uuid)) => uuid.parse().ok(),
        Source::Run(Entity::Dag) | Source::Silent(_) => None,
    };
    Listen { run, kinds: event.kinds.clone() }
}

fn component(document: &Node) -> Component {
    let reference = document.get("hubRef").and_then(Node::as_str).filter(|name| !name.is_empty());
    match (reference, document.get("component").filter(|component| !component.is_null())) {
        (Some(reference), Some(component)) => {
            Component::OfHub { reference: reference.to_owned(), brought: hub::component_state(component) }
        }
        _ => Component::Own,
    }
}

/// Param names and what they refer to, by operation.
fn references(params: &Map) -> BTreeMap<String, JsonMap> {
    let mut values: BTreeMap<String, JsonMap> = BTreeMap::new();
    for (key, param) in params.iter() {
        if let Ok(Some(Reference { entity: Entity::Operation(name), value })) = refs::read(&key.text, param) {
            values.entry(name).or_default().insert(key.text.clone(), Json::String(value.text()));
        }
    }
    values
}

/// Params that are values already.
fn literals(params: &Map) -> JsonMap {
    let literal = params.iter().filter(|(_, param)| param.get("ref").is_none_or(Node::is_null));
    literal.filter_map(|(key, param)| Some((key.text.clone(), param.get("value")?.to_json()))).collect()
}

/// The sections that operations take from the dag where they have nothing of their own.
fn handed_on(resolved: &Node) -> Option<Node> {
    let is_set = |node: &&Node| match &node.value {
        polyaxon_spec::node::Value::Null => false,
        polyaxon_spec::node::Value::List(items) => !items.is_empty(),
        polyaxon_spec::node::Value::Map(map) => !map.is_empty(),
        _ => true,
    };
    let mut preset = Map::new();
    for field in ["cache", "termination", "plugins", "queue"] {
        if let Some(value) = resolved.get(field).filter(is_set) {
            preset.insert(field, value.clone());
        }
    }
    // The dag itself tells of its end; its operations tell what they say themselves.
    if let Some(plugins) = preset.get_mut("plugins").and_then(Node::as_map_mut) {
        plugins.retain(|key, _| key.text != "notifications");
    }
    let mut patch = Map::new();
    for field in ["environment", "connections", "volumes"] {
        if let Some(value) = resolved.at(&["run", field]).filter(is_set) {
            patch.insert(field, value.clone());
        }
    }
    if !patch.is_empty() {
        preset.insert("runPatch", Node::map(patch));
    }
    (!preset.is_empty()).then(|| Node::map(preset))
}
