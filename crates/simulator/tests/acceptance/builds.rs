//! A `build` section: another run makes the image first, and the run goes on with it, or not at all.

use polyaxon_engine::state::Event;
use polyaxon_model::change::Change;
use polyaxon_model::ids::{RunId, VersionId};
use polyaxon_model::kinds::{Pending, Runtime, VersionKind};
use polyaxon_model::lineage::NewArtifact;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_model::version::VersionBody;
use polyaxon_store::versions::{self, Key};
use polyaxon_store::{Fate, lifecycle, lineage};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::scene::{End, Scene, dag, job, now, op, operation, with};

/// A scene with a component `accepted:builder` that takes a destination.
fn scene(fault: Option<(u64, Fate)>, script: impl FnMut(&Run) -> End + 'static) -> Scene {
    let scene = Scene::with_fault(None, script);
    let component = json!({ "kind": "component", "version": 1.1, "name": "builder",
        "inputs": [{ "name": "destination", "type": "str" }, { "name": "context", "type": "str", "value": "." }],
        "run": { "kind": "job", "container": { "image": "none", "command": ["build"], "args": ["{{ destination }}"] } } });
    let content = Change::Set(component.to_string());
    let body = VersionBody { content, ..VersionBody::default() };
    let key = Key { project: "accepted".into(), kind: VersionKind::Component, name: "builder".into() };
    let uuid = VersionId::new(Uuid::from_u128(9));
    scene.store.write_blocking(move |tx| versions::create(tx, &key, uuid, &body, None, now()).map(drop)).unwrap();
    Scene::fail_at(fault);
    scene
}

fn built(operation: Json) -> Json {
    with(operation, "build", json!({ "hubRef": "accepted:builder" }))
}

/// The build of a run.
fn build_of(scene: &Scene, run: RunId) -> Run {
    let sql = format!(
        "SELECT u.uuid FROM run_edges e JOIN runs u ON u.id = e.upstream_id JOIN runs d ON d.id = e.downstream_id \
         WHERE d.uuid = '{}' AND e.kind = 'build' ORDER BY e.id DESC",
        run.to_hex()
    );
    let found = scene.store.read_blocking(move |tx| tx.query(&sql, &[])?.remove(0).take::<RunId>());
    scene.run(found.unwrap())
}

fn image(run: &Run) -> String {
    let content: Json = serde_json::from_str(run.content.as_deref().unwrap()).unwrap();
    content["run"]["container"]["image"].as_str().unwrap().to_owned()
}

fn is_build(run: &Run) -> bool {
    run.runtime == Some(Runtime::Builder)
}

#[test]
fn a_run_begins_with_the_image_that_was_made_for_it() {
    let mut scene = scene(None, |run| if is_build(run) { End::Hang } else { End::Succeed });
    let run = scene.submit(&built(operation(&job())));
    scene.play();
    let (waits, build) = (scene.run(run), build_of(&scene, run));
    assert_eq!((waits.status, waits.pending), (Status::Created, Some(Pending::Build)));
    assert_eq!((build.status, build.name.as_deref()), (Status::Running, Some("builder")));
    let destination = format!("accepted:{}", run.to_hex());
    assert_eq!(build.inputs.unwrap()["destination"], destination);
    scene.finish(build.uuid, &End::Succeed);
    scene.play();
    let done = scene.run(run);
    assert_eq!((done.status, done.pending, image(&done)), (Status::Succeeded, None, destination.clone()));
    assert_eq!(done.meta_info["destination_image"], destination);
}

#[test]
fn what_the_build_recorded_comes_before_what_it_was_told() {
    let mut scene = scene(None, |run| if is_build(run) { End::Hang } else { End::Succeed });
    let run = scene.submit(&built(operation(&job())));
    scene.play();
    let build = build_of(&scene, run).uuid;
    let summary = json!({ "image": "registry/made@sha256:1" });
    let rows = json!([{ "name": "destination", "kind": "docker_image", "summary": summary, "is_input": false }]);
    let rows: Vec<NewArtifact> = serde_json::from_value(rows).unwrap();
    scene.store.write_blocking(move |tx| lineage::add(tx, build, &rows, now())).unwrap();
    scene.finish(build, &End::Succeed);
    scene.play();
    assert_eq!(image(&scene.run(run)), "registry/made@sha256:1");
}

