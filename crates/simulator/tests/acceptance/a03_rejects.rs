//! 3: dags that cannot run. They are refused when they are submitted, with all problems, by the same functions
//! (`runs.rs` of the server's tests); what gets past that fails when it is compiled, with the same words.

use polyaxon_model::status::Status;
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, dag, job, op, with};

fn check(operations: &[Json], words: &[&str]) {
    let mut scene = Scene::new(|_| End::Succeed);
    let top = scene.submit(&dag(operations));
    scene.play();
    assert_eq!(scene.status(top), Status::Failed, "{words:?}");
    assert!(scene.children(top).is_empty() && scene.launched.is_empty());
    let conditions = scene.store.read_blocking(move |tx| polyaxon_store::statuses::since(tx, top, 0)).unwrap();
    let message = conditions.last().and_then(|item| item.condition.message.clone()).unwrap_or_default();
    for word in words {
        assert!(message.contains(word), "{word} in {message}");
    }
}

#[test]
fn all_problems_are_told() {
    check(&[op("a", &["b"]), op("b", &["a"])], &["a", "b"]);
    check(&[op("a", &["a"])], &["a"]);
    check(&[op("a", &["nobody"]), op("b", &["nothing"])], &["nobody", "nothing"]);
    let takes = with(op("b", &[]), "params", json!({ "x": { "ref": "ops.a", "value": "outputs.none" } }));
    let component = job();
    let takes = with(takes, "component", with(component, "inputs", json!([{ "name": "x", "type": "int" }])));
    check(&[op("a", &[]), takes], &["none"]);
}

#[test]
fn an_operation_without_edges_runs_first() {
    let mut scene = Scene::new(|_| End::Succeed);
    let top = scene.submit(&dag(&[op("a", &[]), op("b", &["a"]), op("alone", &[])]));
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded);
    let last = scene.child(top, "b").uuid;
    assert_eq!((scene.launched.len(), scene.launched.last()), (3, Some(&last)));
}
