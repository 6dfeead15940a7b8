//! 14: pipelines and trials that end before their time. Rules as values are in `engine::flow`: `early_stopping` and
//! `pruning`.

use polyaxon_model::ids::RunId;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_store::Fate;
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, job, operation, with};

fn matrix(policy: Json) -> Json {
    let values: Vec<Json> = (0..10).map(|row| json!({ "row": row })).collect();
    let matrix = json!({ "kind": "mapping", "values": values, "concurrency": 2, "earlyStopping": [policy] });
    with(operation(&job()), "matrix", matrix)
}

fn row(run: &Run) -> u64 {
    run.inputs.as_ref().and_then(|inputs| inputs.get("row")).and_then(Json::as_u64).unwrap()
}

#[test]
fn enough_failures_fail_the_pipeline() {
    let mut scene = Scene::new(|run| if row(run) < 3 { End::Fail } else { End::Succeed });
    let top = scene.submit(&matrix(json!({ "kind": "failure_early_stopping", "percent": 30 })));
    scene.play();
    assert_eq!(scene.status(top), Status::Failed);
    assert!(scene.launched.len() < 10, "{}", scene.launched.len());
    let early = scene.run(top).meta_info.get("early_stopping").cloned().unwrap();
    assert_eq!(early["kind"], "failure_early_stopping");
}

#[test]
fn a_metric_that_is_good_enough_ends_it_well() {
    let mut scene = Scene::new(|run| End::SucceedWith(json!({ "acc": row(run) as f64 / 10.0 })));
    let policy = json!({ "kind": "metric_early_stopping", "metric": "acc", "value": 0.3, "optimization": "maximize" });
    let top = scene.submit(&matrix(policy));
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded);
    assert!((4..10).contains(&scene.launched.len()), "{}", scene.launched.len());
}

#[test]
fn a_running_child_that_reaches_the_metric_ends_it_well() {
    let policy = json!({ "kind": "metric_early_stopping", "metric": "acc", "value": 0.9, "optimization": "maximize" });
    for by_outputs in [false, true] {
        let mut scene = Scene::new(|_| End::Hang);
        let top = scene.submit(&matrix(policy.clone()));
        scene.play();
        let running = scene.launched[1];
        let report = |scene: &mut Scene, step: u64, value: f64| {
            if by_outputs {
                scene.set_outputs(running, &json!({ "acc": value }));
            } else {
                scene.track(running, "acc", &[(step, value)]);
            }
        };
        report(&mut scene, 1, 0.5);
        scene.look();
        assert_eq!(scene.status(top), Status::Running);
        report(&mut scene, 2, 0.95);
        scene.look();
        assert_eq!((scene.status(top), scene.status(running)), (Status::Succeeded, Status::Stopped));
        assert_eq!(scene.launched.len(), 2);
        let early = scene.run(top).meta_info.get("early_stopping").cloned().unwrap();
        assert_eq!(early["run"], running.to_hex());
    }
}

/// Ten trials at once: the value of trial `row` at a step is `row` more than that of trial 0.
fn curves(scene: &mut Scene, policy: &Json) -> RunId {
    let rule = json!({ "kind": "metric_early_stopping", "metric": "acc", "value": 1000, "optimization": "maximize",
        "policy": policy });
    let top = scene.submit(&with_concurrency(matrix(rule), 10));
    scene.play();
    assert_eq!(scene.launched.len(), 10);
    top
}

fn with_concurrency(mut operation: Json, concurrency: u64) -> Json {
    operation["matrix"]["concurrency"] = json!(concurrency);
    operation
}

/// Each trial that still runs comes to a step.
fn advance(scene: &mut Scene, top: RunId, step: u64) {
    for child in scene.children(top).into_iter().filter(|child| child.status == Status::Running) {
        scene.track(child.uuid, "acc", &[(step, (row(&child) + step) as f64)]);
    }
    scene.look();
}

fn pruned(scene: &Scene, top: RunId) -> Vec<u64> {
    let stopped = scene.children(top).into_iter().filter(|child| child.status == Status::Stopped);
    stopped.map(|child| row(&child)).collect()
}

