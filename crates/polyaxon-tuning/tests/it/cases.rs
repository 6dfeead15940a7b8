//! The recorded cases of matrices: what the reference implementation accepts, draws and computes.

use std::collections::BTreeSet;

use conformance::matrices::{cases, is_close, rows};
use polyaxon_tuning::{Search, section_of};
use serde_json::{Value as Json, json};

fn search(matrix: &Json) -> Search {
    let section = section_of(matrix).unwrap_or_else(|error| panic!("{matrix}: {error}"));
    Search::new(&section, 7).unwrap_or_else(|error| panic!("{matrix}: {error}"))
}

/// All configurations of a search that does not learn.
fn all(matrix: &Json) -> Vec<Json> {
    let plan = search(matrix).rows(0, u64::MAX);
    plan.suggestions.into_iter().map(|suggestion| Json::Object(suggestion.configuration)).collect()
}

#[test]
fn rows_of_grids_and_mappings_are_the_recorded_ones() {
    let recorded = rows();
    assert_eq!(recorded.len(), 42);
    for case in recorded {
        let rows = all(&case["matrix"]);
        assert_eq!(Some(rows.len() as u64), case["expect"]["count"].as_u64(), "{}", case["id"]);
        for (expected, got) in case["expect"]["suggestions"].as_array().into_iter().flatten().zip(&rows) {
            assert!(is_close(expected, got), "{}: expected {expected}, got {got}", case["id"]);
        }
    }
}

#[test]
fn what_the_reference_refuses_is_refused() {
    for case in cases("invalid") {
        let outcome = section_of(&case["matrix"]).and_then(|section| Search::new(&section, 7));
        let error = outcome.map(|_| ()).expect_err(case["id"].as_str().unwrap()).to_string();
        assert!(error.len() > 20, "{}: {error}", case["id"]);
    }
}

#[test]
fn a_random_search_covers_a_finite_space_once() {
    for case in cases("coverage") {
        let rows: BTreeSet<String> = all(&case["matrix"]).iter().map(Json::to_string).collect();
        let expected: BTreeSet<String> = case["set"].as_array().unwrap().iter().map(Json::to_string).collect();
        assert_eq!(rows, expected);
    }
}

#[test]
fn a_seed_gives_the_draws_of_earlier_versions() {
    for case in cases("seeded") {
        let rows = all(&case["matrix"]);
        let expected = case["suggestions"].as_array().unwrap();
        assert_eq!(rows.len(), expected.len(), "{}", case["id"]);
        for (expected, got) in expected.iter().zip(&rows) {
            assert!(is_close(expected, got), "{}: expected {expected}, got {got}", case["id"]);
        }
    }
}

#[test]
fn zero_is_a_seed() {
    let matrix = |seed: Json| json!({"kind": "random", "numRuns": 2, "seed": seed, "params": {"x": {"kind": "uniform", "value": [0, 1]}}});
    assert_eq!(all(&matrix(json!(0)))[0]["x"], json!(0.548_813_503_927_324_8));
    assert_ne!(all(&matrix(json!(0))), all(&matrix(Json::Null)));
}

/// Draws of one parameter; the second one keeps draws apart that would otherwise be repeats.
fn draws(param: &Json, seed: Option<u64>) -> Vec<Json> {
    let matrix = json!({
        "kind": "random",
        "numRuns": 20_000,
        "seed": seed,
        "params": {"x": param, "free": {"kind": "uniform", "value": [0, 1]}},
    });
    all(&matrix).into_iter().map(|row| row["x"].clone()).collect()
}

#[test]
fn draws_follow_the_distributions_of_the_file() {
    for case in cases("random") {
        let checks = &case["checks"];
        // Seeded searches floor as earlier versions did, others round as documented.
        let seeds: &[Option<u64>] = match checks["quantiser"].as_str() {
            Some("floor") => &[Some(5)],
            Some(_) => &[None],
            None => &[None, Some(5)],
        };
        for seed in seeds {
            let draws = draws(&case["param"], *seed);
            assert_eq!(draws.len(), 20_000);
            match checks["support"].as_array() {
                Some(support) => check_frequencies(&case, support, &draws),
                None => check_moments(&case, &draws),
            }
        }
    }
}

