//! The floor plan of ARCHITECTURE.md: a crate may only depend on lower floors, and the lower floors are pure.

use serde_json::Value;

use super::expect_none;
use crate::workspace;

/// Every crate of the product and its floor.
const FLOORS: &[(&str, u8)] = &[
    ("polyaxon-model", 0),
    ("polyaxon-spec", 1),
    ("polyaxon-compile", 2),
    ("polyaxon-engine", 2),
    ("polyaxon-tuning", 2),
    ("polyaxon-store", 3),
    ("polyaxon-artifacts", 3),
    ("polyaxon-executors", 3),
    ("polyaxon-client", 3),
    ("polyaxon-runtime", 4),
    ("polyaxon-server", 4),
    ("polyaxon", 5),
];

/// Crates that are not part of the product and may depend on all of it.
const DEVELOPMENT_CRATES: &[&str] = &["conformance", "simulator", "xtask"];

/// Neighbours on one floor that may know each other, one way only, with the reason.
const NEIGHBOURS: &[(&str, &str, &str)] =
    &[("polyaxon-executors", "polyaxon-artifacts", "a supervisor writes the log files whose format is artifacts'")];

/// Floors up to this one are pure: no files, no network, no clock, no randomness, no async runtime.
const HIGHEST_PURE_FLOOR: u8 = 2;

const IMPURE_CRATES: &[&str] = &[
    "axum",
    "futures",
    "futures-util",
    "getrandom",
    "hyper",
    "libc",
    "nix",
    "object_store",
    "postgres",
    "reqwest",
    "rusqlite",
    "rustix",
    "rustls",
    "rustls-native-certs",
    "tempfile",
    "tokio",
    "tokio-postgres-rustls",
    "tokio-util",
    "tower",
    "tower-http",
    "tracing",
    "tracing-subscriber",
];

#[test]
fn crates_depend_on_lower_floors_only() {
    let mut findings = vec![];
    for_each_dependency(|package, floor, dependency| {
        let Some(other) = floor_of(dependency) else { return };
        let may_meet = NEIGHBOURS.iter().any(|(from, to, _)| *from == package && *to == dependency);
        if other > floor || (other == floor && !may_meet) {
            findings.push(format!("`{package}` (floor {floor}) must not depend on `{dependency}` (floor {other})"));
        }
    });
    expect_none("the floor plan of ARCHITECTURE.md is broken:", &findings);
}

#[test]
fn pure_floors_use_no_impure_crates() {
    let mut findings = vec![];
    for_each_dependency(|package, floor, dependency| {
        if floor <= HIGHEST_PURE_FLOOR && IMPURE_CRATES.contains(&dependency) {
            findings.push(format!("`{package}` (floor {floor}) is pure and must not depend on `{dependency}`"));
        }
    });
    expect_none("pure crates take what they need as arguments:", &findings);
}

#[test]
fn every_crate_has_a_floor() {
    let metadata = workspace::metadata(&["--no-deps"]).unwrap();
    let findings: Vec<String> = packages(&metadata)
        .map(|package| text(&package["name"]).to_owned())
        .filter(|name| !DEVELOPMENT_CRATES.contains(&name.as_str()) && floor_of(name).is_none())
        .collect();
    expect_none("these crates need a line in FLOORS and in ARCHITECTURE.md:", &findings);
}

/// Pure crates also forbid the impure parts of the standard library, each in its own `clippy.toml`.
#[test]
fn pure_crates_forbid_impure_functions() {
    let findings: Vec<String> = FLOORS
        .iter()
        .filter(|(_, floor)| *floor <= HIGHEST_PURE_FLOOR)
        .map(|(name, _)| format!("crates/{name}/clippy.toml"))
        .filter(|path| {
            let text = std::fs::read_to_string(workspace::root().join(path)).unwrap_or_default();
            !text.contains("std::time::SystemTime::now") || !text.contains("std::fs::read_to_string")
        })
        .collect();
    expect_none("these files must forbid the clock, the environment and the file system:", &findings);
}

/// Calls back with (package, its floor, dependency) for all dependencies but those of tests.
fn for_each_dependency(mut callback: impl FnMut(&str, u8, &str)) {
    let metadata = workspace::metadata(&["--no-deps"]).unwrap();
    for package in packages(&metadata) {
        let name = text(&package["name"]);
        let Some(floor) = floor_of(name) else { continue };
        for dependency in package["dependencies"].as_array().unwrap() {
            if dependency["kind"] != "dev" {
                callback(name, floor, text(&dependency["name"]));
            }
        }
    }
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn floor_of(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(crate_name, _)| *crate_name == name).map(|(_, floor)| *floor)
}
