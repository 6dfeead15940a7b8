//! Which crates of others the product may stand on.

use serde_json::Value;

use super::{expect_none, licences};
use crate::command::Command;
use crate::workspace;

/// Crates that must never come in, even through others, with the reason.
const BANNED: &[(&str, &str)] = &[
    ("aws-lc-sys", "slow to build; rustls uses ring"),
    ("openssl-sys", "needs a system library; rustls is the one TLS"),
    ("native-tls", "needs a system library; rustls is the one TLS"),
    ("sqlx", "the store speaks SQL through rusqlite and postgres"),
    ("serde_yaml", "unmaintained, and it does not read YAML as PyYAML does"),
];

/// Crates that others may use (tokio-postgres has no choice), but ours must not.
const BANNED_FOR_US: &[(&str, &str)] = &[("async-trait", "enums over traits")];

#[test]
fn licences_allow_distribution() {
    let mut findings = vec![];
    for package in external_packages() {
        let licence = package["license"].as_str().unwrap_or_default();
        if !licences::is_allowed(licence) {
            findings.push(format!("{} {}: {licence:?}", package["name"], package["version"]));
        }
    }
    expect_none("these crates have a licence that is not in the list of licences.rs:", &findings);
}

#[test]
fn our_crates_use_no_crate_that_is_banned_for_them() {
    let metadata = workspace::metadata(&["--no-deps"]).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let dependencies = packages.iter().flat_map(|package| package["dependencies"].as_array().unwrap());
    let used: Vec<&Value> = dependencies.map(|dependency| &dependency["name"]).collect();
    let findings: Vec<String> = BANNED_FOR_US
        .iter()
        .filter(|(name, _)| used.iter().any(|used| *used == name))
        .map(|(name, reason)| format!("{name}: {reason}"))
        .collect();
    expect_none("our crates must not use these:", &findings);
}

#[test]
fn no_banned_crate_comes_in() {
    let packages = external_packages();
    let findings: Vec<String> = BANNED
        .iter()
        .filter(|(name, _)| packages.iter().any(|package| package["name"] == *name))
        .map(|(name, reason)| format!("{name}: {reason}"))
        .collect();
    expect_none("these crates must not come in:", &findings);
}

#[test]
fn versions_are_named_in_the_workspace_only() {
    let metadata = workspace::metadata(&["--no-deps"]).unwrap();
    let mut findings = vec![];
    for package in metadata["packages"].as_array().unwrap() {
        let manifest = std::fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        let dependencies = manifest.split("dependencies]").skip(1).flat_map(|part| part.lines().skip(1));
        for line in dependencies.take_while(|line| !line.starts_with("[lints")) {
            if line.contains('=') && !line.starts_with('#') && !line.contains("workspace = true") {
                findings.push(format!("{}: {line}", package["name"]));
            }
        }
    }
    expect_none("versions belong to [workspace.dependencies]:", &findings);
}

fn external_packages() -> Vec<Value> {
    let host = Command::new("rustc").args(&["-vV"]).read().unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let mut metadata = workspace::metadata(&["--locked", "--filter-platform", host]).unwrap();
    let Value::Array(packages) = metadata["packages"].take() else { panic!("no packages") };
    packages.into_iter().filter(|package| !package["source"].is_null()).collect()
}
