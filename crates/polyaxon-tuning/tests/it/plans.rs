//! Whole searches against simulated runs: what is started when, and when it ends.

use std::collections::BTreeMap;

use polyaxon_tuning::{Outcome, Outlook, Plan, Search, Trial, section_of};
use serde_json::{Value as Json, json};

/// A search and its simulated trials.
struct Simulation {
    search: Search,
    trials: Vec<Trial>,
    /// Most trials that were pending at once.
    peak: usize,
}

impl Simulation {
    fn new(matrix: &Json) -> Simulation {
        let search = Search::new(&section_of(matrix).unwrap(), 7).unwrap();
        Simulation { search, trials: Vec::new(), peak: 0 }
    }

    fn pending(&self) -> Vec<usize> {
        let is_pending = |index: &usize| self.trials[*index].outcome == Outcome::Pending;
        (0..self.trials.len()).filter(is_pending).collect()
    }

    fn start(&mut self, slots: u64) -> Plan {
        let plan = self.search.plan(&self.trials, &[], slots);
        assert_eq!(plan, self.search.plan(&self.trials, &[], slots), "a plan is a function of the trials");
        for suggestion in &plan.suggestions {
            self.trials.push(Trial {
                configuration: suggestion.configuration.clone(),
                outcome: Outcome::Pending,
                iteration: suggestion.iteration,
                bracket_iteration: suggestion.bracket_iteration,
            });
        }
        self.peak = self.peak.max(self.pending().len());
        plan
    }

    /// Runs until the search is over; the oldest pending trial ends first, with the metric of `metric`.
    fn run(&mut self, slots: u64, metric: impl Fn(&Trial) -> Outcome) {
        for _ in 0..100_000 {
            let free = slots - self.pending().len() as u64;
            let plan = self.start(free);
            match self.pending().first() {
                Some(first) => self.trials[*first].outcome = metric(&self.trials[*first]),
                None if plan.outlook == Outlook::Exhausted => return,
                None => assert!(!plan.suggestions.is_empty(), "nothing runs and nothing starts"),
            }
        }
        panic!("the search does not end");
    }

    /// The number of trials by (iteration, bracket iteration), and the resource of each.
    fn stages(&self, resource: &str) -> BTreeMap<(u64, u64), (usize, f64)> {
        let mut stages = BTreeMap::new();
        for trial in &self.trials {
            let entry = stages.entry((trial.iteration, trial.bracket_iteration)).or_insert((0, 0.0));
            entry.0 += 1;
            entry.1 = trial.configuration.get(resource).and_then(Json::as_f64).unwrap_or_default();
        }
        stages
    }
}

fn number(trial: &Trial, name: &str) -> f64 {
    trial.configuration[name].as_f64().unwrap()
}

/// Distance to 0.3.
fn loss(trial: &Trial) -> Outcome {
    Outcome::Succeeded(vec![(number(trial, "x") - 0.3).abs()])
}

const METRIC: &str = r#"{"name": "loss", "optimization": "minimize"}"#;

fn matrix(kind: &str, further: Json) -> Json {
    let mut matrix = json!({
        "kind": kind,
        "metric": serde_json::from_str::<Json>(METRIC).unwrap(),
        "params": {"x": {"kind": "uniform", "value": [0, 1]}},
        "seed": 3,
    });
    matrix.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    matrix
}

fn hyperband(most: u64) -> Json {
    matrix("hyperband", json!({"maxIterations": most, "eta": 3, "resource": {"name": "epochs", "type": "int"}}))
}

#[test]
fn hyperband_runs_its_whole_table() {
    for (most, runs) in [(81, 206), (10, 22)] {
        let mut simulation = Simulation::new(&hyperband(most));
        simulation.run(7, loss);
        assert_eq!(simulation.trials.len(), runs);
        let table: Vec<_> = simulation.search.stages();
        let stages = simulation.stages("epochs");
        assert_eq!(stages.len(), table.len());
        for stage in table {
            let (count, epochs) = stages[&(stage.iteration, stage.bracket_iteration)];
            assert_eq!(count as u64, stage.runs);
            assert_eq!(epochs, (stage.resource.unwrap() + 1e-9).floor());
        }
    }
}

#[test]
fn hyperband_goes_on_with_the_best() {
    let mut simulation = Simulation::new(&hyperband(9));
    simulation.run(100, loss);
    let of_stage = |stage: u64| -> Vec<f64> {
        let trials = simulation.trials.iter().filter(|trial| (trial.iteration, trial.bracket_iteration) == (0, stage));
        trials.map(|trial| number(trial, "x")).collect()
    };
    let mut first = of_stage(0);
    first.sort_by(|a, b| (a - 0.3).abs().total_cmp(&(b - 0.3).abs()));
    assert_eq!(of_stage(1), first[..3]);
    assert_eq!(of_stage(2), first[..1]);
}

