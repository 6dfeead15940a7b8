//! What people do to parts of a pipeline while it is moving: each was found by the simulation first.

use std::cell::Cell;

use polyaxon_engine::state::{Action, Event};
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_store::pipelines;
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, dag, is_named, job, now, op, operation, with};

/// A run of this name ends like this in its first life, and like that in others; the rest hangs.
fn ends(name: &'static str, first: End, later: End) -> impl FnMut(&Run) -> End {
    let lives = Cell::new(0);
    move |run| {
        if !is_named(run, name) {
            return End::Hang;
        }
        lives.set(lives.get() + 1);
        if lives.get() == 1 { first.clone() } else { later.clone() }
    }
}

fn inner(operations: &[Json]) -> Json {
    json!({ "kind": "component", "version": 1.1, "run": { "kind": "dag", "concurrency": 1, "operations": operations } })
}

fn look_at_all(scene: &Scene) {
    scene.store.write_blocking(|tx| pipelines::advance::advance_all(tx, now())).unwrap();
}

#[test]
fn nothing_begins_deep_inside_of_a_pipeline_that_is_being_stopped() {
    let mut scene = Scene::new(|_| End::Hang);
    let top = scene.submit(&dag(&[json!({ "name": "in", "component": inner(&[op("a", &[]), op("b", &[])]) })]));
    scene.play();
    let within = scene.child(top, "in").uuid;
    let (a, b) = (scene.child(within, "a").uuid, scene.child(within, "b").uuid);
    assert_eq!((scene.status(a), scene.status(b)), (Status::Running, Status::Compiled));
    scene.apply(top, Event::StopRequested);
    scene.finish(a, &End::Succeed);
    look_at_all(&scene);
    assert_eq!(scene.status(b), Status::Compiled);
    scene.play();
    assert_eq!([top, within, b].map(|run| scene.status(run)), [Status::Stopped; 3]);
}

#[test]
fn an_operation_that_is_resumed_in_a_pipeline_that_is_being_stopped_is_stopped_too() {
    let mut scene = Scene::new(ends("a", End::Succeed, End::Hang));
    let top = scene.submit(&dag(&[op("a", &[]), op("b", &[])]));
    scene.play();
    let a = scene.child(top, "a").uuid;
    scene.apply(top, Event::StopRequested);
    scene.perform_first(|open| matches!(open.action, Action::Cascade { .. }));
    scene.apply(a, Event::ResumeRequested);
    scene.play();
    assert_eq!((scene.status(a), scene.status(top)), (Status::Stopped, Status::Stopped));
}

#[test]
fn an_operation_that_has_not_begun_waits_again_for_one_that_is_resumed() {
    let mut scene = Scene::new(ends("u", End::Succeed, End::Succeed));
    let crowd: Vec<String> = (0..110).map(|number| format!("crowd-{number}")).collect();
    let mut operations = vec![op("u", &[])];
    operations.extend(crowd.iter().map(|name| op(name, &[])));
    operations.push(op("d", &["u"]));
    let top = scene.submit(&with(operation(&inner(&operations)), "name", json!("top")));
    scene.play();
    let (u, d) = (scene.child(top, "u").uuid, scene.child(top, "d").uuid);
    assert_eq!((scene.status(u), scene.status(d)), (Status::Succeeded, Status::Created), "there is no room");
    scene.apply(u, Event::ResumeRequested);
    for name in &crowd {
        let run = scene.child(top, name).uuid;
        scene.apply(run, Event::SkipRequested);
    }
    scene.play();
    assert_eq!((scene.status(u), scene.status(d)), (Status::Compiled, Status::Created));
}

