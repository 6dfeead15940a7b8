//! Where the containers of each runtime are: the runtime itself, or its replicas.

use polyaxon_spec::node::Node;

/// The paths of the parts that have containers, init and connections of their own.
pub(super) fn paths(operation: &Node) -> Vec<Vec<String>> {
    let Some(run) = operation.get("run") else { return Vec::new() };
    let kind = run.get("kind").and_then(Node::as_str).unwrap_or_default();
    let names: &[&str] = match kind {
        "tfjob" => &["chief", "worker", "ps", "evaluator"],
        "pytorchjob" => &["master", "worker"],
        "mpijob" => &["launcher", "worker"],
        "daskcluster" => &["worker", "scheduler"],
        "raycluster" => &["head"],
        "dag" => return Vec::new(),
        _ => return vec![path(&["run"])],
    };
    let mut paths: Vec<Vec<String>> = names.iter().map(|name| path(&["run", name])).collect();
    if kind == "raycluster" {
        let workers = run.get("workers").and_then(Node::as_map);
        paths.extend(workers.iter().flat_map(|map| map.iter()).map(|(key, _)| path(&["run", "workers", &key.text])));
    }
    paths.retain(|path| at(operation, path).is_some_and(|node| node.as_map().is_some()));
    paths
}

pub(super) fn at<'a>(operation: &'a Node, path: &[String]) -> Option<&'a Node> {
    path.iter().try_fold(operation, |node, key| node.get(key))
}

pub(super) fn at_mut<'a>(operation: &'a mut Node, path: &[String]) -> Option<&'a mut Node> {
    path.iter().try_fold(operation, |node, key| node.as_map_mut()?.get_mut(key))
}

fn path(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}
