//! The pipelines that are measured.

use serde_json::{Value as Json, json};

/// As many parameters as a usual search has.
const PARAMETERS: usize = 6;

/// Layers of `width` operations, each after two of the layer before.
pub(crate) fn dag(count: usize, width: usize) -> Json {
    let node = |number: usize| {
        let before: Vec<String> = [width, width + 1]
            .iter()
            .filter(|back| number >= **back && (width > 1 || **back == width))
            .map(|back| format!("op-{}", number - back))
            .collect();
        // Equal operations would share one result.
        let params = json!({ "x0": { "value": number } });
        json!({ "name": format!("op-{number}"), "dagRef": "true", "dependencies": before, "params": params })
    };
    let operations: Vec<Json> = (0..count).map(node).collect();
    json!({ "kind": "operation", "version": 1.1, "name": "large", "component": { "kind": "component", "version": 1.1,
        "run": { "kind": "dag", "components": [component()], "operations": operations } } })
}

pub(crate) fn mapping(count: usize) -> Json {
    let values: Vec<Json> = (0..count).map(|number| json!({ "x0": number })).collect();
    operation(&json!({ "kind": "mapping", "values": values }))
}

/// A search with so many trials, one after the other when it learns.
pub(crate) fn search(kind: &str, trials: usize) -> Json {
    let names = (0..PARAMETERS).map(|number| format!("x{number}"));
    let params: serde_json::Map<String, Json> =
        names.map(|name| (name, json!({ "kind": "uniform", "value": [0, 1] }))).collect();
    let mut matrix = json!({ "kind": kind, "params": params, "seed": 1 });
    if kind == "random" {
        matrix["numRuns"] = json!(trials);
    } else {
        matrix["metric"] = json!({ "name": "loss", "optimization": "minimize" });
        matrix["maxIterations"] = json!(trials);
    }
    match kind {
        "tpe" => matrix["numRuns"] = json!(1),
        "bayes" => {
            matrix["numInitialRuns"] = json!(10);
            matrix["utilityFunction"] = json!({ "acquisitionFunction": "ucb", "kappa": 1.2 });
        }
        _ => {}
    }
    operation(&matrix)
}

fn operation(matrix: &Json) -> Json {
    json!({ "kind": "operation", "version": 1.1, "name": "large", "component": component(), "matrix": matrix })
}

fn component() -> Json {
    let inputs: Vec<Json> = (0..PARAMETERS)
        .map(|number| json!({ "name": format!("x{number}"), "type": "float", "value": 0, "isOptional": true }))
        .collect();
    json!({ "kind": "component", "version": 1.1, "name": "true", "inputs": inputs,
        "run": { "kind": "job", "container": { "image": "none", "command": ["true"] } } })
}
