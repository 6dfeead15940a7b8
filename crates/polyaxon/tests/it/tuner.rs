//! `polyaxon tuner serve`: the same seed and the same history give the same suggestions, byte for byte.

use std::fs::File;

use serde_json::{Value, json};

use crate::home::Home;

/// How many trials the requests of a conversation tell about: before, while and after a search begins to learn.
const TOLD: [usize; 5] = [0, 3, 12, 13, 40];

/// The searches that the protocol knows, with what each needs besides.
fn searches() -> Vec<Value> {
    let resource = json!({ "name": "epochs", "type": "int" });
    vec![
        json!({ "kind": "random", "numRuns": 60 }),
        json!({ "kind": "iterative", "maxIterations": 60 }),
        json!({ "kind": "tpe", "numRuns": 60 }),
        json!({ "kind": "hyperopt", "algorithm": "tpe", "numRuns": 60 }),
        json!({ "kind": "hyperopt", "algorithm": "anneal", "numRuns": 60 }),
        json!({ "kind": "bayes", "numInitialRuns": 10, "maxIterations": 50 }),
        json!({ "kind": "bayes", "numInitialRuns": 10, "maxIterations": 50,
            "utilityFunction": { "acquisitionFunction": "ucb", "kappa": 1.2 } }),
        json!({ "kind": "hyperband", "maxIterations": 81, "eta": 3, "resource": resource }),
        json!({ "kind": "asha", "numRuns": 60, "maxIterations": 81, "eta": 3, "resource": resource }),
    ]
}

/// The requests of a conversation, one a line. What came of the trials is made up.
fn conversation(search: &Value, seed: u64) -> Vec<String> {
    let mut matrix = search.clone();
    matrix["seed"] = json!(seed);
    if !["random", "iterative"].map(Some).contains(&search["kind"].as_str()) {
        matrix["metric"] = json!({ "name": "loss", "optimization": "minimize" });
    }
    matrix["params"] = json!({
        "rate": { "kind": "uniform", "value": [0, 1] },
        "dropout": { "kind": "uniform", "value": [0, 0.6] },
        "layers": { "kind": "range", "value": [1, 10, 1] },
        "optimizer": { "kind": "choice", "value": ["adam", "lion", "sgd"] },
    });
    let part = |number: usize, of: usize| (number * of % 41) as f64 / 41.0;
    let trials: Vec<(Value, f64)> = (0..40)
        .map(|number| {
            let (dropout, layers) = (0.6 * part(number, 7), 1.0 + (number % 9) as f64);
            let optimizer = ["adam", "lion", "sgd"][number % 3];
            let values = json!({ "rate": part(number, 11), "dropout": dropout, "layers": layers,
                "optimizer": optimizer, "epochs": 1 });
            (values, (dropout - 0.2) * (dropout - 0.2) + layers / 100.0 + part(number, 5))
        })
        .collect();
    let told = |count: usize| {
        let (configs, metrics): (Vec<&Value>, Vec<f64>) =
            trials[..count].iter().map(|(values, metric)| (values, *metric)).unzip();
        json!({ "id": count, "op": "suggest", "matrix": matrix, "configs": configs, "metrics": metrics, "num": 3,
            "seed": seed })
        .to_string()
    };
    TOLD.map(told).to_vec()
}

/// What a new process answers.
fn answers(home: &Home, requests: &[String]) -> String {
    home.write("requests", &(requests.join("\n") + "\n"));
    let requests = File::open(home.work().join("requests")).unwrap();
    let output = home.command(&["tuner", "serve"]).stdin(requests).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_same_seed_and_history_give_the_same_bytes() {
    let home = Home::new();
    for search in searches() {
        let requests = conversation(&search, 3);
        let first = answers(&home, &requests);
        assert_eq!(first.lines().count(), TOLD.len());
        for line in first.lines() {
            let answer: Value = serde_json::from_str(line).unwrap();
            assert_eq!(answer["suggestions"].as_array().map(Vec::len), Some(3), "{search}: {line}");
        }
        assert_eq!(answers(&home, &requests), first, "{search}");
        // A process that was not there before answers the same.
        let one_by_one: String = requests.iter().map(|request| answers(&home, std::slice::from_ref(request))).collect();
        assert_eq!(one_by_one, first, "{search}");
        assert_ne!(answers(&home, &conversation(&search, 4)), first, "{search}: the seed makes no difference");
    }
}
