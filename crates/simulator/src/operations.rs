//! Operations made by chance: jobs, dags in dags, searches of dags, schedules, with queues, hooks, joins and timeouts.

use serde_json::{Value as Json, json};

use crate::agent;
use crate::random::Random;

/// The queue with limits, and what its runs ask for together at most.
pub(crate) const QUEUE: &str = "narrow";
pub(crate) const QUEUE_RUNS: i64 = 3;
pub(crate) const QUEUE_CPUS: i64 = 2;

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
    if random.once_in(3) {
        operation["queue"] = json!(queue(random));
    }
    if random.once_in(4) {
        operation["hooks"] = hooks(random);
    }
    if random.once_in(2) {
        operation["cache"] = json!({ "disable": true });
    }
    operation
}

fn queue(random: &mut Random) -> &'static str {
    if random.once_in(2) { QUEUE } else { agent::QUEUE }
}

fn hooks(random: &mut Random) -> Json {
    let trigger = random.pick(&["succeeded", "failed", "stopped", "done"]).unwrap_or("done");
    json!([{ "trigger": trigger, "component": { "kind": "component", "version": 1.1, "run": job(random) } }])
}

fn component(random: &mut Random, depth: u64) -> Json {
    let run = if depth > 0 && !random.once_in(3) { dag(random, depth - 1) } else { job(random) };
    json!({ "kind": "component", "version": 1.1, "run": run })
}

fn job(random: &mut Random) -> Json {
    let mut container = json!({ "image": "none", "command": ["true"] });
    if random.once_in(3) {
        container["resources"] = json!({ "requests": { "cpu": 1 } });
    }
    json!({ "kind": "job", "container": container })
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
    match random.below(18) {
        0 => node["conditions"] = json!("{{ 1 > 2 }}"),
        1 => node["matrix"] = matrix(random),
        2 => node["termination"] = json!({ "maxRetries": 1 }),
        3 => node["isApproved"] = json!(false),
        4 => node["termination"] = json!({ "timeout": 1 + random.below(90) }),
        5 => node["queue"] = json!(queue(random)),
        6 => node["hooks"] = hooks(random),
        7 => node["cache"] = json!({ "disable": true }),
        8 if number > 0 => {
            let upstream = format!("ops.op-{}", random.below(number));
            let kind = random.pick(&["run_status_running", "run_status_succeeded", "run_status_done"]).unwrap_or("");
            node["events"] = json!([{ "kinds": [kind], "ref": upstream }]);
        }
        9 => {
            let losses = json!({ "losses": { "value": "outputs.loss", "contextOnly": true } });
            node["joins"] = json!([{ "query": "status: succeeded", "limit": 3, "params": losses }]);
        }
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
    match random.below(6) {
        0 => matrix["earlyStopping"] = json!([{ "kind": "failure_early_stopping", "percent": 40 }]),
        1 => {
            matrix["earlyStopping"] = json!([{ "kind": "metric_early_stopping", "metric": "loss", "value": 0.2,
                "optimization": "minimize" }]);
        }
        _ => {}
    }
    if random.once_in(2) {
        matrix["concurrency"] = json!(1 + random.below(3));
    }
    matrix
}
