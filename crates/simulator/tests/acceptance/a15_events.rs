//! 15: what happens to a run starts others, once; what can no longer happen starts nothing and hangs nothing.

use polyaxon_engine::state::Event;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{EdgeKind, ManagedBy};
use polyaxon_model::lineage::NewArtifact;
use polyaxon_model::listing::Paging;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_store::edges::{self, EdgeQuery, Side};
use polyaxon_store::{Fate, cache, facts, lineage};
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, dag, is_named, job, now, op, operation, with};

fn on(reference: &str, kinds: &[&str]) -> Json {
    json!([{ "ref": reference, "kinds": kinds }])
}

/// An operation that waits for an event and for the ends of others.
fn listener(name: &str, ends: &[&str], reference: &str, kinds: &[&str]) -> Json {
    with(op(name, ends), "events", on(reference, kinds))
}

/// `train` works until it is told to end.
fn hangs(run: &Run) -> End {
    if is_named(run, "train") { End::Hang } else { End::Succeed }
}

#[test]
fn an_operation_begins_while_the_other_one_works() {
    let mut scene = Scene::new(hangs);
    let monitor = listener("monitor", &[], "{{ ops.train }}", &["run_status_running", "run_status_warning"]);
    let top = scene.submit(&dag(&[op("train", &[]), monitor, op("after", &["train"])]));
    scene.play();
    let train = scene.child(top, "train");
    assert_eq!(train.meta_info["has_downstream_events_trigger"], true);
    let statuses = scene.statuses(top);
    assert_eq!(
        ["train", "monitor", "after"].map(|name| statuses[name]),
        [Status::Running, Status::Succeeded, Status::Created]
    );

    let wanted = EdgeQuery { query: String::new(), sort: String::new(), paging: Paging::first(10) };
    let edges = scene.store.read_blocking(|tx| edges::list(tx, train.uuid, Side::Downstream, &wanted, now())).unwrap();
    let found = edges.results.iter().map(|edge| (edge.kind, edge.statuses.clone())).collect::<Vec<_>>();
    let statuses = Some(vec![Status::Running, Status::Warning]);
    assert_eq!(found, [(EdgeKind::Event, statuses), (EdgeKind::Dag, None)]);

    scene.finish(train.uuid, &End::Succeed);
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded);
    let starts = scene.launched.iter().filter(|run| **run == scene.child(top, "monitor").uuid).count();
    assert_eq!(starts, 1);
}

#[test]
fn without_its_event_an_operation_cannot_begin() {
    let ends = |train: End, kinds: &[&str]| {
        let mut scene = Scene::new(move |run| if is_named(run, "train") { train.clone() } else { End::Succeed });
        let top = scene.submit(&dag(&[op("train", &[]), listener("alarm", &[], "ops.train", kinds)]));
        scene.play();
        (scene.statuses(top)["alarm"], scene.status(top), scene.child(top, "alarm").uuid, scene)
    };
    let (alarm, top, run, scene) = ends(End::Succeed, &["run_status_failed"]);
    assert_eq!((alarm, top), (Status::UpstreamFailed, Status::Succeeded));
    let facts = scene.store.read_blocking(move |tx| facts::of(tx, run, now())).unwrap();
    let told = facts.run.last_condition.unwrap().message.unwrap();
    assert_eq!(told, "None of its events can happen any more: `train` ended as succeeded without run_status_failed.");
    let (alarm, top, ..) = ends(End::Fail, &["run_status_failed"]);
    assert_eq!((alarm, top), (Status::Succeeded, Status::Failed));
    let (alarm, top, ..) = ends(End::Fail, &["run_status_done"]);
    assert_eq!((alarm, top), (Status::Succeeded, Status::Failed));
    let (alarm, top, ..) = ends(End::Succeed, &["alert_info"]);
    assert_eq!((alarm, top), (Status::UpstreamFailed, Status::Succeeded));
}

#[test]
fn an_operation_that_waited_for_work_is_broken_when_that_is_stopped() {
    let mut scene = Scene::new(|run| if is_named(run, "first") { End::Hang } else { End::Succeed });
    let monitor = listener("monitor", &[], "ops.train", &["run_status_running"]);
    let top = scene.submit(&dag(&[op("first", &[]), op("train", &["first"]), monitor]));
    scene.play();
    scene.apply(scene.child(top, "train").uuid, Event::StopRequested);
    scene.play();
    assert_eq!(scene.statuses(top)["monitor"], Status::UpstreamFailed);
    scene.finish(scene.child(top, "first").uuid, &End::Succeed);
    scene.play();
    assert_eq!(scene.status(top), Status::Failed);
}

#[test]
fn the_trigger_decides_when_no_event_can_happen_any_more() {
    let mut scene = Scene::new(hangs);
    let both = listener("both", &["other"], "ops.train", &["run_status_failed"]);
    let top = scene.submit(&dag(&[op("train", &[]), op("other", &[]), both]));
    scene.play();
    assert_eq!(scene.statuses(top)["both"], Status::Created, "`train` may fail yet");
    scene.finish(scene.child(top, "train").uuid, &End::Succeed);
    scene.play();
    assert_eq!((scene.statuses(top)["both"], scene.status(top)), (Status::Succeeded, Status::Succeeded));
}

