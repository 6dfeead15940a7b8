//! 7: searches learn. The bars of the baseline are `quality.rs` of the tests of `tuning` and `cargo xtask bench tuner`.

use polyaxon_model::ids::QueueId;
use polyaxon_model::kinds::{EdgeKind, Runtime};
use polyaxon_model::queue::QueueBody;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_store::db::Tx;
use polyaxon_store::leases::ANYBODY;
use polyaxon_store::queues;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::scene::{End, Scene, job, now, operation, with};

fn loss(run: &Run) -> f64 {
    let x = run.inputs.as_ref().and_then(|inputs| inputs.get("x")).and_then(Json::as_f64).unwrap();
    (x - 0.3).powi(2)
}

#[test]
fn a_search_ends_and_finds_the_hill() {
    let metric = json!({ "name": "loss", "optimization": "minimize" });
    let params = json!({ "x": { "kind": "uniform", "value": [0, 1] } });
    let tpe = json!({ "kind": "tpe", "numRuns": 10, "maxIterations": 3 });
    let bayes = json!({ "kind": "bayes", "numInitialRuns": 5, "maxIterations": 10,
        "utilityFunction": { "acquisitionFunction": "ucb", "kappa": 2.5 } });
    for (matrix, runs) in [(tpe, 30), (bayes, 15)] {
        let matrix = with(with(with(matrix, "metric", metric.clone()), "params", params.clone()), "seed", json!(5));
        let mut scene = Scene::new(|run| End::SucceedWith(json!({ "loss": loss(run) }))).with_capacity(2);
        let top = scene.submit(&with(operation(&job()), "matrix", matrix));
        scene.play();
        assert_eq!((scene.status(top), scene.launched.len()), (Status::Succeeded, runs));
        let best = scene.children(top).iter().map(loss).fold(f64::INFINITY, f64::min);
        assert!(best < 0.01, "{best}");
    }
}

/// A search that asks `mine` for values.
fn asking(kind: Json) -> Json {
    let params = json!({ "x": { "kind": "uniform", "value": [0, 1] } });
    let metric = json!({ "name": "loss", "optimization": "minimize" });
    let tuner = json!({ "hubRef": "mine:1", "params": { "depth": { "value": 3 } } });
    let matrix = with(with(with(kind, "metric", metric), "params", params), "tuner", tuner);
    with(operation(&job()), "matrix", matrix)
}

fn tuner() -> Json {
    let input = |name: &str, kind: &str| json!({ "name": name, "type": kind, "isOptional": true });
    with(
        job(),
        "inputs",
        json!([
            input("depth", "int"),
            input("matrix", "dict"),
            input("iteration", "int"),
            input("configs", "list"),
            input("metrics", "list")
        ]),
    )
}

#[test]
fn a_tuner_of_the_user_is_asked_round_by_round() {
    let mut scene = Scene::new(|run| match run.runtime {
        Some(Runtime::Tuner) => {
            let inputs = run.inputs.clone().unwrap();
            let round = inputs["iteration"].as_u64().unwrap();
            assert_eq!((&inputs["depth"], &inputs["matrix"]["kind"]), (&json!(3), &json!("tpe")));
            let configs = inputs.get("configs").and_then(Json::as_array).cloned().unwrap_or_default();
            assert_eq!(configs.len() as u64, round * 2);
            if round > 0 {
                // The best come first.
                let metrics: Vec<f64> = inputs["metrics"].as_array().unwrap().iter().filter_map(Json::as_f64).collect();
                assert!(metrics.is_sorted(), "{metrics:?}");
                assert!((configs[0]["x"].as_f64().unwrap() - 0.3).powi(2) <= metrics[0] + 1e-12);
            }
            let near = round as f64 / 10.0;
            End::SucceedWith(json!({ "suggestions": [{ "x": near }, { "x": near + 0.05 }] }))
        }
        _ => End::SucceedWith(json!({ "loss": loss(run) })),
    });
    scene.register("mine", &tuner());
    let top = scene.submit(&asking(json!({ "kind": "tpe", "numRuns": 2, "maxIterations": 3 })));
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded, "{:?}", scene.conditions(top));
    let children = scene.children(top);
    let is_tuner = |run: &&Run| run.runtime == Some(Runtime::Tuner);
    let asked: Vec<_> = children.iter().filter(is_tuner).map(|run| run.meta_info["iteration"].clone()).collect();
    assert_eq!(asked, [json!(0), json!(1), json!(2)]);
    let tried: Vec<f64> = children.iter().filter(|run| !is_tuner(run)).map(|run| loss(run).sqrt()).collect();
    assert_eq!(tried.len(), 6);
    let edges = scene.edges(children[1].uuid);
    assert_eq!(edges, [(children[0].uuid, EdgeKind::Join)]);
}

