//! 16: hooks follow the end that they name, know how it came, and change nothing of it. Processes of hooks are `hooks.rs`
//! of the tests of the runtime; notifications are a table of their own, and `notifications.rs` there.

use polyaxon_engine::state::Event;
use polyaxon_model::ids::{RunId, VersionId};
use polyaxon_model::kinds::VersionKind;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_model::version::VersionBody;
use polyaxon_store::pipelines::child_id;
use polyaxon_store::{Fate, notifications, runs, versions};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::scene::{End, Scene, dag, is_named, job, now, op, operation, pass, with};

const TRIGGERS: [&str; 6] = ["succeeded", "failed", "stopped", "skipped", "upstream_failed", "done"];

/// A component whose runs have a name of their own.
fn hook(fields: &Json) -> Json {
    let mut hook = json!({ "component": with(job(), "name", json!("hook")) });
    hook.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    hook
}

/// The run of a hook of the first life of a run.
fn hook_run(scene: &Scene, run: RunId, number: usize) -> Option<Run> {
    let uuid = child_id(run, &format!("hook 0 {number}"));
    scene.store.read_blocking(move |tx| runs::get(tx, uuid)).unwrap()
}

/// The numbers of the hooks that were started.
fn started(scene: &Scene, run: RunId, count: usize) -> Vec<usize> {
    (0..count).filter(|number| hook_run(scene, run, *number).is_some()).collect()
}

fn register(scene: &Scene, name: &'static str, component: &Json) {
    let body: VersionBody = serde_json::from_value(json!({ "content": component.to_string() })).unwrap();
    let key = versions::Key { project: "accepted".into(), kind: VersionKind::Component, name: name.into() };
    let uuid = VersionId::new(Uuid::from_u128(77));
    let create = move |tx: &mut dyn polyaxon_store::db::Tx| versions::create(tx, &key, uuid, &body, None, now());
    scene.store.write_blocking(create).unwrap();
}

#[test]
fn each_trigger_follows_its_status_and_done_follows_every_one() {
    let mut hooks: Vec<Json> = TRIGGERS.iter().map(|trigger| hook(&json!({ "trigger": trigger }))).collect();
    hooks.push(hook(&json!({})));
    let cases: [(Status, Vec<usize>); 5] = [
        (Status::Succeeded, vec![0, 5, 6]),
        (Status::Failed, vec![1, 5, 6]),
        (Status::Stopped, vec![2, 5, 6]),
        (Status::Skipped, vec![3, 5, 6]),
        (Status::UpstreamFailed, vec![4, 5, 6]),
    ];
    for (status, expected) in cases {
        let mut scene = Scene::new(move |run| match status {
            _ if is_named(run, "hook") => End::Succeed,
            Status::Failed | Status::UpstreamFailed => End::Fail,
            Status::Succeeded => End::Succeed,
            _ => End::Hang,
        });
        let run = if status == Status::UpstreamFailed {
            let top = scene.submit(&dag(&[op("first", &[]), with(op("second", &["first"]), "hooks", json!(hooks))]));
            scene.play();
            scene.child(top, "second").uuid
        } else {
            let run = scene.submit(&with(operation(&job()), "hooks", json!(hooks)));
            match status {
                Status::Skipped => scene.apply(run, Event::SkipRequested),
                Status::Stopped => {
                    scene.play();
                    scene.apply(run, Event::StopRequested);
                }
                _ => {}
            }
            scene.play();
            run
        };
        assert_eq!(scene.status(run), status);
        assert_eq!(started(&scene, run, hooks.len()), expected, "{status}");
        assert_eq!(scene.run(run).meta_info.get("hooks_errors"), None, "{status}");
    }
}

#[test]
fn conditions_see_outputs_and_times() {
    let mut scene = Scene::new(|run| if is_named(run, "hook") { End::Succeed } else { End::Hang });
    let conditions = [
        ("{{ outputs.loss < 0.5 }}", true),
        ("{{ loss > 0.5 }}", false),
        ("{{ outputs.steps == 0 }}", true),
        ("{{ duration >= 90 and duration < 100 }}", true),
        ("{{ globals.finished_at > globals.started_at }}", true),
        ("{{ globals.started_at > globals.finished_at }}", false),
        ("{{ globals.created_at <= globals.started_at and status == 'succeeded' }}", true),
    ];
    let hooks: Vec<Json> = conditions.iter().map(|(text, _)| hook(&json!({ "conditions": text }))).collect();
    let outputs = json!([{ "name": "loss", "type": "float" }, { "name": "steps", "type": "int" }]);
    let component = with(job(), "outputs", outputs);
    let run = scene.submit(&with(operation(&component), "hooks", json!(hooks)));
    scene.play();
    pass(90);
    scene.finish(run, &End::SucceedWith(json!({ "loss": 0.25, "steps": 0 })));
    scene.play();
    assert_eq!(scene.run(run).meta_info.get("hooks_errors"), None);
    let expected: Vec<usize> = (0..conditions.len()).filter(|number| conditions[*number].1).collect();
    assert_eq!(started(&scene, run, conditions.len()), expected);
}