#[test]
fn a_run_whose_build_fails_cannot_begin() {
    for stopped in [false, true] {
        let mut scene = scene(None, |run| if is_build(run) { End::Hang } else { End::Succeed });
        let run = scene.submit(&built(operation(&job())));
        scene.play();
        let build = build_of(&scene, run).uuid;
        if stopped {
            scene.apply(build, Event::DeleteRequested);
        } else {
            scene.finish(build, &End::Fail);
        }
        scene.play();
        assert_eq!(scene.status(run), Status::UpstreamFailed, "deleted: {stopped}");
        // Another life gets another build.
        scene.apply(run, Event::ResumeRequested);
        scene.play();
        let again = build_of(&scene, run).uuid;
        assert_ne!(again, build);
        scene.finish(again, &End::Succeed);
        scene.play();
        assert_eq!(scene.status(run), Status::Succeeded);
    }
}

#[test]
fn a_build_is_stopped_with_the_run_that_waits_for_it() {
    let stop = |scene: &mut Scene, run: RunId, event: Event, is_bulk: bool| {
        if is_bulk {
            scene.store.write_blocking(move |tx| lifecycle::apply_all(tx, &[run], &event, now())).unwrap();
        } else {
            scene.apply(run, event);
        }
        scene.play();
    };
    for event in [Event::StopRequested, Event::SkipRequested, Event::ArchiveRequested, Event::DeleteRequested] {
        let ends = [false, true].map(|is_bulk| {
            let mut scene = scene(None, |run| if is_build(run) { End::Hang } else { End::Succeed });
            let run = scene.submit(&built(operation(&job())));
            scene.play();
            let build = build_of(&scene, run).uuid;
            stop(&mut scene, run, event.clone(), is_bulk);
            let last = scene.conditions(build).pop().unwrap();
            assert_eq!(last.message.as_deref(), Some("No run waits for its image any more."), "{event:?}");
            (scene.run(run).pending, scene.status(run), scene.history(build))
        });
        assert_eq!(ends[0], ends[1], "{event:?}");
        assert!(ends[0].0.is_none() && ends[0].1.is_done(), "{event:?}");
        assert_eq!(ends[0].2.last(), Some(&Status::Stopped), "{event:?}");
    }
}

#[test]
fn a_build_that_others_wait_for_goes_on() {
    let play = |last_too: bool| {
        let mut scene = scene(None, |run| if is_build(run) { End::Hang } else { End::Succeed });
        let section = json!({ "hubRef": "accepted:builder", "cache": { "ttl": 3600 } });
        let submit = |scene: &mut Scene| {
            let run = scene.submit(&with(operation(&job()), "build", section.clone()));
            scene.play();
            run
        };
        let (first, second) = (submit(&mut scene), submit(&mut scene));
        let (build, waits) = (build_of(&scene, first).uuid, build_of(&scene, second));
        assert_eq!(waits.pending, Some(Pending::Cache));
        scene.apply(first, Event::StopRequested);
        scene.play();
        assert_eq!((scene.status(first), scene.status(build)), (Status::Stopped, Status::Running));
        if last_too {
            scene.apply(second, Event::StopRequested);
            scene.play();
            assert_eq!(scene.status(waits.uuid), Status::Stopped);
        } else {
            scene.finish(build, &End::Succeed);
            scene.play();
        }
        (scene.status(build), scene.status(second))
    };
    assert_eq!(play(false), (Status::Succeeded, Status::Succeeded));
    assert_eq!(play(true), (Status::Stopped, Status::Stopped));
}

#[test]
fn a_run_that_goes_on_waits_for_its_new_build_alone() {
    let mut scene = scene(None, |run| if is_build(run) { End::Hang } else { End::Succeed });
    let run = scene.submit(&built(operation(&job())));
    scene.play();
    let old = build_of(&scene, run).uuid;
    scene.apply(run, Event::StopRequested);
    scene.apply(run, Event::ResumeRequested);
    scene.play();
    let new = build_of(&scene, run).uuid;
    assert_eq!(
        (scene.status(old), scene.status(new), scene.status(run)),
        (Status::Stopped, Status::Running, Status::Resuming)
    );
    scene.finish(new, &End::Succeed);
    scene.play();
    assert_eq!(scene.status(run), Status::Succeeded);
}

#[test]
fn a_component_that_cannot_build_is_told_at_once() {
    let mut scene = scene(None, |_| End::Succeed);
    let run = scene.submit(&with(operation(&job()), "build", json!({ "hubRef": "accepted:none" })));
    scene.play();
    assert_eq!(scene.status(run), Status::Failed);
    let sql = format!(
        "SELECT c.condition FROM status_conditions c JOIN runs r ON r.id = c.run_id \
        WHERE r.uuid = '{}' ORDER BY c.seq DESC",
        run.to_hex()
    );
    let last: String = scene.store.read_blocking(move |tx| tx.query(&sql, &[])?.remove(0).take()).unwrap();
    assert!(last.contains("build: cannot read `hubRef: accepted:none`"), "{last}");
}

