//! Resolution and lint against the conformance corpus, both from recorded operations and from the files themselves.

use conformance::case::Case;
use conformance::resolution::context;
use conformance::{compare, corpus, stages};
use polyaxon_compile::lint::lint;
use polyaxon_compile::resolve::{Resolved, resolve};
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::node::{Map, Node, Value};
use serde_json::{Value as Json, json};

/// Cases whose record is a quirk that spec §19 tells us not to follow, with the number of the quirk.
const NOT_FOLLOWED: &[(&str, &str)] = &[
    ("job/literal-evaluation-odd", "10: tuples, complex numbers and dots stay text"),
    ("job/volumes-odd-names", "15: volumes have their public names"),
    ("raycluster/workers-globals", "11: worker groups see the same globals as other replicas"),
    ("raycluster/workers-globals-plain", "11: worker groups see the same globals as other replicas"),
];

#[test]
fn recorded_operations_resolve_as_recorded() {
    let fixed = corpus::fixed().expect("the corpus is readable");
    let mut failures = Vec::new();
    let cases = cases();
    for case in &cases {
        let compiled = Node::from_json(&case.expected["compiled"]["value"]);
        let params = params(&case.expected["params"]);
        let found = resolve(&compiled, &params, &context(case, &compiled, &fixed));
        failures.extend(differences(case, found));
    }
    assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), cases.len(), failures.join("\n"));
    assert!(cases.len() > 400, "only {} cases", cases.len());
}

#[test]
fn files_resolve_as_recorded() {
    let fixed = corpus::fixed().expect("the corpus is readable");
    let mut failures = Vec::new();
    for case in cases().iter().filter(|case| case.option("override").is_null()) {
        let outcome = stages::outcome(case);
        let Some(compiled) = &outcome.compiled else { continue };
        // The server gets JSON.
        let operation = Node::from_json(&compiled.operation.to_json());
        let params = params(&Node::map(compiled.params.clone()).to_json());
        let found = resolve(&operation, &params, &context(case, &operation, &fixed));
        failures.extend(differences(case, found));
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn lint_has_no_errors_where_resolution_succeeds() {
    // This one prints an undeclared `n`: what the record accepts with an empty text, we report.
    let reported = "matrix/hyperband-float-resource";
    let mut wrong = Vec::new();
    for case in cases().iter().filter(|case| case.expected["resolved"]["status"] == "ok") {
        let outcome = stages::outcome(case);
        let Some(compiled) = &outcome.compiled else { continue };
        for finding in lint(&compiled.operation, &compiled.params) {
            if finding.is_error() && case.id != reported {
                wrong.push(format!("{}: {}", case.id, messages(&[finding])));
            } else if let Some(source) = outcome.sources.get(finding.span.source) {
                let marked = source.text.get(finding.span.start as usize..finding.span.end as usize);
                assert!(marked.is_some_and(|text| !text.is_empty()), "{}: {finding:?}", case.id);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lint_finds_the_templates_that_fail() {
    let late = [
        "contexts/division-by-zero-late",
        "contexts/include-late",
        "contexts/syntax-error-late",
        "contexts/undefined-attribute-late",
        "contexts/unknown-filter-late",
        "params/template-param-bool-fails-late",
        "params/template-param-int-fails-late",
    ];
    for case in cases().iter().filter(|case| late.contains(&case.id.as_str())) {
        let compiled = stages::outcome(case).compiled.expect("the check accepts it");
        let findings = lint(&compiled.operation, &compiled.params);
        assert!(findings.iter().any(Diagnostic::is_error), "{}: {}", case.id, messages(&findings));
    }
}

/// The cases whose resolution was recorded, without the quirks.
fn cases() -> Vec<Case> {
    let mut cases = corpus::cases().expect("the corpus is readable");
    cases.retain(|case| {
        let status = case.expected["resolved"]["status"].as_str();
        matches!(status, Some("ok" | "error")) && NOT_FOLLOWED.iter().all(|(id, _)| *id != case.id)
    });
    cases
}

fn params(json: &Json) -> Map {
    match Node::from_json(json).value {
        Value::Map(map) => map,
        _ => Map::new(),
    }
}

fn differences(case: &Case, found: Result<Resolved, Vec<Diagnostic>>) -> Option<String> {
    let expected = by_name(case.expected["resolved"].clone());
    let problems = found.as_ref().err().map(|problems| messages(problems)).unwrap_or_default();
    let got = match found {
        Ok(resolved) => by_name(json!({"status": "ok", "value": resolved.operation.to_json()})),
        Err(_) => json!({"status": "error"}),
    };
    let differences = compare::stage("resolved", &expected, Some(&got));
    (!differences.is_empty()).then(|| format!("{}: {} {problems}", case.id, differences.join("; ")))
}

/// The record sorts params by name, and contexts come in the order of params.
fn by_name(mut stage: Json) -> Json {
    if let Some(contexts) = stage["value"]["contexts"].as_array_mut() {
        contexts.sort_by_key(|io| io["name"].to_string());
    }
    stage
}

fn messages(problems: &[Diagnostic]) -> String {
    problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect::<Vec<_>>().join("; ")
}
