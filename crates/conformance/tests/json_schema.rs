//! The JSON Schema for editors accepts what the reader accepts, and finds most of what is wrong with a single field.

use boon::{Compiler, SchemaIndex, Schemas};
use conformance::case::Case;
use conformance::corpus;
use polyaxon_spec::json_schema;
use polyaxon_spec::span::SourceId;
use polyaxon_spec::yaml;
use serde_json::Value as Json;

/// The classes of mistakes that one field shows by itself.
const CLASSES: &[&str] = &[
    "type",
    "unknown-field",
    "unknown-section",
    "missing-field",
    "enum",
    "unknown-kind",
    "missing-kind",
    "k8s-field",
    "k8s-required",
    "range",
    "name-pattern",
];

/// Mistakes of these classes that only the reader finds, in percent at most.
const MOST_MISSED_PERCENT: usize = 12;

fn compiled() -> (Schemas, SchemaIndex) {
    let mut compiler = Compiler::new();
    compiler.add_resource("polyaxonfile.json", json_schema::document()).expect("the schema has no address of its own");
    let mut schemas = Schemas::new();
    let index = compiler.compile("polyaxonfile.json", &mut schemas).expect("the schema is one");
    (schemas, index)
}

/// The main file as JSON, when it is the only file and can be read at all.
fn document(case: &Case) -> Option<Json> {
    let [name] = case.case["files"].as_array()?.as_slice() else { return None };
    let text = case.files.0.get(name.as_str()?)?;
    Some(yaml::read(SourceId::NONE, text).ok()?.node.to_json())
}

#[test]
fn valid_documents_are_valid_and_most_mistakes_are_found() {
    let (schemas, index) = compiled();
    let mut wrongly_refused = Vec::new();
    let (mut accepted, mut refused, mut missed) = (0, 0, Vec::new());
    for case in corpus::cases().expect("the corpus is readable") {
        let Some(document) = document(&case) else { continue };
        let verdict = schemas.validate(&document, index);
        let expected = &case.expected["check"];
        let is_mistake = expected["reason"].as_str().is_some_and(|class| CLASSES.contains(&class));
        match verdict {
            Err(error) if expected["status"] == "ok" => wrongly_refused.push(format!("{}: {error:#}", case.id)),
            Ok(()) if expected["status"] == "ok" => accepted += 1,
            Err(_) if is_mistake => refused += 1,
            Ok(()) if is_mistake => missed.push(format!("{} ({})", case.id, expected["reason"])),
            _ => {}
        }
    }
    println!("{accepted} valid documents accepted, {refused} mistakes found, {} missed", missed.len());
    assert!(wrongly_refused.is_empty(), "refused, but valid:\n{}", wrongly_refused.join("\n"));
    assert!(accepted > 300 && refused > 100, "{accepted} accepted, {refused} refused");
    let share = missed.len() * 100 / (missed.len() + refused);
    assert!(share <= MOST_MISSED_PERCENT, "{share} % missed:\n{}", missed.join("\n"));
}
