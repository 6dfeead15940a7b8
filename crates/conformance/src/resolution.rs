//! The one run that the corpus was recorded for, and the first children of searches and schedules.

use polyaxon_compile::connection::Connection;
use polyaxon_compile::context::{Agent, RunContext};
use polyaxon_compile::template::literal;
use polyaxon_spec::children::{self, SearchChildren};
use polyaxon_spec::compose;
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::node::{Map, Node, Value};
use polyaxon_spec::spaces::Rows;
use serde_json::{Value as Json, json};

use crate::case::Case;

/// How many children are recorded.
const FIRST: usize = 3;

/// What the server knows of the recorded run.
pub fn context(case: &Case, compiled: &Node, fixed: &Json) -> RunContext {
    let globals = &fixed["globals"];
    let agent = &fixed["agents"][case.option("agent").as_str().unwrap_or("default")];
    let text = |json: &Json| json.as_str().unwrap_or_default().to_string();
    let connection = |json: &Json| serde_json::from_value::<Connection>(json.clone()).ok();
    let namespaces = agent["additionalNamespaces"].as_array().into_iter().flatten();
    RunContext {
        owner: text(&globals["owner_name"]),
        project: text(&globals["project_name"]),
        project_uuid: text(&globals["project_uuid"]),
        name: compiled.get("name").and_then(Node::as_str).unwrap_or("anonymous").to_string(),
        uuid: text(&globals["uuid"]),
        path: text(&globals["uuid"]),
        created_at: globals["created_at"].as_str().and_then(|time| time.parse().ok()),
        compiled_at: globals["compiled_at"].as_str().and_then(|time| time.parse().ok()),
        is_independent: true,
        agent: Agent {
            namespace: text(&agent["namespace"]),
            additional_namespaces: namespaces.map(text).collect(),
            store: connection(&agent["artifacts_store"]),
            connections: fixed["connections"].as_array().into_iter().flatten().filter_map(connection).collect(),
        },
        ..RunContext::default()
    }
}

/// The recorded form of the runs that a resolved operation starts; `None` when it starts none that can be told.
pub fn children(source: &Node, operation: &Node) -> Option<Result<Json, Vec<Diagnostic>>> {
    if operation.get("schedule").is_some() {
        let child = children::scheduled(source, operation);
        return Some(compose::compose(&child).map(|compiled| json!({"schedule": compiled.operation.to_json()})));
    }
    let rows = Rows::of(operation.get("matrix")?)?;
    Some(search(source, operation, &rows))
}

fn search(source: &Node, operation: &Node, rows: &Rows) -> Result<Json, Vec<Diagnostic>> {
    let children = SearchChildren::new(source, operation)?;
    let mut first = Vec::new();
    for row in rows.iter().take(FIRST) {
        let row = row.into_iter().map(|(key, value)| (key, evaluated(value))).collect::<Map>();
        let compiled = compose::compose(&children.child(row))?;
        let params = Node::map(compiled.params).to_json();
        first.push(json!({"compiled": compiled.operation.to_json(), "params": params}));
    }
    Ok(json!({"total": rows.len(), "first": first}))
}

/// Suggested text is evaluated like any other text of an operation.
fn evaluated(value: Node) -> Node {
    match &value.value {
        Value::Str(text) => literal::read(text).unwrap_or(value),
        _ => value,
    }
}
