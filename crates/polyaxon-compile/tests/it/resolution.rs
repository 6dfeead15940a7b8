//! Resolution of small operations: what fails, what it says, and where.

use polyaxon_compile::connection::Connection;
use polyaxon_compile::context::{Agent, RunContext};
use polyaxon_compile::resolve::{Resolved, resolve};
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::node::{Map, Node, Value};
use serde_json::{Value as Json, json};

fn resolved(operation: &Json, params: &Json) -> Result<Resolved, Vec<Diagnostic>> {
    let params = match Node::from_json(params).value {
        Value::Map(map) => map,
        _ => Map::new(),
    };
    let run = RunContext {
        owner: "acme".to_owned(),
        project: "vision".to_owned(),
        uuid: "u".repeat(32),
        path: "u".repeat(32),
        agent: Agent {
            namespace: "local".to_owned(),
            store: Some(Connection::host_path("local-store", "/store")),
            ..Agent::default()
        },
        ..RunContext::default()
    };
    resolve(&Node::from_json(operation), &params, &run)
}

fn job(args: &Json) -> Json {
    json!({"kind": "compiled_operation", "run": {"kind": "job", "container": {"image": "a", "args": args}}})
}

#[track_caller]
fn fails(operation: &Json, params: &Json, class: &str, message: &str) {
    let problems = resolved(operation, params).expect_err("resolution must fail");
    let found: Vec<_> = problems.iter().map(|problem| (problem.code.class, problem.message.as_str())).collect();
    assert_eq!(found, [(class, message)]);
}

#[test]
fn values_of_the_run_are_kept() {
    let operation = json!({
        "kind": "compiled_operation",
        "inputs": [{"name": "lr", "type": "float"}, {"name": "out", "type": "path", "isOptional": true,
            "value": "{{ globals.run_outputs_path }}"}],
        "outputs": [{"name": "loss", "type": "float", "isOptional": true}],
        "run": {"kind": "job", "container": {"image": "a", "args": "{{ params.as_args }}"}},
    });
    let params = json!({"lr": {"value": "0.5"}, "extra": {"value": [1]}});
    let resolved = resolved(&operation, &params).unwrap();
    let outputs_path = format!("/plx-context/artifacts/{}/outputs", "u".repeat(32));
    let inputs = json!({"extra": [1], "lr": 0.5, "out": outputs_path});
    assert_eq!(Node::map(resolved.inputs).to_json(), inputs);
    assert_eq!(Node::map(resolved.outputs).to_json(), json!({"loss": null}));
    let args = resolved.operation.at(&["run", "container", "args"]).unwrap().to_json();
    assert_eq!(args, json!(["--lr=0.5", format!("--out={outputs_path}"), "--extra=[1]"]));
    assert_eq!(resolved.namespace, "local");
    assert!(resolved.should_run);
}

#[test]
fn all_templates_that_fail_are_reported() {
    let problems = resolved(&job(&json!(["{{ a.b }}", "ok", "{{ x | nope }}"])), &json!({})).unwrap_err();
    let found: Vec<_> = problems.iter().map(|problem| (problem.path.as_str(), problem.message.as_str())).collect();
    assert_eq!(
        found,
        [
            ("run.container.args[0]", "`{{ a.b }}` cannot be rendered: undefined value: `a` is undefined"),
            ("run.container.args[2]", "`{{ x | nope }}` cannot be rendered: unknown filter: filter nope is unknown"),
        ]
    );
}

#[test]
fn a_value_that_refers_to_itself_ends() {
    let params = json!({"x": {"value": "{{ x }}a"}});
    let message = "`{{ x }}a` cannot be rendered: the value refers to itself: what it renders to is a template again \
                   and again";
    fails(&job(&json!(["a"])), &params, "recursion", message);
    // Doubling would fill the memory long before it is deep.
    let params = json!({"x": {"value": "{{ x }}{{ x }}"}});
    assert!(resolved(&job(&json!(["a"])), &params).is_err());
}

#[test]
fn namespaces_and_connections_must_exist() {
    let mut operation = job(&json!(["a"]));
    operation["namespace"] = json!("prod");
    fails(&operation, &json!({}), "namespace", "the namespace `prod` is not managed here");
    let mut operation = job(&json!(["a"]));
    operation["run"]["connections"] = json!(["{{ 'local-' ~ 'stor' }}"]);
    fails(&operation, &json!({}), "connection-missing", "the connection `local-stor` is not known");
}

#[test]
fn what_a_template_became_must_fit_its_field() {
    let mut operation = job(&json!(["a"]));
    operation["termination"] = json!({"timeout": "{{ t }}"});
    let good = resolved(&operation, &json!({"t": {"value": "60"}})).unwrap();
    assert_eq!(good.operation.at(&["termination", "timeout"]).unwrap().to_json(), json!(60));
    let problems = resolved(&operation, &json!({"t": {"value": "soon"}})).unwrap_err();
    assert_eq!(problems[0].path, "termination.timeout");
}

#[test]
fn conditions_decide_whether_the_run_starts() {
    let mut operation = job(&json!(["a"]));
    for (condition, expected) in [("{{ n > 2 }}", true), ("{{ n < 2 }}", false), ("{{ '1' }}", true)] {
        operation["conditions"] = json!(condition);
        let resolved = resolved(&operation, &json!({"n": {"value": 3}})).unwrap();
        assert_eq!(resolved.should_run, expected, "{condition}");
    }
    operation["conditions"] = json!("{{ n }}x");
    let message = "`conditions` became `3x`, which is neither true nor false";
    fails(&operation, &json!({"n": {"value": 3}}), "value", message);
}

#[test]
fn words_stay_text_and_the_rest_is_read() {
    let mut operation = job(&json!(["5", "{{ none }}", "None", "{{ 1 + 1 }}"]));
    operation["run"]["container"]["env"] = json!([{"name": "A", "value": "5"}, {"name": "B", "value": "(1, 2)"}]);
    let resolved = resolved(&operation, &json!({})).unwrap();
    let container = resolved.operation.at(&["run", "container"]).unwrap().to_json();
    assert_eq!(container["args"], json!(["5", null, "None", "2"]));
    assert_eq!(container["env"], json!([{"name": "A", "value": 5}, {"name": "B", "value": "(1, 2)"}]));
}
