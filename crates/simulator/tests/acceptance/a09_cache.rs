//! 9: reuse of results. What makes a key is `engine::cache::parts`; here is which runs share one, what becomes of those
//! that wait, and what is said about a miss.

use polyaxon_engine::cache::choice::Unfit;
use polyaxon_engine::state::Event;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{CloningKind, Pending};
use polyaxon_model::status::Status;
use polyaxon_store::cache;
use polyaxon_store::cache::explain::{Explanation, explain};
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, dag, is_named, job, now, op, operation, pass, with};

/// A job with two inputs, that looks for an equal one.
fn cached(section: Json, params: Json) -> Json {
    let mut section = section;
    section["disable"] = json!(false);
    let inputs = json!([
        { "name": "a", "type": "int", "value": 1, "isOptional": true },
        { "name": "b", "type": "int", "value": 1, "isOptional": true },
    ]);
    let outputs = json!([{ "name": "y", "type": "int", "isOptional": true }]);
    let component = with(with(job(), "inputs", inputs), "outputs", outputs);
    with(with(operation(&component), "cache", section), "params", params)
}

fn equal() -> Json {
    cached(json!({}), json!({}))
}

fn is_hit(scene: &Scene, run: RunId, of: RunId) -> bool {
    let original = scene.run(run).original;
    original.is_some_and(|original| original.uuid == of && original.kind == CloningKind::Cache)
}

fn explained(scene: &Scene, run: RunId) -> Explanation {
    let layout = scene.layout();
    scene
        .store
        .read_blocking(move |tx| explain(tx, run, &|run| layout.artifacts(run).is_dir() || !layout.store().is_dir()))
        .unwrap()
}

/// What the nearest run differs in, for an operator who asks why a run was not cached.
fn differences(scene: &Scene, run: RunId) -> Vec<String> {
    let (_, differences) = explained(scene, run).nearest.unwrap();
    differences.into_iter().map(|difference| difference.part).collect()
}

#[test]
fn an_equal_run_takes_the_result() {
    let mut scene = Scene::new(|_| End::SucceedWith(json!({ "y": 7 })));
    let first = scene.submit(&equal());
    scene.play();
    let second = scene.submit(&equal());
    let third = scene.submit(&equal());
    scene.play();
    assert_eq!(scene.launched, [first]);
    for run in [second, third] {
        assert!(is_hit(&scene, run, first), "a hit leads to the run that did the work");
        let run = scene.run(run);
        assert_eq!((run.status, run.outputs.unwrap()["y"].clone()), (Status::Succeeded, json!(7)));
        assert_eq!(explained(&scene, run.uuid).original, Some(first));
    }
}

#[test]
fn a_run_waits_for_an_equal_one_and_goes_on_without_it() {
    for (end, launches, status) in [
        (Some(End::SucceedWith(json!({ "y": 7 }))), 1, Status::Succeeded),
        (Some(End::Fail), 2, Status::Running),
        (None, 2, Status::Running),
    ] {
        let mut scene = Scene::new(|_| End::Hang);
        let first = scene.submit(&equal());
        scene.play();
        let second = scene.submit(&equal());
        scene.play();
        assert_eq!((scene.run(second).pending, scene.status(second)), (Some(Pending::Cache), Status::Created));
        assert!(is_hit(&scene, second, first));
        match &end {
            Some(end) => scene.finish(first, end),
            // Somebody wants it to run all the same.
            None => scene.apply(second, Event::Approved),
        }
        scene.play();
        assert_eq!((scene.launched.len(), scene.status(second)), (launches, status), "{end:?}");
        assert_eq!(is_hit(&scene, second, first), status == Status::Succeeded, "{end:?}");
    }
}

#[test]
fn a_deleted_run_lets_those_that_wait_for_it_go() {
    let mut scene = Scene::new(|_| End::Hang);
    let first = scene.submit(&equal());
    let second = scene.submit(&equal());
    scene.play();
    assert_eq!(scene.run(second).pending, Some(Pending::Cache));
    scene.apply(first, Event::DeleteRequested);
    scene.play();
    assert_eq!((scene.status(second), scene.launched.as_slice()), (Status::Running, [first, second].as_slice()));
}

