//! 5: what a matrix runs. Every case of `matrix-cases.json` is `cases.rs` of the tests of `tuning`.

use polyaxon_model::status::Status;
use polyaxon_spec::node::Node;
use polyaxon_spec::spaces::Rows;
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, job, operation, with};

fn inputs(scene: &Scene, top: polyaxon_model::ids::RunId) -> Vec<Json> {
    scene.children(top).into_iter().map(|child| Json::Object(child.inputs.unwrap_or_default())).collect()
}

#[test]
fn rows_become_children_in_order() {
    let mut scene = Scene::new(|_| End::Succeed).with_capacity(1);
    let matrix = json!({ "kind": "grid", "params": { "a": { "kind": "choice", "value": [1, 2] },
        "b": { "kind": "range", "value": [0, 2, 1] } } });
    let top = scene.submit(&with(operation(&job()), "matrix", matrix));
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded);
    let rows = [json!({"a": 1, "b": 0}), json!({"a": 1, "b": 1}), json!({"a": 2, "b": 0}), json!({"a": 2, "b": 1})];
    let seen: Vec<Json> = inputs(&scene, top);
    let as_numbers = |rows: &[Json]| -> Vec<(f64, f64)> {
        rows.iter().map(|row| (row["a"].as_f64().unwrap(), row["b"].as_f64().unwrap())).collect()
    };
    assert_eq!(as_numbers(&seen), as_numbers(&rows));
    let order: Vec<_> = scene.children(top).into_iter().map(|child| child.uuid).collect();
    assert_eq!(scene.launched, order);
}

#[test]
fn a_hundred_thousand_rows_are_not_made_at_once() {
    let axis: Vec<Json> = (0..100_000).map(|number| json!(number)).collect();
    let grid = json!({ "kind": "grid", "params": { "a": { "kind": "choice", "value": axis } } });
    let rows = Rows::of(&Node::from_json(&grid)).unwrap();
    assert_eq!(rows.len(), 100_000);
    let mut scene = Scene::new(|_| End::Hang).with_capacity(1);
    let top = scene.submit(&with(operation(&job()), "matrix", with(grid, "concurrency", json!(1))));
    // Only the first batch was asked for when the first child runs.
    scene.play_until_launched(1);
    assert!(scene.children(top).len() <= 2000, "{}", scene.children(top).len());
}
