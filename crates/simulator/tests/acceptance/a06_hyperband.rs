//! 6: hyperband to its end, with a metric that is a function of the trial.

use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

use crate::scene::{End, Scene, job, operation, with};

fn number(run: &Run, name: &str) -> f64 {
    run.inputs.as_ref().and_then(|inputs| inputs.get(name)).and_then(Json::as_f64).unwrap()
}

fn check(iterations: u64, expected: &[(u64, usize)]) {
    let mut scene =
        Scene::new(|run| End::SucceedWith(json!({ "loss": number(run, "x") + 1.0 / number(run, "steps") })));
    let matrix = json!({ "kind": "hyperband", "maxIterations": iterations, "eta": 3, "seed": 7,
        "resource": { "name": "steps", "type": "int" }, "metric": { "name": "loss", "optimization": "minimize" },
        "params": { "x": { "kind": "uniform", "value": [0, 1] } } });
    let top = scene.submit(&with(operation(&job()), "matrix", matrix));
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded);
    let mut by_resource: BTreeMap<u64, usize> = BTreeMap::new();
    for child in scene.children(top) {
        *by_resource.entry(number(&child, "steps") as u64).or_default() += 1;
    }
    assert_eq!(by_resource.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn ten_by_three_is_22_runs() {
    check(10, &[(1, 9), (3, 8), (10, 5)]);
}

#[test]
fn eighty_one_by_three_is_206_runs() {
    check(81, &[(1, 81), (3, 61), (9, 35), (27, 19), (81, 10)]);
}

#[test]
fn survivors_go_on_with_their_files_when_asked_to() {
    for (kind, resume) in [("hyperband", true), ("hyperband", false), ("asha", true), ("asha", false)] {
        let mut scene = Scene::new(|run| End::SucceedWith(json!({ "loss": number(run, "x") })));
        let mut matrix = json!({ "kind": kind, "maxIterations": 9, "eta": 3, "seed": 7, "resume": resume,
            "resource": { "name": "steps", "type": "int" }, "metric": { "name": "loss", "optimization": "minimize" },
            "params": { "x": { "kind": "uniform", "value": [0, 1] } } });
        if kind == "asha" {
            matrix["numRuns"] = json!(9);
        }
        let mut component = job();
        component["run"]["container"]["args"] = json!(["{{ globals.original_uuid }}"]);
        let top = scene.submit(&with(operation(&component), "matrix", matrix));
        scene.play();
        assert_eq!(scene.status(top), Status::Succeeded);
        let children = scene.children(top);
        let promoted: Vec<&Run> = children.iter().filter(|run| run.meta_info["bracket_iteration"] != 0).collect();
        assert!(!promoted.is_empty());
        for child in promoted {
            let original = child.original.as_ref().map(|original| scene.run(original.uuid));
            assert_eq!(original.is_some(), resume, "{kind}");
            let content: Json = serde_json::from_str(child.content.as_deref().unwrap()).unwrap();
            let Some(original) = original else { continue };
            assert_eq!(content["run"]["container"]["args"], json!([original.uuid.to_hex()]));
            assert_eq!(number(&original, "x").to_bits(), number(child, "x").to_bits());
            assert!(number(&original, "steps") < number(child, "steps"));
            let copies = json!({ "dirs": [original.uuid.to_hex()] });
            assert_eq!(child.meta_info["copy_artifacts"], copies);
        }
    }
}
