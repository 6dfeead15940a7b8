//! 12: lists that joins make when they find nothing, and values that are nothing in those that they make.

use polyaxon_model::status::Status;
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, is_named, job, operation, with};

/// A run that collects `outputs.y` of the runs of this name.
fn collecting(name: &str, input: Json) -> Json {
    let joins = json!([{ "query": format!("name: {name}"), "params": { "found": { "value": "outputs.y" } } }]);
    with(operation(&with(job(), "inputs", json!([input]))), "joins", joins)
}

fn collected(scene: &Scene, run: polyaxon_model::ids::RunId) -> (Status, Json) {
    let run = scene.run(run);
    (run.status, run.inputs.unwrap_or_default().get("found").cloned().unwrap_or_default())
}

#[test]
fn an_input_has_its_default_when_its_join_finds_nothing() {
    for (input, expected) in [
        (json!({ "value": [1, 2] }), (Status::Succeeded, json!([1, 2]))),
        (json!({ "isOptional": true }), (Status::Succeeded, json!([]))),
        (json!({}), (Status::Failed, json!(null))),
    ] {
        let mut scene = Scene::new(|_| End::Succeed);
        let input = with(with(with(input, "name", json!("found")), "type", json!("int")), "isList", json!(true));
        let run = scene.submit(&collecting("nobody", input.clone()));
        scene.play();
        assert_eq!(collected(&scene, run), expected, "{input}");
    }
}

#[test]
fn values_that_are_nothing_are_collected() {
    let mut scene =
        Scene::new(|run| if is_named(run, "top") { End::SucceedWith(json!({ "y": 0 })) } else { End::Succeed });
    let outputs = json!([{ "name": "y", "type": "int", "isOptional": true }]);
    scene.submit(&operation(&with(job(), "outputs", outputs)));
    scene.play();
    let run = scene.submit(&collecting("top", json!({ "name": "found", "type": "int", "isList": true })));
    scene.play();
    assert_eq!(collected(&scene, run), (Status::Succeeded, json!([0])));
}
