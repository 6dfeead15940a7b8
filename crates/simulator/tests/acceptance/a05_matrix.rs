//! 5: what a matrix runs. Every case of `matrix-cases.json` goes through the engine; `cases.rs` of the tests of `tuning`
//! draws more often and checks the shape of distributions.

use std::collections::BTreeSet;

use conformance::matrices::{cases, is_close, rows};
use polyaxon_model::ids::RunId;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_spec::{compose, wire};
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, job, operation, with};

/// A matrix to its end, one child after the other.
fn played(matrix: &Json) -> (Scene, RunId) {
    let mut scene = Scene::new(|_| End::Succeed).with_capacity(1);
    let top = scene.submit(&with(operation(&job()), "matrix", matrix.clone()));
    scene.play();
    (scene, top)
}

/// What the children of a matrix were started with, in the order in which they were started.
fn tried(matrix: &Json) -> Vec<Json> {
    let (scene, top) = played(matrix);
    assert_eq!(scene.status(top), Status::Succeeded, "{matrix}: {:?}", scene.conditions(top).last());
    let children = scene.children(top);
    let order: Vec<RunId> = children.iter().map(|child| child.uuid).collect();
    assert_eq!(scene.launched, order, "{matrix}");
    children.into_iter().map(|child| Json::Object(child.inputs.unwrap_or_default())).collect()
}

#[track_caller]
fn assert_rows(id: &Json, expected: &[Json], got: &[Json]) {
    for (number, (expected, got)) in expected.iter().zip(got).enumerate() {
        assert!(is_close(expected, got), "{id}, {number}: expected {expected}, got {got}");
    }
}

#[test]
fn rows_become_children_in_order() {
    let recorded = rows();
    assert_eq!(recorded.len(), 42);
    for case in recorded {
        let count = case["expect"]["count"].as_u64().unwrap();
        if count == 0 {
            let (scene, top) = played(&case["matrix"]);
            assert_eq!((scene.status(top), scene.children(top).len()), (Status::Failed, 0), "{}", case["id"]);
            continue;
        }
        let got = tried(&case["matrix"]);
        assert_eq!(got.len() as u64, count, "{}", case["id"]);
        assert_rows(&case["id"], case["expect"]["suggestions"].as_array().unwrap(), &got);
    }
}

#[test]
fn what_cannot_be_a_matrix_is_refused() {
    for case in cases("invalid") {
        let operation = with(operation(&job()), "matrix", case["matrix"].clone());
        let read = wire::read_operation(&operation.to_string()).and_then(|operation| compose::compose(&operation));
        let problems = read.expect_err(case["id"].as_str().unwrap());
        assert!(problems.iter().all(|problem| problem.path.starts_with("matrix")), "{}: {problems:?}", case["id"]);
    }
}

#[test]
fn a_random_search_covers_a_finite_space_once() {
    for case in cases("coverage") {
        let got = tried(&case["matrix"]);
        let as_set = |rows: &[Json]| -> BTreeSet<String> { rows.iter().map(Json::to_string).collect() };
        assert_eq!(as_set(&got), as_set(case["set"].as_array().unwrap()));
        assert_eq!(Some(got.len() as u64), case["count"].as_u64());
    }
}

#[test]
fn a_seed_gives_the_draws_of_earlier_versions() {
    for case in cases("seeded") {
        let (got, expected) = (tried(&case["matrix"]), case["suggestions"].as_array().unwrap());
        assert_eq!(got.len(), expected.len(), "{}", case["id"]);
        assert_rows(&case["id"], expected, &got);
    }
}

#[test]
fn draws_are_where_their_distribution_is() {
    for case in cases("random") {
        // Seeded searches floor as earlier versions did, others round as documented.
        let seed = if case["checks"]["quantiser"] == "round" { Json::Null } else { json!(5) };
        let draws: Vec<Json> = tried(&json!({ "kind": "random", "numRuns": 60, "seed": seed,
            "params": { "x": case["param"], "free": { "kind": "uniform", "value": [0, 1] } } }))
        .into_iter()
        .map(|row| row["x"].clone())
        .collect();
        assert_eq!(draws.len(), 60);
        check_support(&case, &draws);
        check_mean(&case, &draws);
    }
}

fn check_support(case: &Json, draws: &[Json]) {
    let (id, checks) = (&case["id"], &case["checks"]);
    if let Some(support) = checks["support"].as_array() {
        let is_known = |draw: &&Json| support.iter().any(|value| is_close(value, draw));
        assert_eq!(draws.iter().find(|draw| !is_known(draw)), None, "{id}");
    }
    let numbers = draws.iter().filter_map(Json::as_f64);
    if let Some(low) = checks["min"].as_f64() {
        assert!(numbers.clone().all(|number| number >= low), "{id}");
    }
    if let Some(high) = checks["max"].as_f64() {
        assert!(numbers.clone().all(|number| number <= high), "{id}");
    }
}

