//! Operations as the tests submit them.

use polyaxon_model::run::Run;
use serde_json::{Value as Json, json};

pub(crate) fn job() -> Json {
    json!({ "kind": "component", "version": 1.1, "run": { "kind": "job",
        "container": { "image": "none", "command": ["true"] } } })
}

/// An operation of a dag that runs a job.
pub(crate) fn op(name: &str, dependencies: &[&str]) -> Json {
    json!({ "name": name, "dependencies": dependencies, "component": job() })
}

pub(crate) fn dag(operations: &[Json]) -> Json {
    operation(&json!({ "kind": "component", "version": 1.1, "run": { "kind": "dag", "operations": operations } }))
}

pub(crate) fn operation(component: &Json) -> Json {
    json!({ "kind": "operation", "version": 1.1, "name": "top", "component": component })
}

pub(crate) fn with(mut operation: Json, field: &str, value: Json) -> Json {
    operation[field] = value;
    operation
}

pub(crate) fn is_named(run: &Run, name: &str) -> bool {
    run.name.as_deref() == Some(name)
}
