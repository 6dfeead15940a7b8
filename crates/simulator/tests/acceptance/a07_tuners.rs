//! 7: searches learn. The bars of the baseline are `quality.rs` of the tests of `tuning` and `cargo xtask bench tuner`.

use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, job, operation, with};

fn loss(run: &Run) -> f64 {
    let x = run.inputs.as_ref().and_then(|inputs| inputs.get("x")).and_then(Json::as_f64).unwrap();
    (x - 0.3).powi(2)
}

#[test]
fn a_search_ends_and_finds_the_hill() {
    let metric = json!({ "name": "loss", "optimization": "minimize" });
    let params = json!({ "x": { "kind": "uniform", "value": [0, 1] } });
    let tpe = json!({ "kind": "tpe", "numRuns": 10, "maxIterations": 3 });
    let bayes = json!({ "kind": "bayes", "numInitialRuns": 5, "maxIterations": 10,
        "utilityFunction": { "acquisitionFunction": "ucb", "kappa": 2.5 } });
    for (matrix, runs) in [(tpe, 30), (bayes, 15)] {
        let matrix = with(with(with(matrix, "metric", metric.clone()), "params", params.clone()), "seed", json!(5));
        let mut scene = Scene::new(|run| End::SucceedWith(json!({ "loss": loss(run) }))).with_capacity(2);
        let top = scene.submit(&with(operation(&job()), "matrix", matrix));
        scene.play();
        assert_eq!((scene.status(top), scene.launched.len()), (Status::Succeeded, runs));
        let best = scene.children(top).iter().map(loss).fold(f64::INFINITY, f64::min);
        assert!(best < 0.01, "{best}");
    }
}