fn check_frequencies(case: &Json, support: &[Json], draws: &[Json]) {
    let tolerance = case["checks"]["tolerance"].as_f64().unwrap();
    let mut counted = 0;
    for (value, expected) in support.iter().zip(case["checks"]["probabilities"].as_array().unwrap()) {
        let count = draws.iter().filter(|draw| is_close(value, draw)).count();
        counted += count;
        let frequency = count as f64 / draws.len() as f64;
        let expected = expected.as_f64().unwrap();
        assert!((frequency - expected).abs() <= tolerance, "{}: {value} has {frequency}", case["id"]);
    }
    assert_eq!(counted, draws.len(), "{}: values outside of the support", case["id"]);
}

fn check_moments(case: &Json, draws: &[Json]) {
    let checks = &case["checks"];
    let number = |name: &str| checks[name].as_f64();
    let values: Vec<f64> = draws.iter().map(|draw| draw.as_f64().unwrap()).collect();
    if let Some(low) = number("min") {
        assert!(values.iter().all(|value| *value >= low), "{}", case["id"]);
    }
    if let Some(high) = number("max") {
        assert!(values.iter().all(|value| *value <= high), "{}", case["id"]);
    }
    let is_log = checks.get("logMean").is_some();
    let (prefix, values) = if is_log { ("log", values.iter().map(|value| value.ln()).collect()) } else { ("", values) };
    let name = |suffix: &str| match prefix {
        "" => suffix[..1].to_lowercase() + &suffix[1..],
        _ => format!("{prefix}{suffix}"),
    };
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    for (found, suffix) in [(mean, "Mean"), (deviation, "Std")] {
        let expected = number(&name(suffix)).unwrap();
        let tolerance = number(&name(&format!("{suffix}Tolerance"))).unwrap();
        assert!((found - expected).abs() <= tolerance, "{}: {suffix} is {found}", case["id"]);
    }
}

#[test]
fn brackets_of_hyperband_are_the_recorded_ones() {
    for case in cases("hyperband") {
        let matrix = json!({
            "kind": "hyperband",
            "maxIterations": case["maxIterations"],
            "eta": case["eta"],
            "resource": {"name": "epochs", "type": "int"},
            "metric": {"name": "loss", "optimization": "minimize"},
            "params": {"x": {"kind": "uniform", "value": [0, 1]}},
        });
        let stages = search(&matrix).stages();
        let brackets = stages.iter().filter(|stage| stage.bracket_iteration == 0).count() as u64;
        assert_eq!(Some(brackets), case["sMaxExact"].as_u64().map(|bracket| bracket + 1));
        if case["sMax"] != case["sMaxExact"] {
            // The reference loses a bracket to the rounding of a logarithm.
            continue;
        }
        assert_eq!(Some(stages.iter().map(|stage| stage.runs).sum()), case["totalRuns"].as_u64());
        let expected = case["stages"].as_array().unwrap();
        assert_eq!(stages.len(), expected.len());
        for (stage, expected) in stages.iter().zip(expected) {
            let got = json!([stage.iteration, stage.bracket_iteration, stage.runs]);
            assert_eq!(got.as_array().unwrap()[..], expected.as_array().unwrap()[..3]);
            assert!((stage.resource.unwrap() - expected[3].as_f64().unwrap()).abs() < 1e-9, "{expected}");
        }
    }
}

#[test]
fn large_grids_are_computed_by_number() {
    let axis = json!({"kind": "range", "value": [0, 1000, 1]});
    let mut search = search(&json!({"kind": "grid", "params": {"a": axis, "b": axis, "c": axis, "d": axis}}));
    assert_eq!(search.total(), 1_000_000_000_000);
    let plan = search.rows(999_999_999_999, 10);
    let last: Vec<String> =
        plan.suggestions.iter().map(|row| Json::Object(row.configuration.clone()).to_string()).collect();
    assert_eq!(last, [r#"{"a":999.0,"b":999.0,"c":999.0,"d":999.0}"#]);
}
