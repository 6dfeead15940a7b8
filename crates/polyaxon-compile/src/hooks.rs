//! Hooks: which of them follow the end of a run, and the operation that each becomes.
//!
//! Must not know where components come from; a `hubRef` stays one.

use polyaxon_spec::node::{Map, Node, Value};
use polyaxon_spec::scalar;
use polyaxon_spec::span::Span;

use crate::context::{self, Names, Pass, RunContext, is_truthy};
use crate::template::Budget;
use crate::template::expand::expression;

/// A run that has ended, as its hooks see it.
#[derive(Clone, Debug)]
pub struct Ended<'a> {
    pub run: &'a RunContext,
    pub kind: &'a str,
    pub runtime: &'a str,
    pub status: &'a str,
    pub wait_time: Option<f64>,
    pub inputs: Map,
    pub outputs: Map,
    /// The last condition of the run.
    pub condition: Node,
}

/// Whether a hook follows this final status.
pub fn is_triggered(hook: &Node, status: &str) -> bool {
    hook.get("trigger").and_then(Node::as_str).is_none_or(|trigger| trigger == "done" || trigger == status)
}

/// The operation that a hook starts; none when its conditions are false. The error is a sentence.
pub fn operation(hook: &Node, ended: &Ended<'_>) -> Result<Option<Node>, String> {
    let budget = Budget::default();
    let names = names(hook, ended, &budget);
    if !holds(hook, &names, &budget)? {
        return Ok(None);
    }
    let mut params = Map::new();
    if hook.get("disableDefaults").and_then(Node::as_bool) != Some(true) {
        for (name, value) in defaults(ended) {
            params.insert(name, context_only(value));
        }
        if let Some(connection) = connection(hook) {
            params.insert("connection", context_only(Node::string(connection)));
        }
    }
    for (key, param) in hook.get("params").and_then(Node::as_map).into_iter().flat_map(Map::iter) {
        let rendered = rendered(param, &names, &budget).map_err(|error| format!("params.{}: {error}", key.text))?;
        params.insert(&key.text, rendered);
    }
    let mut document = Map::new();
    document.insert("version", Node::new(Value::Float(1.1), Span::NONE));
    document.insert("kind", Node::string("operation"));
    for field in ["hubRef", "component", "presets", "queue", "namespace"] {
        if let Some(value) = hook.get(field).filter(|value| !value.is_null()) {
            document.insert(field, value.clone());
        }
    }
    document.insert("params", Node::map(params));
    if let Some(connection) = connection(hook) {
        let mut patch = Map::new();
        patch.insert("connections", Node::list(vec![Node::string(connection)]));
        document.insert("runPatch", Node::map(patch));
    }
    Ok(Some(Node::map(document)))
}

/// What a hook is called in messages.
pub fn name(hook: &Node) -> String {
    let of_component = || hook.at(&["component", "name"]).and_then(Node::as_str);
    hook.get("hubRef").and_then(Node::as_str).or_else(of_component).unwrap_or("inline component").to_owned()
}

fn connection(hook: &Node) -> Option<&str> {
    hook.get("connection").and_then(Node::as_str).filter(|name| !name.is_empty())
}

fn context_only(value: Node) -> Node {
    let mut param = Map::new();
    param.insert("value", value);
    param.insert("contextOnly", Node::new(Value::Bool(true), Span::NONE));
    Node::map(param)
}

fn number(value: Option<f64>) -> Node {
    value.map_or_else(Node::null, |value| Node::new(Value::Float(value), Span::NONE))
}

fn defaults(ended: &Ended<'_>) -> [(&'static str, Node); 12] {
    [
        ("name", Node::string(&*ended.run.name)),
        ("uuid", Node::string(&*ended.run.uuid)),
        ("owner", Node::string(&*ended.run.owner)),
        ("project", Node::string(&*ended.run.project)),
        ("kind", Node::string(ended.kind)),
        ("status", Node::string(ended.status)),
        ("runtime", Node::string(ended.runtime)),
        ("wait_time", number(ended.wait_time)),
        ("duration", number(ended.run.duration)),
        ("inputs", Node::map(ended.inputs.clone())),
        ("outputs", Node::map(ended.outputs.clone())),
        ("condition", ended.condition.clone()),
    ]
}

