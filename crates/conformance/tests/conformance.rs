//! Every recorded case gives the recorded result, except for the differences that we decided on.

use std::collections::BTreeMap;

use conformance::case::Case;
use conformance::differences::ALLOWED;
use conformance::{compare, corpus, stages};
use serde_json::Value as Json;

/// The stages that are compared.
const STAGES: &[&str] = &["check", "operation", "compiled", "params", "dag", "resolved", "children"];

#[test]
fn every_case_gives_the_recorded_result() {
    let cases = corpus::cases().expect("the corpus is readable");
    let fixed = corpus::fixed().expect("fixed.json is readable");
    assert!(cases.len() >= 800, "only {} cases", cases.len());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut failures = Vec::new();
    let mut unused: Vec<String> = ALLOWED.iter().map(|allowed| format!("{} {}", allowed.id, allowed.stage)).collect();
    for case in &cases {
        for (stage, differences) in compared(case, &fixed, &mut counts) {
            if differences.is_empty() {
                continue;
            }
            if ALLOWED.iter().any(|allowed| allowed.id == case.id && allowed.stage == stage) {
                unused.retain(|allowed| *allowed != format!("{} {stage}", case.id));
            } else {
                failures.push(format!("{}: {}", case.id, differences.join("; ")));
            }
        }
    }
    println!("{} cases, stages compared: {counts:?}, {} decided differences", cases.len(), ALLOWED.len());
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert!(unused.is_empty(), "these differences no longer occur: {unused:?}");
}

fn compared(case: &Case, fixed: &Json, counts: &mut BTreeMap<&'static str, usize>) -> Vec<(&'static str, Vec<String>)> {
    let got = stages::run(case, fixed);
    let recorded = |stage: &&str| case.expected.get(stage).is_some();
    let mut results = Vec::new();
    for stage in STAGES.iter().copied().filter(recorded) {
        *counts.entry(stage).or_default() += 1;
        results.push((stage, compare::stage(stage, &case.expected[stage], got.get(stage))));
        if case.expected[stage]["status"] == "error" || got.get(stage).is_some_and(is_error) {
            break;
        }
    }
    results
}

fn is_error(result: &Json) -> bool {
    result["status"] == "error"
}
