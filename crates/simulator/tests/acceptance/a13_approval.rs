//! 13: one approval is asked for at each place, and one is enough.

use polyaxon_engine::state::Event;
use polyaxon_model::JsonMap;
use polyaxon_model::change::Change;
use polyaxon_model::kinds::Pending;
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::status::Status;
use serde_json::json;

use crate::scene::{End, Scene, dag, job, now, op, operation, with};

#[test]
fn a_run_waits_for_one_approval() {
    let mut scene = Scene::new(|_| End::Succeed);
    let run = scene.submit(&with(operation(&job()), "isApproved", json!(false)));
    scene.play();
    assert_eq!((scene.run(run).pending, scene.launched.len()), (Some(Pending::Approval), 0));
    scene.apply(run, Event::Approved);
    scene.play();
    assert_eq!(scene.status(run), Status::Succeeded);
}

#[test]
fn an_operation_of_a_dag_waits_while_its_siblings_go_on() {
    let mut scene = Scene::new(|_| End::Succeed);
    let gated = with(op("gated", &["first"]), "isApproved", json!(false));
    let top = scene.submit(&dag(&[op("first", &[]), gated, op("free", &["first"]), op("last", &["gated"])]));
    scene.play();
    assert_eq!((scene.status(top), scene.launched.len()), (Status::Running, 2));
    let child = scene.child(top, "gated");
    assert_eq!(child.pending, Some(Pending::Approval));
    scene.apply(child.uuid, Event::Approved);
    scene.play();
    assert_eq!((scene.status(top), scene.launched.len()), (Status::Succeeded, 4));
}

#[test]
fn a_schedule_is_approved_and_its_runs_are_not_asked_about() {
    let mut scene = Scene::new(|_| End::Succeed);
    let schedule = json!({ "kind": "interval", "frequency": 60, "maxRuns": 3 });
    let run = scene.submit(&with(with(operation(&job()), "schedule", schedule), "isApproved", json!(false)));
    scene.wait(600);
    assert!(scene.children(run).is_empty());
    scene.apply(run, Event::Approved);
    scene.wait(600);
    assert_eq!((scene.status(run), scene.launched.len()), (Status::Succeeded, 3));
}

#[test]
fn an_upload_comes_first_and_then_one_approval() {
    for (is_approved, approvals) in [(json!(false), 2), (json!(true), 1)] {
        let mut scene = Scene::new(|_| End::Succeed);
        let run = scene.submit_with(
            &with(operation(&job()), "isApproved", is_approved),
            Some(Pending::Upload),
            JsonMap::new(),
        );
        let mut asked = Vec::new();
        scene.play();
        while let Some(pending) = scene.run(run).pending {
            asked.push(pending);
            scene.apply(run, Event::Approved);
            scene.play();
        }
        assert_eq!(asked, [Pending::Upload, Pending::Approval][..approvals]);
        assert_eq!((scene.status(run), scene.launched.len()), (Status::Succeeded, 1));
    }
}

#[test]
fn what_was_uploaded_to_a_pipeline_is_there_for_its_runs() {
    let matrix = json!({ "kind": "mapping", "values": [{ "row": 0 }] });
    for pipeline in [dag(&[op("a", &[])]), with(operation(&job()), "matrix", matrix)] {
        let mut scene = Scene::new(|_| End::Succeed).with_folders();
        let top = scene.submit_with(&pipeline, Some(Pending::Upload), JsonMap::new());
        let meta_info = Change::Set(json!({ "upload_artifacts": "uploads" }).as_object().unwrap().clone());
        let patch = RunPatch { meta_info, ..RunPatch::default() };
        scene.store.write_blocking(move |tx| polyaxon_store::runs::patch(tx, top, &patch, now()).map(drop)).unwrap();
        let layout = scene.layout();
        std::fs::create_dir_all(layout.artifacts(top).join("uploads")).unwrap();
        std::fs::write(layout.artifacts(top).join("uploads/data"), "rows").unwrap();
        scene.apply(top, Event::Approved);
        scene.play();
        let again = scene.start_again(top, &json!({})).unwrap();
        scene.play();
        for run in [top, again] {
            let child = scene.children(run).remove(0);
            assert_eq!(std::fs::read_to_string(layout.artifacts(child.uuid).join("uploads/data")).unwrap(), "rows");
        }
    }
}