#[test]
fn an_operation_can_wait_for_the_end_and_an_event_of_the_same_one() {
    let mut scene = Scene::new(hangs);
    let both = listener("both", &["train"], "ops.train", &["run_status_running"]);
    let top = scene.submit(&dag(&[op("train", &[]), both]));
    scene.play();
    assert_eq!(scene.statuses(top)["both"], Status::Succeeded);
    scene.finish(scene.child(top, "train").uuid, &End::Succeed);
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded);
}

#[test]
fn a_skip_that_is_followed_comes_before_an_event_that_may_happen() {
    let mut scene = Scene::new(hangs);
    let both = listener("both", &["skipped"], "ops.train", &["run_status_failed"]);
    let skipped = with(op("skipped", &[]), "conditions", json!("{{ 1 > 2 }}"));
    let top = scene.submit(&dag(&[op("train", &[]), skipped, with(both, "skipOnUpstreamSkip", json!(true))]));
    scene.play();
    assert_eq!(scene.statuses(top)["both"], Status::Skipped);
}

#[test]
fn what_happened_before_the_listener_was_there_counts() {
    let mut scene = Scene::new(|_| End::Succeed);
    let done = scene.submit(&operation(&job()));
    scene.play();
    assert_eq!(scene.status(done), Status::Succeeded);
    let reference = format!("runs.{}", done.to_hex());
    let top = scene.submit(&dag(&[listener("in-a-dag", &[], &reference, &["run_status_running"])]));
    let alone = scene.submit(&with(operation(&job()), "events", on(&reference, &["run_status_done"])));
    let never = scene.submit(&with(operation(&job()), "events", on(&reference, &["run_status_failed"])));
    scene.play();
    assert_eq!((scene.status(top), scene.status(alone)), (Status::Succeeded, Status::Succeeded));
    assert_eq!(scene.status(never), Status::UpstreamFailed);
}

#[test]
fn a_run_outside_of_dags_waits_for_another_run() {
    let mut scene = Scene::new(|run| if run.name.as_deref() == Some("top") { End::Hang } else { End::Succeed });
    let first = scene.submit(&operation(&job()));
    let reference = format!("runs.{}", first.uuid().hyphenated());
    let waits = scene.submit(&with(operation(&job()), "events", on(&reference, &["run_status_succeeded"])));
    scene.play();
    assert_eq!((scene.status(first), scene.status(waits)), (Status::Running, Status::Created));
    scene.finish(first, &End::Succeed);
    scene.play();
    assert_eq!(scene.status(waits), Status::Running);
    assert_eq!(scene.run(waits).managed_by, ManagedBy::Agent);
}

#[test]
fn a_run_can_be_stopped_while_it_waits() {
    let mut scene = Scene::new(hangs);
    let first = scene.submit(&with(operation(&job()), "isApproved", json!(false)));
    let reference = format!("runs.{}", first.to_hex());
    let waits = scene.submit(&with(operation(&job()), "events", on(&reference, &["run_status_running"])));
    scene.play();
    scene.apply(waits, Event::StopRequested);
    scene.apply(first, Event::Approved);
    scene.play();
    assert_eq!((scene.status(first), scene.status(waits)), (Status::Succeeded, Status::Stopped));
}

#[test]
fn an_event_of_no_run_or_of_a_strange_one_fails() {
    let mut scene = Scene::new(|_| End::Succeed);
    let reference = "runs.a1b2c3d4e5f647898abcdef012345678";
    let alone = scene.submit(&with(operation(&job()), "events", on(reference, &["run_status_done"])));
    let top = scene.submit(&dag(&[listener("node", &[], reference, &["run_status_done"])]));
    let silent = scene.submit(&with(operation(&job()), "events", on("connections.repo", &["connection_git_commit"])));
    scene.play();
    assert_eq!((scene.status(alone), scene.statuses(top)["node"]), (Status::Failed, Status::Failed));
    assert_eq!(scene.status(silent), Status::UpstreamFailed);
}

#[test]
fn approvals_and_artifacts_are_events() {
    let mut scene = Scene::new(hangs);
    let gate = with(op("gate", &[]), "isApproved", json!(false));
    let approved = listener("approved", &[], "ops.gate", &["run_approved_actor"]);
    let reader = listener("reader", &[], "ops.train", &["run_new_artifacts"]);
    let top = scene.submit(&dag(&[gate, approved, op("train", &[]), reader]));
    scene.play();
    let statuses = scene.statuses(top);
    assert_eq!((statuses["approved"], statuses["reader"]), (Status::Created, Status::Created));
    scene.apply(scene.child(top, "gate").uuid, Event::Approved);
    let train: RunId = scene.child(top, "train").uuid;
    let artifacts: Vec<NewArtifact> = serde_json::from_value(json!([{ "name": "m", "kind": "model" }])).unwrap();
    scene.store.write_blocking(move |tx| lineage::add(tx, train, &artifacts, now())).unwrap();
    scene.play();
    let statuses = scene.statuses(top);
    assert_eq!((statuses["approved"], statuses["reader"]), (Status::Succeeded, Status::Succeeded));
    assert_eq!(statuses["train"], Status::Running);
}