#[test]
fn policies_stop_only_the_trials_that_do_worse() {
    for (policy, expected) in [
        // Below the median of the means of the others.
        (json!({ "kind": "median", "evaluationInterval": 2, "minInterval": 4, "minSamples": 3 }), vec![0, 1, 2, 3]),
        // The worst three of ten.
        (json!({ "kind": "truncation", "percent": 30, "evaluationInterval": 2, "minInterval": 4 }), vec![0, 1, 2]),
        // Worse than the best by half: less than 6.5 at step 4.
        (json!({ "kind": "diff", "percent": 50, "evaluationInterval": 2, "minInterval": 4 }), vec![0, 1, 2]),
    ] {
        let mut scene = Scene::new(|_| End::Hang);
        let top = curves(&mut scene, &policy);
        for step in 1..4 {
            advance(&mut scene, top, step);
            assert_eq!(pruned(&scene, top), [0_u64; 0], "{policy} at {step}");
        }
        advance(&mut scene, top, 4);
        assert_eq!(pruned(&scene, top), expected, "{policy}");
        // Between checkpoints nothing is judged.
        advance(&mut scene, top, 5);
        assert_eq!(pruned(&scene, top), expected, "{policy}");

        let worst = scene.children(top).into_iter().find(|child| row(child) == 0).unwrap();
        let told = &worst.meta_info["pruned"];
        assert_eq!((&told["policy"], &told["step"], &told["value"]), (&policy["kind"], &json!(4), &json!(4.0)));
        let last = scene.conditions(worst.uuid).pop().unwrap();
        assert_eq!(last.reason.as_deref(), Some("EarlyStopping"));
        let message = last.message.unwrap();
        assert!(message.contains("At step 4") && message.contains("was 4"), "{message}");
        assert_eq!(worst.outputs.unwrap()["acc"], 4.0);

        for child in scene.children(top).into_iter().filter(|child| child.status == Status::Running) {
            scene.finish(child.uuid, &End::Succeed);
        }
        scene.play();
        assert_eq!(scene.status(top), Status::Succeeded);
    }
}

#[test]
fn values_without_steps_and_repeated_looks_count_once() {
    let mut scene = Scene::new(|_| End::Hang);
    let policy = json!({ "kind": "median", "evaluationInterval": 3 });
    let top = curves(&mut scene, &policy);
    for value in 1..4_u64 {
        for child in scene.children(top) {
            scene.set_outputs(child.uuid, &json!({ "acc": (10 * row(&child) + value) as f64 }));
        }
        scene.look();
        scene.look();
        assert_eq!(pruned(&scene, top).is_empty(), value < 3, "{value}");
    }
    assert_eq!(pruned(&scene, top), [0, 1, 2, 3, 4]);
}

#[test]
fn a_pruned_trial_that_goes_on_is_not_pruned_again() {
    let mut scene = Scene::new(|_| End::Hang);
    let top =
        curves(&mut scene, &json!({ "kind": "truncation", "percent": 10, "evaluationInterval": 1, "minSamples": 9 }));
    advance(&mut scene, top, 1);
    assert_eq!(pruned(&scene, top), [0]);
    let first = scene.children(top)[0].uuid;
    scene.apply(first, polyaxon_engine::state::Event::ResumeRequested);
    scene.play();
    assert_eq!(scene.status(first), Status::Running);
    assert!(!scene.run(first).meta_info.contains_key("pruned"));
    advance(&mut scene, top, 2);
    assert_eq!(pruned(&scene, top), [0_u64; 0]);
}

#[test]
fn a_crash_between_looks_stops_the_same_trials() {
    let policy = json!({ "kind": "median", "minInterval": 2 });
    let play = |fault: Option<(u64, Fate)>| {
        let mut scene = Scene::with_fault(fault, |_| End::Hang);
        let top = curves(&mut scene, &policy);
        let before = Scene::writes();
        advance(&mut scene, top, 2);
        (pruned(&scene, top), before, Scene::writes())
    };
    let (expected, first, last) = play(None);
    assert_eq!(expected, [0, 1, 2, 3, 4]);
    for write in first..last {
        for fate in [Fate::Lost, Fate::Unheard] {
            assert_eq!(play(Some((write, fate))).0, expected, "{write} {fate:?}");
        }
    }
}