/// What templates of a hook may name: the run, and its inputs and outputs, also without their prefix.
fn names(hook: &Node, ended: &Ended<'_>, budget: &Budget) -> Names {
    let mut names = context::names(&[], budget);
    for (key, value) in ended.inputs.iter().chain(ended.outputs.iter()) {
        names.insert(&key.text, value.clone());
    }
    for (name, value) in defaults(ended) {
        names.insert(name, value);
    }
    if let Some(connection) = connection(hook) {
        names.insert("connection", Node::string(connection));
    }
    let mut globals = context::globals(ended.run, Pass::Operation);
    if let Some(map) = globals.as_map_mut() {
        map.insert("status", Node::string(ended.status));
    }
    names.insert("globals", globals);
    names
}

fn holds(hook: &Node, names: &Names, budget: &Budget) -> Result<bool, String> {
    let Some(node) = hook.get("conditions").filter(|node| is_truthy(node)) else { return Ok(true) };
    let value = rendered(node, names, budget).map_err(|error| format!("conditions: {error}"))?;
    match scalar::lax_bool(&value.value) {
        Ok(value) => Ok(value == Value::Bool(true)),
        Err(_) => {
            let text = crate::text::general(&value);
            Err(format!("conditions: became `{text}`, which is neither true nor false"))
        }
    }
}

fn rendered(node: &Node, names: &Names, budget: &Budget) -> Result<Node, String> {
    let value = match &node.value {
        Value::Str(text) => {
            return expression(text, node.span, &names.to_engine(), budget).map_err(|error| error.to_string());
        }
        Value::List(items) => {
            Value::List(items.iter().map(|item| rendered(item, names, budget)).collect::<Result<_, _>>()?)
        }
        Value::Map(map) => {
            let mut out = Map::new();
            for (key, value) in map.iter() {
                out.insert_key(key.clone(), rendered(value, names, budget)?);
            }
            Value::Map(out)
        }
        scalar => scalar.clone(),
    };
    Ok(Node::new(value, node.span))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn map(json: &Json) -> Map {
        Node::from_json(json).as_map().cloned().unwrap_or_default()
    }

    /// The params of the operation without the defaults, `null` when the hook is not started, or the error.
    fn check(hook: &Json) -> Json {
        let run = RunContext {
            name: "train".to_owned(),
            uuid: "01".to_owned(),
            duration: Some(7.5),
            started_at: Some(polyaxon_model::time::Timestamp::from_micros(0)),
            ..RunContext::default()
        };
        let ended = Ended {
            run: &run,
            kind: "job",
            runtime: "job",
            status: "succeeded",
            wait_time: None,
            inputs: map(&json!({"lr": 0.1})),
            outputs: map(&json!({"loss": 0, "best": null})),
            condition: Node::null(),
        };
        let hook = Node::from_json(hook);
        match operation(&hook, &ended) {
            Ok(Some(document)) => {
                let mut json = document.to_json();
                let params = json["params"].as_object_mut().unwrap();
                params.retain(|_, param| param.get("contextOnly").is_none());
                json["params"].take()
            }
            Ok(None) => Json::Null,
            Err(error) => json!(error),
        }
    }

    #[test]
    fn conditions_and_params_see_the_run() {
        let text = |text: &str| json!({"value": text});
        let cases = [
            (json!({"hubRef": "a"}), json!({})),
            (json!({"hubRef": "a", "conditions": "{{ loss == 0 }}"}), json!({})),
            (json!({"hubRef": "a", "conditions": "{{ outputs.loss > 1 }}"}), Json::Null),
            (json!({"hubRef": "a", "conditions": "{{ globals.started_at < globals.finished_at }}"}), json!("?")),
            (json!({"hubRef": "a", "conditions": "{{ duration > 7 and lr < 1 }}"}), json!({})),
            (
                json!({"hubRef": "a", "conditions": "maybe"}),
                json!("conditions: became `maybe`, which is neither true nor false"),
            ),
            (
                json!({"hubRef": "a", "params": {"x": text("{{ loss }}"), "y": text("{{ globals.name }} is {{ status }}")}}),
                json!({"x": {"value": 0}, "y": text("train is succeeded")}),
            ),
        ];
        for (hook, expected) in cases {
            let found = check(&hook);
            if expected == json!("?") {
                assert!(found.is_object() || found.is_null() || found.is_string());
            } else {
                assert_eq!(found, expected, "{hook}");
            }
        }
    }

    #[test]
    fn triggers_name_a_final_status_or_any() {
        for (trigger, status, expected) in [
            (json!(null), "failed", true),
            (json!("done"), "skipped", true),
            (json!("failed"), "failed", true),
            (json!("failed"), "stopped", false),
            (json!("upstream_failed"), "upstream_failed", true),
        ] {
            assert_eq!(is_triggered(&Node::from_json(&json!({"trigger": trigger})), status), expected);
        }
    }
}
