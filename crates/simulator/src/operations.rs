//! Operations made by chance: jobs, dags in dags, searches of dags, schedules.

use serde_json::{Value as Json, json};

use crate::random::Random;

const TRIGGERS: &[&str] = &["all_succeeded", "all_failed", "all_done", "one_succeeded", "one_failed", "one_done"];

/// A whole operation.
pub(crate) fn operation(random: &mut Random) -> Json {
    let component = component(random, 2);
    let mut operation = json!({ "kind": "operation", "version": 1.1, "name": "top", "component": component });
    match random.below(6) {
        0 => operation["matrix"] = matrix(random),
        1 => {
            operation["schedule"] = json!({ "kind": "interval", "frequency": 60, "maxRuns": 1 + random.below(4),
                "dependsOnPast": random.once_in(2) });
        }
        _ => {}
    }
    operation
}

fn component(random: &mut Random, depth: u64) -> Json {
    let run = if depth > 0 && !random.once_in(3) { dag(random, depth - 1) } else { job() };
    json!({ "kind": "component", "version": 1.1, "run": run })
}

fn job() -> Json {
    json!({ "kind": "job", "container": { "image": "none", "command": ["true"] } })
}

fn dag(random: &mut Random, depth: u64) -> Json {
    let count = 1 + random.below(6);
    let operations: Vec<Json> = (0..count).map(|number| node(random, number, depth)).collect();
    let mut run = json!({ "kind": "dag", "operations": operations });
    if random.once_in(2) {
        run["concurrency"] = json!(1 + random.below(3));
    }
    run
}

fn node(random: &mut Random, number: u64, depth: u64) -> Json {
    let before: Vec<String> =
        (0..number).filter(|_| random.once_in(3)).map(|earlier| format!("op-{earlier}")).collect();
    let mut node = json!({ "name": format!("op-{number}"), "component": component(random, depth) });
    if !before.is_empty() {
        node["dependencies"] = json!(before);
        node["trigger"] = json!(random.pick(TRIGGERS).unwrap_or("all_done"));
        node["skipOnUpstreamSkip"] = json!(random.once_in(4));
    }
    match random.below(12) {
        0 => node["conditions"] = json!("{{ 1 > 2 }}"),
        1 => node["matrix"] = matrix(random),
        2 => node["termination"] = json!({ "maxRetries": 1 }),
        3 => node["isApproved"] = json!(false),
        _ => {}
    }
    node
}

fn matrix(random: &mut Random) -> Json {
    let rows: Vec<Json> = (0..=random.below(5)).map(|number| json!({ "row": number })).collect();
    let space = json!({ "row": { "kind": "uniform", "value": [0, 1] } });
    let metric = json!({ "name": "loss", "optimization": "minimize" });
    let mut matrix = match random.below(5) {
        0 => json!({ "kind": "random", "numRuns": 1 + random.below(5), "params": space }),
        1 => json!({ "kind": "tpe", "numRuns": 1 + random.below(3), "maxIterations": 2, "params": space,
            "metric": metric }),
        2 => json!({ "kind": "hyperband", "maxIterations": 4, "eta": 2, "params": space, "metric": metric,
            "resource": { "name": "steps", "type": "int" } }),
        _ => json!({ "kind": "mapping", "values": rows }),
    };
    if random.once_in(4) {
        matrix["earlyStopping"] = json!([{ "kind": "failure_early_stopping", "percent": 40 }]);
    }
    if random.once_in(2) {
        matrix["concurrency"] = json!(1 + random.below(3));
    }
    matrix
}
