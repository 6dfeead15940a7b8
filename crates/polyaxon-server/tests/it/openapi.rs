//! The OpenAPI document: current, complete, and sound in itself.

use std::collections::BTreeSet;

use polyaxon_server::openapi;
use serde_json::Value;

use crate::server::TestServer;

const METHODS: [&str; 6] = ["get", "put", "post", "delete", "patch", "head"];

fn document() -> Value {
    serde_json::from_str(&openapi()).unwrap()
}

/// Every operation with its address.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let mut found = Vec::new();
    for (path, item) in paths {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                found.push((format!("{method} {path}"), operation));
            }
        }
    }
    found
}

#[test]
fn the_committed_document_is_current() {
    // `cargo xtask codegen` writes it.
    snapbox::assert_data_eq!(openapi(), snapbox::file!["../../../../schema/openapi.json": Text].raw());
}

#[test]
fn every_operation_is_described() {
    let document = document();
    let tags: Vec<&str> = document["tags"].as_array().unwrap().iter().filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&document) {
        let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        assert!(text(&operation["summary"]), "{name} has no summary: write a doc comment on its handler");
        assert!(operation["summary"].as_str().unwrap().ends_with('.'), "{name}: the summary is a sentence");
        let tag = operation["tags"][0].as_str().unwrap_or_default();
        assert!(tags.contains(&tag), "{name}: the tag `{tag}` is not in the list");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{name}: operation_id is taken");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name}: no success is described");
        for (status, response) in responses {
            let is_described = text(&response["description"]) || text(&response["$ref"]);
            assert!(is_described, "{name}: {status} has no description");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let is_described = text(&parameter["description"]) || text(&parameter["$ref"]);
            assert!(is_described, "{name}: {} has no description", parameter["name"]);
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = document();
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    for reference in &references {
        let pointer = reference.strip_prefix('#').expect("references stay inside of the document");
        assert!(document.pointer(pointer).is_some(), "{reference} is not in the document");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(references.contains(&format!("#/components/schemas/{name}")), "nobody uses the schema {name}");
    }
}

fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        _ => {}
    }
}

/// `.route(…)` adds a route that the document does not know; only pages and second addresses may be added like this.
#[test]
fn every_route_is_in_the_document() {
    let table = include_str!("../../src/router.rs");
    let document = document();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    for line in table.lines().filter(|line| line.contains(".route(\"")) {
        let path = line.split('"').nth(1).unwrap();
        let is_page = ["/", "/ui", "/static", "/api/docs", "/api/openapi.json"]
            .iter()
            .any(|page| path == *page || path.starts_with(&format!("{page}/")) && *page != "/");
        let is_described = path != "/" && paths.iter().any(|known| known.ends_with(path));
        assert!(is_page || is_described, "{path} is in no document: annotate its handler and use `routes!`");
    }
}

#[tokio::test]
async fn the_document_is_served() {
    let server = TestServer::new();
    assert_eq!(server.get("/api/openapi.json").await, document());
    assert_eq!(server.get("/api/openapi.json").await["openapi"], "3.1.0");
}
