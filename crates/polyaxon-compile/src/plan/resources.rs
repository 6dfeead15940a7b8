//! What a run asks of the machine it runs on.

use polyaxon_model::quantity;
use polyaxon_model::run::Resources;
use polyaxon_spec::node::{Map, Node, Value};

use crate::template::print;

/// What the main container requests, or is limited to where it requests nothing. Sums of several are the affair of
/// clusters: here one process runs at a time.
pub fn resources(resolved: &Node) -> Resources {
    let mut asked = Resources::default();
    let Some(wanted) = resolved.at(&["run", "container", "resources"]) else { return asked };
    let side = |name: &str| wanted.get(name).and_then(Node::as_map);
    let (requests, limits) = (side("requests"), side("limits"));
    for (map, other) in [(requests, None), (limits, requests)] {
        for (key, value) in map.into_iter().flat_map(Map::iter) {
            let is_requested = other.is_some_and(|other: &Map| other.get(&key.text).is_some());
            if !is_requested && !matches!(value.value, Value::Null) {
                add(&mut asked, &key.text, &print::text(value));
            }
        }
    }
    asked
}

fn add(asked: &mut Resources, name: &str, amount: &str) {
    let number = || quantity::cpu_cores(amount).or_else(|| quantity::memory_bytes(amount)).unwrap_or(0.0).max(0.0);
    match name {
        "cpu" => asked.cpu += number(),
        "memory" => asked.memory += quantity::memory_bytes(amount).unwrap_or(0.0).max(0.0),
        // Their own affair, or the one of a cluster.
        "ephemeral-storage" | "storage" => {}
        name if name == "gpu" || name.ends_with("/gpu") => asked.gpu += number(),
        _ => asked.custom += number(),
    }
}

#[cfg(test)]
mod tests {
    use polyaxon_spec::wire;
    use serde_json::{Value as Json, json};

    use super::*;

    #[track_caller]
    fn check(wanted: &Json, cpu: f64, memory: f64, gpu: f64, custom: f64) {
        let operation = json!({ "run": { "kind": "job", "container": { "resources": wanted } } });
        let expected = Resources { cpu, memory, gpu, custom, cost: 0.0 };
        assert_eq!(resources(&wire::read_compiled(&operation)), expected, "{wanted}");
    }

    #[test]
    fn requests_come_before_limits_for_each_resource() {
        check(&json!(null), 0.0, 0.0, 0.0, 0.0);
        check(&json!({"requests": {"cpu": "500m"}, "limits": {"cpu": 2, "nvidia.com/gpu": 2}}), 0.5, 0.0, 2.0, 0.0);
        check(&json!({"limits": {"memory": "1Ki", "amd.com/gpu": "1", "a.com/tpu": 4}}), 0.0, 1024.0, 1.0, 4.0);
        check(&json!({"requests": {"ephemeral-storage": "9Gi", "cpu": "many", "memory": -1}}), 0.0, 0.0, 0.0, 0.0);
    }
}
