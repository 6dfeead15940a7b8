//! 14: pipelines that end before their time. Curves as values are in `engine::flow::early_stopping`.

use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, job, operation, with};

fn matrix(policy: Json) -> Json {
    let values: Vec<Json> = (0..10).map(|row| json!({ "row": row })).collect();
    let matrix = json!({ "kind": "mapping", "values": values, "concurrency": 2, "earlyStopping": [policy] });
    with(operation(&job()), "matrix", matrix)
}

fn row(run: &Run) -> u64 {
    run.inputs.as_ref().and_then(|inputs| inputs.get("row")).and_then(Json::as_u64).unwrap()
}

#[test]
fn enough_failures_fail_the_pipeline() {
    let mut scene = Scene::new(|run| if row(run) < 3 { End::Fail } else { End::Succeed });
    let top = scene.submit(&matrix(json!({ "kind": "failure_early_stopping", "percent": 30 })));
    scene.play();
    assert_eq!(scene.status(top), Status::Failed);
    assert!(scene.launched.len() < 10, "{}", scene.launched.len());
    let early = scene.run(top).meta_info.get("early_stopping").cloned().unwrap();
    assert_eq!(early["kind"], "failure_early_stopping");
}

#[test]
fn a_metric_that_is_good_enough_ends_it_well() {
    let mut scene = Scene::new(|run| End::SucceedWith(json!({ "acc": row(run) as f64 / 10.0 })));
    let policy = json!({ "kind": "metric_early_stopping", "metric": "acc", "value": 0.3, "optimization": "maximize" });
    let top = scene.submit(&matrix(policy));
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded);
    assert!((4..10).contains(&scene.launched.len()), "{}", scene.launched.len());
}
