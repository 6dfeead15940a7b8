//! 7: a search whose trials do not report its metric says so, and fails when none does.

use polyaxon_engine::explain;
use polyaxon_model::condition::METRIC_MISSING;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::Runtime;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_model::tree::TreeRow;
use polyaxon_store::descendants::{self, Now};
use polyaxon_store::facts;
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, job, now, operation, with};

/// Kinds that compare their trials by `los`.
fn comparing() -> Vec<Json> {
    let metric = json!({ "name": "los", "optimization": "minimize" });
    let kinds = [
        json!({ "kind": "bayes", "numInitialRuns": 3, "maxIterations": 2,
            "utilityFunction": { "acquisitionFunction": "ucb", "kappa": 2.5 } }),
        json!({ "kind": "tpe", "numRuns": 3, "maxIterations": 2 }),
        json!({ "kind": "hyperopt", "algorithm": "anneal", "numRuns": 3, "maxIterations": 2 }),
        json!({ "kind": "hyperband", "maxIterations": 3, "eta": 3, "resource": { "name": "steps", "type": "int" } }),
        json!({ "kind": "asha", "numRuns": 4, "maxIterations": 3, "eta": 3,
            "resource": { "name": "steps", "type": "int" } }),
    ];
    kinds.into_iter().map(|kind| with(kind, "metric", metric.clone())).collect()
}

fn search(matrix: Json) -> Json {
    let params = json!({ "x": { "kind": "uniform", "value": [0, 1] } });
    with(operation(&job()), "matrix", with(with(matrix, "params", params), "seed", json!(5)))
}

fn play(matrix: Json, script: impl FnMut(&Run) -> End + 'static) -> (Scene, RunId) {
    let mut scene = Scene::new(script).with_capacity(2);
    let top = scene.submit(&search(matrix));
    scene.play();
    (scene, top)
}

/// The message of the last condition, if it is about a metric.
fn told(scene: &Scene, run: RunId) -> Option<String> {
    let last = scene.conditions(run).pop().unwrap();
    last.message.filter(|_| last.reason.as_deref() == Some(METRIC_MISSING))
}

fn explained(scene: &Scene, run: RunId) -> (String, Vec<String>, Vec<String>) {
    let facts = scene.store.read_blocking(move |tx| facts::of(tx, run, now())).unwrap();
    let explanation = explain::explain(&facts, now());
    (explanation.summary, explanation.reasons.into_iter().map(|reason| reason.text).collect(), explanation.next)
}

/// The row of a run for those who watch it.
fn watched(scene: &Scene, run: RunId) -> TreeRow {
    let (_, rows) = scene.store.read_blocking(move |tx| descendants::all(tx, run)).unwrap();
    match rows.into_iter().next().unwrap().now {
        Now::There(row) => *row,
        Now::Gone(run) => panic!("{run} is gone"),
    }
}

#[test]
fn a_search_that_none_of_its_trials_tells_its_metric_fails_and_names_what_they_told() {
    for matrix in comparing() {
        let kind = matrix["kind"].clone();
        let (scene, top) = play(matrix, |_| End::SucceedWith(json!({ "loss": 0.5, "accuracy": 1 })));
        assert_eq!(scene.status(top), Status::Failed, "{kind}");
        let message = told(&scene, top).unwrap();
        for word in ["None of the", "`los`, the metric of the search", "`accuracy`, `loss`", "Did you mean `loss`?"] {
            assert!(message.contains(word), "{kind}: {message}");
        }
        let (summary, reasons, next) = explained(&scene, top);
        assert!(summary.contains("none of its trials reported"), "{summary}");
        assert!(reasons.iter().any(|text| text.contains("Did you mean `loss`?")), "{reasons:?}");
        assert!(next[0].starts_with("Write `loss` in `matrix.metric.name`"), "{next:?}");
        assert!(watched(&scene, top).lacks_metric());
    }
}

#[test]
fn one_that_some_of_them_tell_succeeds_with_a_warning() {
    for matrix in comparing() {
        let kind = matrix["kind"].clone();
        let mut count = 0;
        let (scene, top) = play(matrix, move |_| {
            count += 1;
            End::SucceedWith(if count == 1 { json!({ "los": "0.5" }) } else { json!({ "los": 0.5 }) })
        });
        assert_eq!(scene.status(top), Status::Succeeded, "{kind}");
        let message = told(&scene, top).unwrap();
        assert!(message.starts_with("Pipeline has succeeded. 1 of the "), "{message}");
        assert!(message.contains("(one reported `\"0.5\"`, which is no number)"), "{message}");
        let (summary, _, next) = explained(&scene, top);
        assert!(summary.starts_with("The search succeeded, but not all"), "{summary}");
        assert!(next[0].contains("tracking.log_metrics(los=...)"), "{next:?}");
        assert!(watched(&scene, top).lacks_metric());
    }
}

#[test]
fn one_whose_trials_tell_it_ends_as_ever() {
    for matrix in comparing() {
        let (scene, top) = play(matrix, |_| End::SucceedWith(json!({ "los": 0.5 })));
        assert_eq!((scene.status(top), told(&scene, top)), (Status::Succeeded, None));
        assert!(!watched(&scene, top).lacks_metric());
    }
}

#[test]
fn failures_are_told_first_and_the_metric_beside_them() {
    let mut count = 0;
    let (scene, top) = play(comparing().remove(1), move |_| {
        count += 1;
        if count == 1 { End::Fail } else { End::Succeed }
    });
    let last = scene.conditions(top).pop().unwrap();
    assert_eq!((last.status, last.reason.as_deref()), (Status::Failed, Some("SchedulerPipeline")));
    let message = last.message.unwrap();
    assert!(message.contains("Operations that failed: 1. None of the 5 trials"), "{message}");
    assert!(message.ends_with("they reported no numbers at all."), "{message}");
}

#[test]
fn a_search_that_compares_nothing_only_warns_of_its_policies() {
    let policy = json!({ "kind": "metric_early_stopping", "metric": "acc", "value": 1, "optimization": "maximize" });
    for (policies, is_told) in [(json!([]), false), (json!([policy]), true)] {
        let matrix = json!({ "kind": "random", "numRuns": 3, "earlyStopping": policies });
        let (scene, top) = play(matrix, |_| End::SucceedWith(json!({ "accuracy": 0.5 })));
        assert_eq!(scene.status(top), Status::Succeeded);
        assert_eq!(told(&scene, top).is_some_and(|text| text.contains("which `earlyStopping` looks at")), is_told);
    }
}

#[test]
fn a_tuner_of_the_user_may_go_by_something_else() {
    let mut scene = Scene::new(|run| match run.runtime {
        Some(Runtime::Tuner) => End::SucceedWith(json!({ "suggestions": [{ "x": 0.5 }] })),
        _ => End::Succeed,
    });
    scene.register("mine", &with(job(), "inputs", json!([{ "name": "matrix", "type": "dict" }])));
    let matrix = with(comparing().remove(1), "tuner", json!({ "hubRef": "mine:1" }));
    let top = scene.submit(&search(matrix));
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded);
    assert!(told(&scene, top).unwrap().contains("None of the 2 trials"), "{:?}", told(&scene, top));
}