#[test]
fn hyperband_brackets_differ_and_failures_are_not_promoted() {
    let mut simulation = Simulation::new(&hyperband(9));
    // All trials of the first bracket fail, so that it ends after its first stage.
    simulation.run(4, |trial| if trial.iteration == 0 { Outcome::Failed } else { loss(trial) });
    let stages = simulation.stages("epochs");
    assert!(!stages.contains_key(&(0, 1)) && stages.contains_key(&(1, 1)));
    let of_bracket =
        |bracket: u64| number(simulation.trials.iter().find(|trial| trial.iteration == bracket).unwrap(), "x");
    assert_ne!(of_bracket(0), of_bracket(1));
}

fn asha(further: Json) -> Json {
    let mut matrix = matrix(
        "asha",
        json!({"maxIterations": 9, "eta": 3, "numRuns": 27, "resource": {"name": "epochs", "type": "int"}}),
    );
    matrix.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    matrix
}

#[test]
fn asha_promotes_without_waiting() {
    let mut simulation = Simulation::new(&asha(json!({"concurrency": 4})));
    simulation.run(10, loss);
    assert_eq!(simulation.peak, 4);
    let stages = simulation.stages("epochs");
    assert_eq!(stages[&(0, 0)], (27, 1.0));
    // At least one in three goes on; more do when better ones come later.
    assert!((9..14).contains(&stages[&(0, 1)].0) && stages[&(0, 1)].1 == 3.0, "{stages:?}");
    assert!((3..6).contains(&stages[&(0, 2)].0) && stages[&(0, 2)].1 == 9.0, "{stages:?}");
    let first_promotion = simulation.trials.iter().position(|trial| trial.bracket_iteration == 1).unwrap();
    assert!(first_promotion < 10, "the first promotion is trial {first_promotion}");
}

#[test]
fn asha_names_the_trial_that_goes_on_and_promotes_it_once() {
    let mut simulation = Simulation::new(&asha(json!({})));
    simulation.start(6);
    for index in 0..6 {
        simulation.trials[index].outcome = loss(&simulation.trials[index]);
    }
    let plan = simulation.start(3);
    let origins: Vec<Option<usize>> = plan.suggestions.iter().map(|suggestion| suggestion.origin).collect();
    let mut order: Vec<usize> = (0..6).collect();
    order.sort_by(|a, b| {
        let distance = |index: &usize| (number(&simulation.trials[*index], "x") - 0.3).abs();
        distance(a).total_cmp(&distance(b))
    });
    assert_eq!(origins, [Some(order[0]), Some(order[1]), None]);
    assert_eq!(plan.suggestions[0].configuration["epochs"], 3);
}

#[test]
fn rounds_have_the_documented_budgets() {
    for (kind, further, total, last_round, peak) in [
        ("tpe", json!({"numRuns": 4, "maxIterations": 5}), 20, 4, 4),
        ("tpe", json!({"numRuns": 4}), 4, 0, 4),
        ("tpe", json!({"numRuns": 1, "maxIterations": 12, "concurrency": 3}), 12, 11, 3),
        ("hyperopt", json!({"numRuns": 3, "maxIterations": 4, "algorithm": "anneal"}), 12, 3, 3),
        ("hyperopt", json!({"numRuns": 3, "maxIterations": 4, "algorithm": "rand"}), 12, 3, 8),
        ("bayes", json!({"numInitialRuns": 5, "maxIterations": 6}), 11, 6, 5),
        ("bayes", json!({"numInitialRuns": 5, "maxIterations": 6, "concurrency": 2}), 11, 6, 2),
    ] {
        let mut simulation = Simulation::new(&matrix(kind, further.clone()));
        simulation.run(8, loss);
        assert_eq!(simulation.trials.len(), total, "{kind} {further}");
        assert_eq!(simulation.trials.last().unwrap().iteration, last_round, "{kind} {further}");
        assert_eq!(simulation.peak, peak, "{kind} {further}");
    }
}

#[test]
fn trials_that_fail_are_not_fatal() {
    for (kind, further) in [
        ("tpe", json!({"numRuns": 1, "maxIterations": 30, "concurrency": 2})),
        ("bayes", json!({"numInitialRuns": 5, "maxIterations": 25})),
        ("hyperopt", json!({"numRuns": 1, "maxIterations": 30, "algorithm": "anneal"})),
    ] {
        let mut simulation = Simulation::new(&matrix(kind, further));
        simulation.run(2, |trial| match number(trial, "x") {
            x if x > 0.8 => Outcome::Failed,
            x if x > 0.6 => Outcome::Succeeded(vec![f64::NAN]),
            _ => loss(trial),
        });
        assert_eq!(simulation.trials.len(), 30);
    }
}