#[test]
fn results_grow_old() {
    for (age, is_cached) in [(59, true), (61, false)] {
        let mut scene = Scene::new(|_| End::Succeed);
        let first = scene.submit(&cached(json!({ "ttl": 60 }), json!({})));
        scene.play();
        pass(age);
        let second = scene.submit(&cached(json!({ "ttl": 60 }), json!({})));
        scene.play();
        assert_eq!(is_hit(&scene, second, first), is_cached, "{age}");
        let rejected = explained(&scene, second).rejected;
        let expected = (first, Unfit::Expired(std::time::Duration::from_mins(1)));
        assert_eq!(rejected, (!is_cached).then_some(expected));
    }
}

#[test]
fn what_is_compared_can_be_chosen() {
    let b = json!({ "b": { "value": 2 } });
    let image = |operation: Json| {
        let mut operation = operation;
        operation["component"]["run"]["container"]["image"] = json!("other");
        operation
    };
    let command = |operation: Json| {
        let mut operation = operation;
        operation["component"]["run"]["container"]["command"] = json!(["false"]);
        operation
    };
    let same = |section: Json| cached(section, json!({}));
    for (section, other, miss) in [
        (json!({}), cached(json!({}), b.clone()), vec!["inputs.b"]),
        (json!({ "io": ["a"] }), cached(json!({ "io": ["a"] }), b.clone()), vec![]),
        (json!({ "io": ["b"] }), cached(json!({ "io": ["b"] }), b), vec!["inputs.b"]),
        (json!({}), image(same(json!({}))), vec!["container.image"]),
        (json!({ "sections": ["containers"] }), image(same(json!({ "sections": ["containers"] }))), vec![]),
        (json!({}), command(same(json!({}))), vec!["container.command"]),
        (json!({ "sections": [] }), command(same(json!({ "sections": [] }))), vec![]),
    ] {
        let mut scene = Scene::new(|_| End::Succeed);
        let first = scene.submit(&same(section.clone()));
        scene.play();
        let second = scene.submit(&other);
        scene.play();
        assert_eq!(is_hit(&scene, second, first), miss.is_empty(), "{section} {other}");
        if !miss.is_empty() {
            assert_eq!(differences(&scene, second), miss, "{section}");
        }
    }
}

#[test]
fn an_invalidated_result_is_taken_by_nobody() {
    for forgets_the_hit in [false, true] {
        let mut scene = Scene::new(|_| End::Succeed);
        let first = scene.submit(&equal());
        scene.play();
        let hit = scene.submit(&equal());
        scene.play();
        let forgotten = if forgets_the_hit { hit } else { first };
        scene.store.write_blocking(move |tx| cache::invalidate(tx, forgotten, now())).unwrap();
        let third = scene.submit(&equal());
        scene.play();
        assert_eq!(scene.launched, [first, third], "the key of what reused it is forgotten as well");
    }
}

#[test]
fn the_files_of_a_deleted_run_go_to_the_oldest_that_reuses_them() {
    let mut scene = Scene::new(|_| End::Succeed).with_folders();
    let first = scene.submit(&equal());
    scene.play();
    let layout = scene.layout();
    std::fs::create_dir_all(layout.outputs(first)).unwrap();
    std::fs::write(layout.outputs(first).join("model"), "weights").unwrap();
    let (heir, other) = (scene.submit(&equal()), scene.submit(&equal()));
    scene.play();
    assert!(is_hit(&scene, heir, first) && is_hit(&scene, other, first));
    scene.apply(first, Event::DeleteRequested);
    scene.wait(100);
    assert!(!layout.artifacts(first).exists());
    assert_eq!(std::fs::read_to_string(layout.outputs(heir).join("model")).unwrap(), "weights");
    assert_eq!(scene.run(heir).original, None);
    assert!(is_hit(&scene, other, heir));
    // It stands for later ones too.
    let later = scene.submit(&equal());
    scene.play();
    assert!(is_hit(&scene, later, heir));
    // Nothing is there any more: the work is done again.
    std::fs::remove_dir_all(layout.artifacts(heir)).unwrap();
    let again = scene.submit(&equal());
    scene.play();
    assert_eq!(scene.launched, [first, again]);
    assert_eq!(explained(&scene, again).rejected, Some((heir, Unfit::FolderGone)));
}

