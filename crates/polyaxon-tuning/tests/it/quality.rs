//! How good the searches are: medians of a few seeds against bars that are a little wider than those of `bench/tuner.py`.

use polyaxon_tuning::{Outcome, Search, Trial, section_of};
use serde_json::{Value as Json, json};

use crate::problems::Problem;

const SEEDS: u64 = 5;

/// The best value after so many trials, one by one; the trials in the end.
fn run(mut matrix: Json, problem: Problem, trials: usize, batch: u64) -> (f64, Vec<Trial>) {
    matrix["params"] = problem.params();
    let mut search = Search::new(&section_of(&matrix).unwrap(), 0).unwrap();
    let mut done: Vec<Trial> = Vec::new();
    let mut best = f64::INFINITY;
    while done.len() < trials {
        for configuration in search.suggest(&done, batch) {
            let value = problem.value(&configuration);
            best = best.min(value);
            let outcome = Outcome::Succeeded(vec![value]);
            done.push(Trial { configuration, outcome, iteration: 0, bracket_iteration: 0 });
        }
    }
    (best, done)
}

fn matrix(kind: &str, seed: u64) -> Json {
    let mut matrix = json!({
        "kind": kind,
        "metric": {"name": "loss", "optimization": "minimize"},
        "maxIterations": 100,
        "seed": seed,
    });
    if kind == "bayes" {
        matrix["numInitialRuns"] = json!(10);
        matrix["utilityFunction"] = json!({"acquisitionFunction": "ucb", "kappa": 1.2});
    } else {
        matrix["numRuns"] = json!(1);
    }
    matrix
}

fn check(kind: &str, problem: Problem, trials: usize, batch: u64, bar: f64) {
    let mut best: Vec<f64> = (0..SEEDS).map(|seed| run(matrix(kind, seed), problem, trials, batch).0).collect();
    best.sort_by(f64::total_cmp);
    let median = best[SEEDS as usize / 2];
    assert!(median <= bar, "{kind} {problem:?}: {median} after {trials} trials");
}

#[test]
fn tpe_is_better_than_chance() {
    check("tpe", Problem::Branin, 100, 1, 0.46);
    check("tpe", Problem::Hartmann6, 100, 1, -2.85);
    check("tpe", Problem::Mixed, 100, 1, 0.15);
    check("tpe", Problem::Branin, 100, 5, 0.46);
}

#[test]
fn bayes_finds_minima() {
    check("bayes", Problem::Branin, 35, 1, 0.41);
    check("bayes", Problem::Mixed, 45, 1, 0.16);
}

#[test]
fn the_same_trials_give_the_same_suggestion_and_no_point_comes_twice() {
    for kind in ["tpe", "bayes"] {
        for problem in [Problem::Branin, Problem::Mixed] {
            let (_, trials) = run(matrix(kind, 3), problem, 25, 5);
            assert_eq!(trials, run(matrix(kind, 3), problem, 25, 5).1);
            let mut rows: Vec<String> =
                trials.iter().map(|trial| Json::Object(trial.configuration.clone()).to_string()).collect();
            rows.sort();
            rows.dedup();
            assert_eq!(rows.len(), 25, "{kind} {problem:?}");
        }
    }
}

/// Results of other machines: they must not depend on the platform, and a change of the algorithm shows here.
#[test]
fn suggestions_are_fixed_to_the_last_bit() {
    let numbers = |kind: &str| -> Vec<u64> {
        let (_, trials) = run(matrix(kind, 3), Problem::Branin, 20, 1);
        let last = &trials.last().unwrap().configuration;
        ["x1", "x2"].map(|name| last[name].as_f64().unwrap().to_bits()).to_vec()
    };
    for (kind, expected) in [("tpe", EXPECTED_TPE), ("bayes", EXPECTED_BAYES)] {
        assert_eq!(numbers(kind), expected, "{kind}: {:x?}", numbers(kind));
    }
}

const EXPECTED_TPE: [u64; 2] = [0x400a_98fd_9055_ad68, 0x4000_c575_e5be_adb9];
const EXPECTED_BAYES: [u64; 2] = [0xc014_0000_0000_0000, 0x4026_9e9a_4ef4_7505];
