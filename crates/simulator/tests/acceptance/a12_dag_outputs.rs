//! 12: what dags hand out: values of their operations, 0 and nothing among them, through nested dags.

use polyaxon_model::status::Status;
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, is_named, job, op, operation, with};

fn giving(name: &str) -> Json {
    let outputs = json!([{ "name": "y", "type": "any", "isOptional": true }]);
    with(op(name, &[]), "component", with(job(), "outputs", outputs))
}

fn component(operations: &[Json], outputs: Json) -> Json {
    let run = json!({ "kind": "dag", "operations": operations });
    with(json!({ "kind": "component", "version": 1.1, "run": run }), "outputs", outputs)
}

fn output(name: &str, kind: &str, of: &str, value: &str) -> Json {
    json!({ "name": name, "type": kind, "value": { "ref": format!("ops.{of}"), "value": value } })
}

#[test]
fn a_dag_that_succeeds_has_the_outputs_it_declares() {
    for value in [json!(0.25), json!(0), json!(false), json!(""), json!([]), json!({}), json!({ "a": 1 })] {
        let given = json!({ "y": value });
        let mut scene = Scene::new(move |_| End::SucceedWith(given.clone()));
        let outputs = json!([
            output("acc", "any", "train", "outputs.y"),
            output("id", "str", "train", "globals.uuid"),
            output("none", "any", "train", "artifacts.model"),
            { "name": "plain", "type": "int", "value": 3 },
        ]);
        let top = scene.submit(&operation(&component(&[giving("train")], outputs)));
        assert_eq!(scene.run(top).outputs, None);
        scene.play();
        let run = scene.run(top);
        let train = scene.child(top, "train").uuid;
        let expected = json!({ "acc": value, "id": train, "none": format!("{train}/model"), "plain": 3 });
        assert_eq!((run.status, json!(run.outputs)), (Status::Succeeded, expected));
    }
}

#[test]
fn the_operations_after_a_nested_dag_see_what_it_hands_out() {
    let mut scene =
        Scene::new(|run| if is_named(run, "deep") { End::SucceedWith(json!({ "y": 0 })) } else { End::Succeed });
    let inner = component(&[giving("deep")], json!([output("acc", "any", "deep", "outputs.y")]));
    let middle =
        component(&[with(op("inner", &[]), "component", inner)], json!([output("acc", "any", "inner", "outputs.acc")]));
    let takes = with(job(), "inputs", json!([{ "name": "x", "type": "any" }]));
    let param = json!({ "x": { "ref": "ops.middle", "value": "outputs.acc" } });
    let last = with(with(op("last", &[]), "component", takes), "params", param);
    let top = component(
        &[with(op("middle", &[]), "component", middle), last],
        json!([output("acc", "any", "middle", "outputs.acc")]),
    );
    let top = scene.submit(&operation(&top));
    scene.play();
    assert_eq!(scene.child(top, "last").inputs.unwrap()["x"], 0);
    assert_eq!(json!(scene.run(top).outputs), json!({ "acc": 0 }));
}

#[test]
fn what_was_not_produced_is_left_out() {
    for (end, status) in [(End::Succeed, Status::Succeeded), (End::Fail, Status::Failed)] {
        let mut scene = Scene::new(move |_| end.clone());
        let outputs = json!([output("acc", "any", "train", "outputs.y")]);
        let top = scene.submit(&operation(&component(&[giving("train")], outputs)));
        scene.play();
        assert_eq!((scene.status(top), scene.run(top).outputs.unwrap_or_default().len()), (status, 0));
    }
}