#[test]
fn a_result_that_nobody_shall_reuse_is_an_event() {
    let mut scene = Scene::new(hangs);
    let cached = |operation: Json| with(operation, "cache", json!({ "disable": false }));
    let first = scene.submit(&cached(operation(&job())));
    scene.play();
    let hit = scene.submit(&cached(operation(&job())));
    scene.play();
    assert_eq!(scene.run(hit).original.map(|original| original.uuid), Some(first));
    let invalidate = |scene: &Scene, run: RunId| {
        scene.store.write_blocking(move |tx| cache::invalidate(tx, run, now())).unwrap();
    };

    // While it works, once.
    let renew = listener("renew", &[], "ops.train", &["run_invalidated_actor"]);
    let top = scene.submit(&dag(&[op("train", &[]), renew]));
    scene.play();
    assert_eq!(scene.statuses(top)["renew"], Status::Created);
    let train = scene.child(top, "train").uuid;
    for _ in 0..2 {
        invalidate(&scene, train);
        scene.play();
    }
    let renew = scene.child(top, "renew").uuid;
    assert_eq!(scene.launched.iter().filter(|run| **run == renew).count(), 1);
    assert_eq!(scene.status(renew), Status::Succeeded);

    // What has happened already counts, also to the run whose result it was; another run was not invalidated.
    let waits = |scene: &mut Scene, run: RunId| {
        let events = on(&format!("runs.{}", run.to_hex()), &["run_invalidated_actor"]);
        let waiter = scene.submit(&with(operation(&job()), "events", events));
        scene.play();
        scene.status(waiter)
    };
    assert_eq!(waits(&mut scene, hit), Status::UpstreamFailed);
    invalidate(&scene, hit);
    assert_eq!(waits(&mut scene, hit), Status::Succeeded);
    assert_eq!(waits(&mut scene, first), Status::Succeeded);
    // Another life has another result.
    scene.apply(first, Event::ResumeRequested);
    scene.play();
    assert_eq!(waits(&mut scene, first), Status::UpstreamFailed);
}

#[test]
fn a_resumed_run_begins_its_events_anew() {
    let mut fails = true;
    let mut scene = Scene::new(move |run| {
        let is_first = is_named(run, "train") && std::mem::take(&mut fails);
        if is_first { End::Fail } else { End::Succeed }
    });
    let deploy = listener("deploy", &[], "ops.train", &["run_status_succeeded"]);
    let top = scene.submit(&dag(&[op("train", &[]), deploy]));
    scene.play();
    assert_eq!((scene.statuses(top)["deploy"], scene.status(top)), (Status::UpstreamFailed, Status::Failed));
    scene.apply(scene.child(top, "train").uuid, Event::ResumeRequested);
    scene.play();
    assert_eq!((scene.statuses(top)["deploy"], scene.status(top)), (Status::Succeeded, Status::Succeeded));
}

#[test]
fn every_write_can_be_the_last_of_a_server() {
    let play = |fault: Option<(u64, Fate)>| {
        let mut scene = Scene::with_fault(fault, |_| End::Succeed);
        let first = scene.submit(&operation(&job()));
        let monitor = listener("monitor", &[], "ops.train", &["run_status_running"]);
        let never = listener("never", &[], "ops.train", &["run_status_failed"]);
        let top = scene.submit(&dag(&[op("train", &[]), monitor, never]));
        let reference = format!("runs.{}", first.to_hex());
        let alone = scene.submit(&with(operation(&job()), "events", on(&reference, &["run_status_succeeded"])));
        scene.play();
        for run in scene.children(top).iter().map(|child| child.uuid).chain([alone]) {
            let finals = scene.history(run).into_iter().filter(|status| status.is_done()).count();
            let starts = scene.launched.iter().filter(|launched| **launched == run).count();
            assert!(finals == 1 && starts <= 1, "{fault:?}: {:?}, {starts} starts", scene.history(run));
        }
        (scene.statuses(top), scene.status(top), scene.status(alone), Scene::writes())
    };
    let (statuses, top, alone, writes) = play(None);
    assert_eq!((statuses["monitor"], statuses["never"]), (Status::Succeeded, Status::UpstreamFailed));
    assert_eq!((top, alone), (Status::Succeeded, Status::Succeeded));
    for at in 0..writes {
        for fate in [Fate::Lost, Fate::Unheard] {
            let (found, end, other, _) = play(Some((at, fate)));
            assert_eq!((found, end, other), (statuses.clone(), top, alone), "write {at} of {writes} was {fate:?}");
        }
    }
}
