//! What the runs of a schedule are made of.

use polyaxon_model::run::Run;
use polyaxon_spec::node::{Map, Node};
use polyaxon_spec::{children, compose, wire};
use polyaxon_store::pipelines::schedule::{self, Plan};

use crate::compile::sentences;

pub(super) fn plan(run: &Run, document: &Node, resolved: &Node) -> Result<Plan, String> {
    let section = resolved.get("schedule").ok_or("the operation has no schedule")?.to_json();
    schedule::read(&section)?;
    let mut child = children::scheduled(document, resolved);
    disable_cache(&mut child);
    let raw_content = wire::to_source(&child).map_err(|problems| sentences(&problems))?.to_string();
    let composed = compose::compose(&child).map_err(|problems| sentences(&problems))?;
    let (kind, runtime) = super::family(&composed.operation)?;
    Ok(Plan {
        schedule: section,
        raw_content,
        kind,
        runtime,
        name: run.name.clone(),
        description: run.description.clone(),
        tags: run.tags.clone(),
        meta_info: super::inherited(run),
    })
}

/// Runs of a schedule repeat on purpose, so they reuse no result unless they ask for it.
fn disable_cache(child: &mut Node) {
    let says_so = child.at(&["cache", "disable"]).is_some_and(|node| !node.is_null());
    let Some(map) = child.as_map_mut().filter(|_| !says_so) else { return };
    let mut cache = map.get("cache").and_then(Node::as_map).cloned().unwrap_or_else(Map::new);
    cache.insert("disable", Node::bool(true));
    map.insert("cache", Node::map(cache));
}