#[test]
fn a_hook_that_fails_or_cannot_be_started_changes_nothing_of_its_run_and_its_pipeline() {
    let mut scene = Scene::new(|run| if is_named(run, "hook") { End::Fail } else { End::Succeed });
    let hooks = json!([hook(&json!({})), { "hubRef": "no-such-component" }, hook(&json!({ "conditions": "maybe" }))]);
    let top = scene.submit(&dag(&[with(op("a", &[]), "hooks", hooks), op("b", &["a"])]));
    scene.play();
    let run = scene.child(top, "a");
    let failed = hook_run(&scene, run.uuid, 0).unwrap();
    assert_eq!((failed.status, failed.pipeline), (Status::Failed, None));
    assert_eq!((scene.status(top), run.status), (Status::Succeeded, Status::Succeeded));
    assert_eq!(scene.history(run.uuid).iter().filter(|status| status.is_done()).count(), 1);
    let problems = run.meta_info["hooks_errors"].as_array().unwrap().clone();
    let problems: Vec<&str> = problems.iter().filter_map(Json::as_str).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("hooks[1] (no-such-component): "), "{problems:?}");
    assert!(problems[1].starts_with("hooks[2] (hook): conditions: "), "{problems:?}");
}

#[test]
fn hooks_have_no_hooks_but_their_own_and_never_go_round_in_circles() {
    let mut scene = Scene::new(|_| End::Succeed);
    let circular = with(with(job(), "name", json!("again")), "hooks", json!([{ "hubRef": "again" }]));
    register(&scene, "again", &circular);
    let run = scene.submit(&with(operation(&job()), "hooks", json!([hook(&json!({})), { "hubRef": "again" }])));
    scene.play();
    let plain = hook_run(&scene, run, 0).unwrap();
    assert!(hook_run(&scene, plain.uuid, 0).is_none());
    let again = hook_run(&scene, run, 1).unwrap();
    assert!(hook_run(&scene, again.uuid, 0).is_none());
    let problem = again.meta_info["hooks_errors"][0].as_str().unwrap().to_owned();
    assert!(problem.contains("would go on for ever"), "{problem}");
    assert_eq!(scene.launched.len(), 3);
}

#[test]
fn hooks_of_a_dag_are_the_dags_and_names_of_the_hub_are_found_on_the_server() {
    let mut scene = Scene::new(|_| End::Succeed);
    register(&scene, "told", &with(job(), "name", json!("told")));
    let hooks = json!([{ "hubRef": "told" }, { "hubRef": "quick-start", "params": { "epochs": { "value": 2 } } }]);
    let top = scene.submit(&with(dag(&[op("a", &[]), op("b", &["a"])]), "hooks", hooks));
    scene.play();
    let names = [0, 1].map(|number| hook_run(&scene, top, number).and_then(|run| run.name));
    assert_eq!(names, [Some("told".to_owned()), Some("quick-start".to_owned())]);
    for child in scene.children(top) {
        assert_eq!(started(&scene, child.uuid, 2), [] as [usize; 0]);
    }
    assert_eq!(scene.launched.len(), 4);
}

#[test]
fn a_server_that_dies_starts_each_hook_and_asks_for_each_notification_once() {
    let play = |fault| {
        let mut scene = Scene::with_fault(fault, |_| End::Succeed);
        let hooks = json!([hook(&json!({ "trigger": "succeeded" })), hook(&json!({ "trigger": "failed" }))]);
        let plugins = json!({ "notifications": [{ "connections": ["chat"] }] });
        let run = scene.submit(&with(with(operation(&job()), "hooks", hooks), "plugins", plugins));
        scene.play();
        let untold = scene.store.read_blocking(move |tx| notifications::untold(tx, run)).unwrap();
        assert_eq!(untold.len(), 1, "{fault:?}");
        let count = "SELECT count(*) FROM runs";
        let all: i64 = scene.store.read_blocking(|tx| tx.query(count, &[])?.remove(0).take()).unwrap();
        (scene.status(run), started(&scene, run, 2), all, Scene::writes())
    };
    let (status, hooks, all, writes) = play(None);
    assert_eq!((status, hooks.as_slice(), all), (Status::Succeeded, [0].as_slice(), 2));
    for at in 0..writes {
        for fate in [Fate::Lost, Fate::Unheard] {
            let (status, hooks, all, _) = play(Some((at, fate)));
            assert_eq!((status, hooks.as_slice(), all), (Status::Succeeded, [0].as_slice(), 2), "write {at}: {fate:?}");
        }
    }
}