#[test]
fn a_tuner_runs_where_its_reference_says() {
    let mut scene = Scene::new(|run| match run.runtime {
        Some(Runtime::Tuner) => End::SucceedWith(json!({ "suggestions": [{ "x": 0.5 }] })),
        _ => End::SucceedWith(json!({ "loss": loss(run) })),
    });
    let (id, body) = (QueueId::new(Uuid::from_u128(9)), QueueBody::default());
    scene.store.write_blocking(move |tx| queues::create(tx, id, ANYBODY, "narrow", &body, now()).map(drop)).unwrap();
    scene.register("mine", &tuner());
    let mut search = asking(json!({ "kind": "iterative", "maxIterations": 1 }));
    let more = json!({ "queue": "narrow", "presets": ["small"], "namespace": "tuners" });
    search["matrix"]["tuner"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    search["matrix"].as_object_mut().unwrap().remove("metric");
    let top = scene.submit(&search);
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded, "{:?}", scene.conditions(top));
    let children = scene.children(top);
    let sql =
        "SELECT q.name FROM runs r JOIN queues q ON q.id = r.queue_id WHERE r.pipeline_id IS NOT NULL ORDER BY r.id";
    let read = |tx: &mut dyn Tx| tx.query(sql, &[])?.into_iter().map(|mut row| row.take()).collect();
    let queues: Vec<String> = scene.store.read_blocking(read).unwrap();
    assert_eq!(queues, ["narrow"], "its trials wait where all others do");
    let content: Json = serde_json::from_str(children[0].content.as_deref().unwrap()).unwrap();
    assert_eq!(content["presets"], json!(["small"]));
    // An agent of one machine has one namespace; which one was asked for is told to the tuner.
    let asked = &children[0].inputs.as_ref().unwrap()["matrix"]["tuner"];
    assert_eq!((&asked["namespace"], &asked["params"]["depth"]["value"]), (&json!("tuners"), &json!(3)));
}

#[test]
fn a_tuner_without_suggestions_or_success_fails_the_search() {
    for (end, reason) in [
        (End::Succeed, "EmptyIteration"),
        (End::SucceedWith(json!({ "suggestions": [] })), "EmptyIteration"),
        (End::SucceedWith(json!({ "suggestions": ["x"] })), "EmptyIteration"),
        (End::Fail, "TunerFailed"),
    ] {
        let mut scene = Scene::new(move |_| end.clone());
        scene.register("mine", &tuner());
        let top = scene.submit(&asking(json!({ "kind": "tpe", "numRuns": 2, "maxIterations": 2 })));
        scene.play();
        let last = scene.conditions(top).pop().unwrap();
        assert_eq!((scene.status(top), last.reason.as_deref()), (Status::Failed, Some(reason)), "{last:?}");
        assert_eq!(scene.launched.len(), 1);
    }
}

#[test]
fn a_search_begins_with_what_earlier_runs_found() {
    let params = json!({ "x": { "kind": "uniform", "value": [0, 1] } });
    let metric = json!({ "name": "loss", "optimization": "minimize" });
    let random = json!({ "kind": "random", "numRuns": 30, "seed": 1, "params": params });
    let tpe = |query: &str| {
        json!({ "kind": "tpe", "numRuns": 4, "seed": 5, "params": params, "metric": metric, "concurrency": 1,
            "warmStart": { "query": query } })
    };
    let tried = |query: &str, restarts: bool| {
        let mut scene = Scene::new(|run| End::SucceedWith(json!({ "loss": loss(run) }))).with_capacity(1);
        let before = with(operation(&job()), "matrix", random.clone());
        scene.submit(&before);
        scene.play();
        let top = scene.submit(&with(operation(&job()), "matrix", tpe(query)));
        scene.play_until_launched(31);
        if restarts {
            // What is found later does not count, and what is remembered is not needed.
            scene.submit(&before);
            scene.restart();
        }
        scene.play();
        assert_eq!(scene.status(top), Status::Succeeded, "{:?}", scene.conditions(top));
        scene.children(top).iter().map(loss).collect::<Vec<f64>>()
    };
    let warm = tried("kind: job, metrics.loss: <1", false);
    // Without experience the first ten are spread over the range.
    assert!(warm.iter().all(|loss| *loss < 0.01), "{warm:?}");
    let cold = tried("kind: service", false);
    assert!(cold.iter().any(|loss| *loss > 0.01), "{cold:?}");
    assert_eq!(tried("kind: job, metrics.loss: <1", true), warm);

    let mut scene = Scene::new(|_| End::Succeed);
    let top = scene.submit(&with(operation(&job()), "matrix", tpe("no such field")));
    scene.play();
    let last = scene.conditions(top).pop().unwrap();
    assert!(last.message.as_deref().unwrap().contains("matrix.warmStart: the query"), "{last:?}");
}