/// The mean of the draws is not further from the expected one than chance explains.
fn check_mean(case: &Json, draws: &[Json]) {
    let checks = &case["checks"];
    let (mean, deviation, is_log) = match (checks["mean"].as_f64(), checks["logMean"].as_f64()) {
        (Some(mean), _) => (mean, checks["std"].as_f64().unwrap(), false),
        (None, Some(mean)) => (mean, checks["logStd"].as_f64().unwrap(), true),
        (None, None) => return,
    };
    let numbers = draws.iter().map(|draw| draw.as_f64().unwrap());
    let sum: f64 = numbers.map(|number| if is_log { number.ln() } else { number }).sum();
    let count = draws.len() as f64;
    assert!(
        (sum / count - mean).abs() <= 3.5 * deviation / count.sqrt(),
        "{}: the mean is {}",
        case["id"],
        sum / count
    );
}

fn number(run: &Run, name: &str) -> f64 {
    run.inputs.as_ref().and_then(|inputs| inputs.get(name)).and_then(Json::as_f64).unwrap()
}

/// Iteration, bracket iteration, number of children and what each of them got, in the order of the stages.
fn stages(iterations: &Json, eta: &Json) -> Vec<(u64, u64, u64, f64)> {
    let mut scene = Scene::new(|run| End::SucceedWith(json!({ "loss": number(run, "x") })));
    let matrix = json!({ "kind": "hyperband", "maxIterations": iterations, "eta": eta, "seed": 7,
        "resource": { "name": "epochs", "type": "int" }, "metric": { "name": "loss", "optimization": "minimize" },
        "params": { "x": { "kind": "uniform", "value": [0, 1] } } });
    let top = scene.submit(&with(operation(&job()), "matrix", matrix));
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded);
    let mut stages: Vec<(u64, u64, u64, f64)> = Vec::new();
    for child in scene.children(top) {
        let of = |key: &str| child.meta_info[key].as_u64().unwrap();
        let (iteration, bracket_iteration, resource) =
            (of("iteration"), of("bracket_iteration"), number(&child, "epochs"));
        match stages.last_mut() {
            Some(last) if (last.0, last.1, last.3) == (iteration, bracket_iteration, resource) => last.2 += 1,
            _ => stages.push((iteration, bracket_iteration, 1, resource)),
        }
    }
    stages
}

#[test]
fn brackets_of_hyperband_are_the_recorded_ones() {
    for case in cases("hyperband") {
        let stages = stages(&case["maxIterations"], &case["eta"]);
        let brackets = stages.iter().filter(|stage| stage.1 == 0).count() as u64;
        assert_eq!(Some(brackets), case["sMaxExact"].as_u64().map(|bracket| bracket + 1), "{case}");
        if case["sMax"] != case["sMaxExact"] {
            // The reference loses a bracket to the rounding of a logarithm.
            continue;
        }
        let row = |stage: &Json| {
            let whole = |at: usize| stage[at].as_u64().unwrap();
            (whole(0), whole(1), whole(2), stage[4].as_f64().unwrap())
        };
        let expected: Vec<(u64, u64, u64, f64)> = case["stages"].as_array().unwrap().iter().map(row).collect();
        assert_eq!(stages, expected);
    }
}

const COMBINATIONS: usize = 100_000;

/// All children of a large grid are created, and nothing else is done; where the memory of this process ended, in bytes.
fn expanded() -> u64 {
    let mut scene = Scene::on_disk();
    let axis = |count: u64| json!({ "kind": "range", "value": [0, count, 1] });
    let grid = json!({ "kind": "grid", "concurrency": 1,
        "params": { "a": axis(10), "b": axis(10), "c": axis(10), "d": axis(10), "e": axis(10) } });
    let top = scene.submit(&with(operation(&job()), "matrix", grid));
    let mut most_at_once = 0;
    let mut created = 0;
    while created < COMBINATIONS {
        scene.perform_first(|open| open.run == top);
        let count = scene.count_of_children(top);
        most_at_once = most_at_once.max(count - created);
        created = count;
    }
    assert!(most_at_once <= 1000, "{most_at_once} children were created at once");
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn a_grid_of_a_hundred_thousand_is_never_whole_in_memory() {
    // In a process of its own: the memory of this one is also that of other tests.
    const ALONE: &str = "POLYAXON_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        let bytes = expanded();
        assert!(bytes < 100_000_000, "{} MB", bytes / 1_000_000);
        return;
    }
    let name = "a05_matrix::a_grid_of_a_hundred_thousand_is_never_whole_in_memory";
    let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
    let output = alone.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