#[test]
fn a_failure_is_not_reused() {
    let mut scene = Scene::new(|_| End::Fail);
    let first = scene.submit(&equal());
    scene.play();
    let second = scene.submit(&equal());
    scene.play();
    assert_eq!(scene.launched, [first, second]);
    assert_eq!(explained(&scene, second).rejected, Some((first, Unfit::Unsuccessful(Status::Failed))));
}

#[test]
fn only_children_look_for_equal_runs_unless_they_are_told_to() {
    let plain = operation(&job());
    let default = with(plain.clone(), "cache", json!({}));
    let mut scene = Scene::new(|_| End::Succeed);
    let runs = [&default, &default].map(|text| scene.submit(text));
    scene.play();
    assert_eq!(scene.launched, runs);
    assert_eq!(explained(&scene, runs[1]).refusal.unwrap().word(), "off_by_default");
    scene.launched.clear();
    scene.submit(&with(dag(&[op("a", &[])]), "cache", json!({})));
    scene.play();
    assert_eq!(scene.launched, [], "the child of a dag is equal to both");
    let clone = scene.start_again(runs[0], &json!({ "content": { "cache": { "disable": false } } })).unwrap();
    scene.play();
    assert_eq!(scene.launched, [clone]);
    assert_eq!(explained(&scene, clone).refusal.unwrap().word(), "clone");
}

#[test]
fn two_operations_that_reuse_one_result_both_have_it() {
    let gives = with(job(), "outputs", json!([{ "name": "y", "type": "int", "isOptional": true }]));
    let takes =
        json!([{ "name": "one", "type": "int" }, { "name": "two", "type": "int" }, { "name": "path", "type": "str" }]);
    let giving = |name: &str| with(op(name, &[]), "component", gives.clone());
    let params = json!({
        "one": { "ref": "ops.first", "value": "outputs.y" },
        "two": { "ref": "ops.second", "value": "outputs.y" },
        "path": { "ref": "ops.second", "value": "artifacts.model" },
    });
    let last = with(with(op("last", &[]), "component", with(job(), "inputs", takes)), "params", params);
    let mut scene =
        Scene::new(|run| if is_named(run, "top") { End::SucceedWith(json!({ "y": 3 })) } else { End::Succeed });
    let original = scene.submit(&with(operation(&gives), "cache", json!({ "disable": false })));
    scene.play();
    let top = scene.submit(&with(dag(&[giving("first"), giving("second"), last]), "cache", json!({})));
    scene.play();
    assert_eq!((scene.status(top), scene.launched.len()), (Status::Succeeded, 2));
    let inputs = json!(scene.child(top, "last").inputs);
    assert_eq!(inputs, json!({ "one": 3, "two": 3, "path": format!("{original}/model") }));
}

#[test]
fn a_cached_matrix_child_knows_its_component() {
    let matrix = json!({ "kind": "mapping", "values": [{ "row": 1 }, { "row": 2 }] });
    let trial = with(job(), "inputs", json!([{ "name": "row", "type": "int" }]));
    let mut scene = Scene::new(|_| End::Succeed);
    let sweep = with(with(operation(&trial), "matrix", matrix), "cache", json!({}));
    let (first, second) = (scene.submit(&sweep), scene.submit(&sweep));
    scene.play();
    assert_eq!(scene.launched.len(), 2, "the trials of the second are those of the first");
    let states: Vec<_> =
        [first, second].into_iter().flat_map(|top| scene.children(top)).map(|run| run.settings.component).collect();
    assert!(states[0].is_some() && states.iter().all(|state| *state == states[0]));
}