#[test]
fn equal_builds_are_reused_when_they_may_be() {
    let mut scene = scene(None, |_| End::Succeed);
    let section = json!({ "hubRef": "accepted:builder", "cache": { "ttl": 3600 } });
    let submit = |scene: &mut Scene, context: &str| {
        let mut section = section.clone();
        section["params"] = json!({ "context": { "value": context } });
        let run = scene.submit(&with(operation(&job()), "build", section));
        scene.play();
        scene.run(run)
    };
    let first = submit(&mut scene, "a");
    let second = submit(&mut scene, "a");
    let other = submit(&mut scene, "b");
    assert_eq!(image(&first), format!("accepted:{}", first.uuid.to_hex()));
    assert_eq!(image(&second), image(&first));
    assert_eq!(image(&other), format!("accepted:{}", other.uuid.to_hex()));
    let builds = scene.launched.iter().filter(|run| is_build(&scene.run(**run))).count();
    assert_eq!(builds, 2);
}

#[test]
fn one_build_is_for_all_runs_of_a_search_and_each_operation_has_its_own() {
    let mut scene = scene(None, |_| End::Succeed);
    let matrix = json!({ "kind": "mapping", "values": [{ "row": 0 }, { "row": 1 }] });
    let search = scene.submit(&built(with(operation(&job()), "matrix", matrix)));
    scene.play();
    let destination = format!("accepted:{}", search.to_hex());
    let images: Vec<String> = scene.children(search).iter().map(image).collect();
    assert_eq!(images, [destination.as_str(), destination.as_str()]);

    let top = scene.submit(&dag(&[built(op("a", &[])), op("b", &["a"])]));
    scene.play();
    let (first, second) = (scene.child(top, "a"), scene.child(top, "b"));
    assert_eq!((scene.status(top), image(&second)), (Status::Succeeded, "none".to_owned()));
    assert_eq!(image(&first), format!("accepted:{}", first.uuid.to_hex()));
}

#[test]
fn every_write_can_be_the_last_of_a_server() {
    let play = |fault| {
        let mut scene = scene(fault, |_| End::Succeed);
        let run = scene.submit(&built(operation(&job())));
        scene.play();
        let done = scene.run(run);
        let builds = scene.launched.iter().filter(|run| is_build(&scene.run(**run))).count();
        (done.status, image(&done), builds, Scene::writes())
    };
    let (status, image, builds, writes) = play(None);
    assert_eq!((status, builds), (Status::Succeeded, 1));
    for at in 0..writes {
        for fate in [Fate::Lost, Fate::Unheard] {
            let (found, made, count, _) = play(Some((at, fate)));
            assert_eq!((found, &made, count), (status, &image, 1), "write {at} of {writes} was {fate:?}");
        }
    }
}

#[test]
fn a_server_that_is_killed_while_a_run_is_stopped_stops_the_build() {
    let play = |fault| {
        let mut scene = scene(None, |run| if is_build(run) { End::Hang } else { End::Succeed });
        let run = scene.submit(&built(operation(&job())));
        scene.play();
        let build = build_of(&scene, run).uuid;
        Scene::fail_at(fault);
        scene.apply(run, Event::StopRequested);
        scene.play();
        (scene.history(run), scene.history(build), Scene::writes())
    };
    let (run, build, writes) = play(None);
    assert_eq!((run.last(), build.last()), (Some(&Status::Stopped), Some(&Status::Stopped)));
    for at in 0..writes {
        for fate in [Fate::Lost, Fate::Unheard] {
            let (found, of_build, _) = play(Some((at, fate)));
            assert_eq!((found, of_build), (run.clone(), build.clone()), "write {at} of {writes} was {fate:?}");
        }
    }
}

#[test]
fn an_upload_is_what_the_image_is_made_of() {
    let mut scene = scene(None, |_| End::Succeed);
    let announced = json!({ "upload_artifacts": "uploads" }).as_object().unwrap().clone();
    let run = scene.submit_with(&built(operation(&job())), Some(Pending::Upload), announced);
    scene.play();
    let (waits, build) = (scene.run(run), build_of(&scene, run));
    assert_eq!((waits.pending, build.pending), (Some(Pending::Build), Some(Pending::Upload)));
    assert_eq!(
        (waits.meta_info.get("upload_artifacts"), &build.meta_info["upload_artifacts"]),
        (None, &json!("uploads"))
    );
    scene.apply(build.uuid, Event::Approved);
    scene.play();
    assert_eq!(scene.status(run), Status::Succeeded);
}
