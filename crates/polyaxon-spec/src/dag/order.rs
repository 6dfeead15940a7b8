//! The topological order of a dag.

use std::collections::BTreeMap;

use super::GraphNode;

/// Levels of nodes whose upstreams are all in earlier levels, or the names of a circle.
pub(super) fn levels(nodes: &[GraphNode]) -> Result<Vec<Vec<String>>, Vec<String>> {
    let by_name: BTreeMap<&str, &GraphNode> = nodes.iter().map(|node| (node.name.as_str(), node)).collect();
    let mut waiting: BTreeMap<&str, usize> =
        nodes.iter().map(|node| (node.name.as_str(), node.upstream.len())).collect();
    let mut level: Vec<&str> = waiting.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    let mut levels = Vec::new();
    let mut visited = 0;
    while !level.is_empty() {
        visited += level.len();
        let mut next = Vec::new();
        for name in &level {
            for downstream in by_name.get(name).into_iter().flat_map(|node| &node.downstream) {
                let Some(count) = waiting.get_mut(downstream.as_str()) else { continue };
                *count -= 1;
                if *count == 0 {
                    next.push(downstream.as_str());
                }
            }
        }
        next.sort_unstable();
        levels.push(level.iter().map(|name| (*name).to_string()).collect());
        level = next;
    }
    if visited == nodes.len() { Ok(levels) } else { Err(circle(&by_name, &waiting)) }
}

/// A circle among the nodes that still wait: following upstreams must come back somewhere.
fn circle(by_name: &BTreeMap<&str, &GraphNode>, waiting: &BTreeMap<&str, usize>) -> Vec<String> {
    let is_waiting = |name: &str| waiting.get(name).is_some_and(|count| *count > 0);
    let mut path: Vec<&str> = Vec::new();
    let mut at = waiting.keys().copied().find(|name| is_waiting(name));
    while let Some(name) = at {
        if let Some(start) = path.iter().position(|known| *known == name) {
            return path[start..].iter().map(|name| (*name).to_string()).collect();
        }
        path.push(name);
        let node = by_name.get(name);
        at = node.and_then(|node| node.upstream.iter().map(String::as_str).find(|upstream| is_waiting(upstream)));
    }
    path.into_iter().map(str::to_string).collect()
}