#[test]
fn searches_that_learn_take_every_kind_of_parameter() {
    let params = json!({
        "rate": {"kind": "loguniform", "value": [-9, 0]},
        "steps": {"kind": "qloguniform", "value": [0, 5, 1]},
        "dropout": {"kind": "quniform", "value": [0, 0.6, 0.1]},
        "bias": {"kind": "normal", "value": [0, 2]},
        "scale": {"kind": "qlognormal", "value": [1, 0.5, 1]},
        "day": {"kind": "daterange", "value": ["2024-05-01", "2024-05-04", 1]},
        "name": {"kind": "pchoice", "value": [["a", 0.2], ["b", 0.8]]},
    });
    for (kind, further) in [
        ("tpe", json!({"numRuns": 1, "maxIterations": 40})),
        ("bayes", json!({"numInitialRuns": 8, "maxIterations": 32})),
        ("hyperopt", json!({"numRuns": 1, "maxIterations": 40, "algorithm": "anneal"})),
    ] {
        let mut matrix = matrix(kind, further);
        matrix["params"] = params.clone();
        let mut simulation = Simulation::new(&matrix);
        let loss = |trial: &Trial| (number(trial, "rate").ln() + 3.0).abs() + 0.1 * number(trial, "bias").abs();
        simulation.run(1, |trial| Outcome::Succeeded(vec![loss(trial)]));
        assert_eq!(simulation.trials.len(), 40);
        for trial in &simulation.trials {
            let is_inside = |name: &str, low: f64, high: f64| (low..=high).contains(&number(trial, name));
            let numbers =
                is_inside("rate", 1e-4, 1.0) && is_inside("steps", 1.0, 148.5) && is_inside("dropout", 0.0, 0.6);
            let names = ["a", "b"].map(Some).contains(&trial.configuration["name"].as_str());
            let days = trial.configuration["day"].as_str().is_some_and(|day| day.starts_with("2024-05-0"));
            assert!(numbers && names && days && number(trial, "scale") >= 0.0, "{kind}: {trial:?}");
        }
        let best = simulation.trials.iter().map(loss).fold(f64::INFINITY, f64::min);
        assert!(best < 0.3, "{kind}: {best}");
    }
}

#[test]
fn finite_spaces_are_searched_once() {
    let params = json!({
        "a": {"kind": "choice", "value": ["x", "y"]},
        "b": {"kind": "quniform", "value": [0, 1, 0.25], "when": {"a": "x"}},
        "c": {"kind": "choice", "value": [1, 2, 4]},
    });
    for (kind, further) in [
        ("random", json!({"numRuns": 50})),
        ("tpe", json!({"numRuns": 50})),
        ("tpe", json!({"numRuns": 1, "maxIterations": 50})),
        ("hyperopt", json!({"numRuns": 50, "algorithm": "anneal"})),
        ("hyperopt", json!({"numRuns": 50, "algorithm": "rand"})),
        ("bayes", json!({"numInitialRuns": 5, "maxIterations": 45})),
    ] {
        let mut document = matrix(kind, further.clone());
        document["params"] = params.clone();
        if kind == "bayes" {
            document["params"]["b"] = json!({"kind": "linspace", "value": [0, 1, 5], "when": {"a": "x"}});
        }
        if kind == "random" {
            document.as_object_mut().unwrap().remove("metric");
        }
        let mut simulation = Simulation::new(&document);
        simulation.run(3, |trial| Outcome::Succeeded(vec![number(trial, "c")]));
        let mut rows: Vec<String> =
            simulation.trials.iter().map(|trial| Json::Object(trial.configuration.clone()).to_string()).collect();
        assert_eq!(rows.len(), 18, "{kind} {further}");
        rows.sort();
        rows.dedup();
        assert_eq!(rows.len(), 18, "{kind} {further}");
    }
}

#[test]
fn grids_leave_out_what_conditions_switch_off() {
    let document = json!({"kind": "grid", "params": {
        "optimizer": {"kind": "choice", "value": ["sgd", "adam"]},
        "momentum": {"kind": "choice", "value": [0.5, 0.9], "when": {"optimizer": "sgd"}},
        "seed": {"kind": "range", "value": [0, 2, 1]},
    }});
    let mut search = Search::new(&section_of(&document).unwrap(), 0).unwrap();
    let rows = search.rows(0, 100).suggestions;
    let rows: Vec<String> = rows.into_iter().map(|row| Json::Object(row.configuration).to_string()).collect();
    assert_eq!(
        rows,
        [
            r#"{"optimizer":"sgd","momentum":0.5,"seed":0.0}"#,
            r#"{"optimizer":"sgd","momentum":0.5,"seed":1.0}"#,
            r#"{"optimizer":"sgd","momentum":0.9,"seed":0.0}"#,
            r#"{"optimizer":"sgd","momentum":0.9,"seed":1.0}"#,
            r#"{"optimizer":"adam","seed":0.0}"#,
            r#"{"optimizer":"adam","seed":1.0}"#,
        ]
    );
}