#[test]
fn a_deleted_operation_is_no_failure_when_what_broke_it_succeeds_after_all() {
    let mut scene = Scene::new(ends("a", End::Hang, End::Succeed));
    let top = scene.submit(&dag(&[op("a", &[]), op("b", &["a"]), op("c", &["b"]), op("keep", &[])]));
    scene.play();
    let (a, b) = (scene.child(top, "a").uuid, scene.child(top, "b").uuid);
    let (c, keep) = (scene.child(top, "c").uuid, scene.child(top, "keep").uuid);
    scene.apply(a, Event::StopRequested);
    scene.play();
    assert_eq!((scene.status(b), scene.status(c)), (Status::UpstreamFailed, Status::UpstreamFailed));
    scene.apply(b, Event::DeleteRequested);
    scene.play();
    scene.apply(a, Event::ResumeRequested);
    scene.play();
    scene.finish(keep, &End::Succeed);
    scene.play();
    assert_eq!((scene.status(a), scene.status(top)), (Status::Succeeded, Status::Succeeded));
}

#[test]
fn operations_after_a_resumed_one_are_decided_about_one_after_the_other() {
    let mut scene = Scene::new(ends("u", End::Succeed, End::Fail));
    let x = with(op("x", &["u"]), "trigger", json!("one_failed"));
    let d = with(op("d", &["u", "x"]), "trigger", json!("all_failed"));
    let top = scene.submit(&dag(&[op("u", &[]), x, d, op("keep", &[])]));
    scene.play();
    let [u, x, d] = ["u", "x", "d"].map(|name| scene.child(top, name).uuid);
    assert_eq!((scene.status(x), scene.status(d)), (Status::UpstreamFailed, Status::UpstreamFailed));
    scene.apply(u, Event::ResumeRequested);
    scene.play();
    assert_eq!([u, x].map(|run| scene.status(run)), [Status::Failed, Status::Running]);
    assert_eq!(scene.status(d), Status::Resuming, "`x` can still succeed");
    scene.finish(x, &End::Fail);
    scene.play();
    assert_eq!(scene.status(d), Status::Running);
}

#[test]
fn who_resumes_a_pipeline_does_not_get_the_result_of_another() {
    let first = Cell::new(true);
    let mut scene = Scene::new(move |_| if first.replace(false) { End::Fail } else { End::Succeed });
    let cached = with(dag(&[json!({ "name": "a", "component": job() })]), "cache", json!({ "disable": false }));
    let one = scene.submit(&cached);
    scene.play();
    assert_eq!(scene.status(one), Status::Failed);
    let other = scene.submit(&cached);
    scene.play();
    assert_eq!((scene.status(other), scene.launched.len()), (Status::Succeeded, 2));
    scene.apply(one, Event::ResumeRequested);
    scene.play();
    assert_eq!((scene.status(one), scene.launched.len()), (Status::Succeeded, 3));
}

#[test]
fn a_result_is_that_of_the_run_that_worked_however_it_was_found() {
    let mut scene = Scene::new(|_| End::Hang).with_capacity(1);
    let cached = with(operation(&job()), "cache", json!({ "disable": false }));
    let submit = |scene: &mut Scene| {
        let run = scene.submit(&cached);
        scene.play();
        run
    };
    let first = submit(&mut scene);
    let worker = submit(&mut scene);
    scene.apply(worker, Event::Approved);
    let second = submit(&mut scene);
    assert_eq!((scene.status(worker), &scene.launched), (Status::Queued, &vec![first]));
    // The second has waited for the first, is about to look again, and is waited for itself.
    scene.finish(first, &End::Fail);
    scene.perform_first(|open| open.run == first && matches!(open.action, Action::React { .. }));
    let third = scene.submit(&cached);
    scene.perform_first(|open| open.run == third && open.action == Action::Compile);
    assert_eq!(scene.run(third).original.unwrap().uuid, second);
    scene.play();
    scene.finish(worker, &End::Succeed);
    scene.play();
    for run in [second, third] {
        assert_eq!((scene.status(run), scene.run(run).original.unwrap().uuid), (Status::Succeeded, worker));
    }
}
