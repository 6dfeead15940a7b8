//! 12: results that are nothing, zero or empty are results.

use polyaxon_model::status::Status;
use serde_json::json;

use crate::scene::{End, Scene, dag, is_named, job, op, with};

#[test]
fn falsy_outputs_reach_the_operations_that_refer_to_them() {
    for (kind, value) in [
        ("int", json!(0)),
        ("bool", json!(false)),
        ("str", json!("")),
        ("list", json!([])),
        ("dict", json!({})),
        ("float", json!(0.0)),
    ] {
        let outputs = json!({ "y": value });
        let mut scene =
            Scene::new(
                move |run| if is_named(run, "first") { End::SucceedWith(outputs.clone()) } else { End::Succeed },
            );
        let gives = with(job(), "outputs", json!([{ "name": "y", "type": kind, "isOptional": true }]));
        let takes = with(job(), "inputs", json!([{ "name": "x", "type": kind }]));
        let first = with(op("first", &[]), "component", gives);
        let second = with(op("second", &[]), "component", takes);
        let second = with(second, "params", json!({ "x": { "ref": "ops.first", "value": "outputs.y" } }));
        let top = scene.submit(&dag(&[first, second]));
        scene.play();
        assert_eq!(scene.status(top), Status::Succeeded, "{kind}");
        assert_eq!(scene.child(top, "second").inputs.unwrap()["x"], value, "{kind}");
    }
}
