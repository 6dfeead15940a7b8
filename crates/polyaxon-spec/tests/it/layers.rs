//! Layers: how presets, operations and components become one operation.

use polyaxon_spec::check::{Inline, Request};
use polyaxon_spec::children::{SearchChildren, scheduled};
use polyaxon_spec::clone::{self, OverrideStrategy};
use polyaxon_spec::compose::{compose, run_kind};
use polyaxon_spec::node::Node;
use polyaxon_spec::{params, wire};

use crate::project::{Project, files};

fn read(text: &str) -> Node {
    wire::read_operation(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

/// The value at a path of the composed operation, as JSON.
fn composed(text: &str, path: &[&str]) -> String {
    let compiled = compose(&read(text)).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    compiled.operation.at(path).map_or("nothing".into(), |node| node.to_json().to_string())
}

#[test]
fn the_four_strategies() {
    let base = "component: {tags: [a, b], queue: low, termination: {timeout: 1, ttl: 2}, \
                run: {kind: job, environment: {labels: {x: below, y: below}}, container: {image: a}}}";
    let top = "tags: [b, c], queue: high, termination: {timeout: 9, maxRetries: 3}, run: {environment: {labels: {y: above, z: above}}}";
    for (strategy, tags, queue, termination, labels) in [
        (
            "post_merge",
            r#"["a","b","c"]"#,
            r#""high""#,
            r#"{"timeout":9,"ttl":2,"maxRetries":3}"#,
            r#"{"x":"below","y":"above","z":"above"}"#,
        ),
        (
            "pre_merge",
            r#"["b","c","a"]"#,
            r#""low""#,
            r#"{"timeout":1,"ttl":2,"maxRetries":3}"#,
            r#"{"y":"below","z":"above","x":"below"}"#,
        ),
        (
            "isnull",
            r#"["a","b"]"#,
            r#""low""#,
            r#"{"timeout":1,"ttl":2,"maxRetries":3}"#,
            r#"{"x":"below","y":"below"}"#,
        ),
        (
            "replace",
            r#"["b","c"]"#,
            r#""high""#,
            r#"{"timeout":9,"ttl":2,"maxRetries":3}"#,
            r#"{"y":"above","z":"above"}"#,
        ),
    ] {
        let text = format!("{{kind: operation, patchStrategy: {strategy}, {top}, {base}}}");
        assert_eq!(composed(&text, &["tags"]), tags, "{strategy}");
        assert_eq!(composed(&text, &["queue"]), queue, "{strategy}");
        assert_eq!(composed(&text, &["termination"]), termination, "{strategy}");
        assert_eq!(composed(&text, &["run", "environment", "labels"]), labels, "{strategy}");
    }
}

#[test]
fn explicit_nulls_are_values() {
    let text = "{kind: operation, queue: null, termination: null, component: {queue: q, termination: {ttl: 1}, run: {kind: job, container: {image: a}}}}";
    assert_eq!(composed(text, &["queue"]), "nothing");
    assert_eq!(composed(text, &["termination"]), r#"{"ttl":1}"#);
}

#[test]
fn shortcuts_become_a_runtime() {
    let text = "{container: {image: a}, cmd: [one, two], env: {A: '1'}, resources: {cpu: 1..2, gpu: 1}}";
    assert_eq!(
        composed(text, &["run"]),
        r#"{"kind":"job","container":{"image":"a","command":["/bin/sh","-c"],"args":["set -e\none\ntwo"],"env":[{"name":"A","value":"1"}],"resources":{"requests":{"cpu":"1","nvidia.com/gpu":1},"limits":{"cpu":"2","nvidia.com/gpu":1}}}}"#
    );
    assert_eq!(composed("{container: {image: a}, ports: []}", &["run", "kind"]), r#""service""#);
}

#[test]
fn shortcuts_reach_every_replica_that_is_there() {
    let text = "{kind: operation, env: {A: new}, cmd: go, component: {run: {kind: tfjob, \
                worker: {container: {image: w, env: [{name: A, value: old}, {name: B, value: b}]}}, chief: {container: {image: c}}}}}";
    assert_eq!(
        composed(text, &["run", "worker", "container", "env"]),
        r#"[{"name":"B","value":"b"},{"name":"A","value":"new"}]"#
    );
    assert_eq!(composed(text, &["run", "chief", "container", "args"]), r#"["set -e\ngo"]"#);
    assert_eq!(composed(text, &["run", "ps"]), "nothing");
}

#[test]
fn a_kept_command_is_never_mixed_with_a_script() {
    let text = "{kind: operation, patchStrategy: isnull, cmd: new, component: {run: {kind: job, container: {image: a, command: [old]}}}}";
    assert_eq!(composed(text, &["run", "container"]), r#"{"image":"a","command":["old"]}"#);
}

#[test]
fn params_are_replaced_as_a_whole() {
    let text = "{kind: operation, params: {a: {value: 2}}, component: {params: {a: {value: 1, toEnv: A}, b: 3}, run: {kind: job, container: {image: a}}}}";
    let compiled = compose(&read(text)).expect("valid");
    assert_eq!(Node::map(compiled.params).to_json().to_string(), r#"{"a":{"value":2},"b":{"value":3}}"#);
}

#[test]
fn options_come_last() {
    let mut project = Project::training(&[
        (
            "op.yaml",
            "kind: operation\npathRef: train.yaml\nparams: {lr: {value: 1, toEnv: LR}, epochs: 2}\nqueue: file\n",
        ),
        ("preset.yaml", "isPreset: true\nqueue: preset\ncontainer: {image: 'preset:1'}\n"),
    ]);
    let request = Request {
        params: vec!["lr=0.5".into()],
        inline: Inline { image: Some("cli:1".into()), ..Inline::default() },
        ..files(&["op.yaml", "preset.yaml"])
    };
    let outcome = project.check(request);
    assert!(!outcome.has_errors(), "{:?}", outcome.diagnostics);
    let operation = outcome.operation.expect("a valid operation");
    assert_eq!(
        operation.at(&["params", "lr"]).expect("a param").to_json().to_string(),
        r#"{"value":"0.5","toEnv":"LR"}"#
    );
    assert_eq!(operation.get("queue").and_then(Node::as_str), Some("preset"));
    let compiled = outcome.compiled.expect("composed").operation;
    assert_eq!(compiled.at(&["run", "container", "image"]).and_then(Node::as_str), Some("cli:1"));
}

#[test]
fn an_override_patches_the_source() {
    let source = read(
        "{kind: operation, patchStrategy: isnull, runPatch: {container: {args: [mine]}}, component: {run: {kind: job, container: {image: a, args: [base]}}}}",
    );
    let patch = wire::read_preset("{isPreset: true, patchStrategy: post_merge, tags: [again]}").expect("valid");
    let args = |strategy| {
        let (_, compiled) = clone::compile(&source, Some(&patch), strategy).expect("valid");
        assert_eq!(compiled.operation.get("tags").expect("tags").to_json().to_string(), r#"["again"]"#);
        compiled.operation.at(&["run", "container", "args"]).expect("args").to_json().to_string()
    };
    assert_eq!(args(OverrideStrategy::Source), r#"["base"]"#);
    assert_eq!(args(OverrideStrategy::Override), r#"["base","mine"]"#);
}

#[test]
fn run_kinds() {
    for (run, kind, runtime) in [
        ("run: {kind: job, container: {image: a}}", "job", "job"),
        ("run: {kind: tfjob, worker: {container: {image: a}}}", "job", "tfjob"),
        ("run: {kind: daskcluster, worker: {container: {image: a}}}", "service", "daskcluster"),
        ("matrix: {kind: mapping, values: [{a: 1}]}, run: {kind: job, container: {image: a}}", "matrix", "mapping"),
        (
            "schedule: {kind: cron, cron: '@daily'}, matrix: {kind: mapping, values: [{a: 1}]}, run: {kind: job, container: {image: a}}",
            "schedule",
            "cron",
        ),
    ] {
        let found = run_kind(&compose(&read(&format!("{{{run}}}"))).expect("valid").operation);
        assert_eq!((found.kind.as_str(), found.runtime.as_str()), (kind, runtime));
    }
}

#[test]
fn applied_params_are_held_by_their_inputs() {
    let text = "{kind: operation, params: {n: '3', note: {value: hi, toEnv: NOTE}}, component: {inputs: [{name: n, type: int}, {name: m, type: str, value: d}], run: {kind: job, container: {image: a}}}}";
    let compiled = compose(&read(text)).expect("valid");
    let mut operation = compiled.operation;
    params::apply(&mut operation, &compiled.params).expect("valid");
    assert_eq!(
        operation.get("inputs").expect("inputs").to_json().to_string(),
        r#"[{"name":"n","type":"int","isOptional":true,"value":3},{"name":"m","type":"str","value":"d","isOptional":true}]"#
    );
    assert_eq!(
        operation.get("contexts").expect("contexts").to_json().to_string(),
        r#"[{"name":"note","value":"hi","isOptional":true,"toEnv":"NOTE"}]"#
    );
}

#[test]
fn params_that_still_refer_cannot_be_applied() {
    let text = "{kind: operation, params: {n: {ref: runs.a1b2c3d4e5f647898abcdef012345678, value: outputs.n}}, component: {inputs: [{name: n, type: int}], run: {kind: job, container: {image: a}}}}";
    let compiled = compose(&read(text)).expect("valid");
    let problems = params::apply(&mut compiled.operation.clone(), &compiled.params).expect_err("unresolved");
    assert_eq!(problems[0].code.class, "unresolved-param");
}

#[test]
fn children_carry_the_values_of_their_parent() {
    let text = "{kind: operation, name: sweep, queue: q, conditions: 'True', cmd: go, params: {note: {value: hi, contextOnly: true}}, matrix: {kind: mapping, values: [{lr: 1}]}, component: {inputs: [{name: lr, type: float}], run: {kind: job, container: {image: a}}}}";
    let source = read(text);
    let compiled = compose(&source).expect("valid");
    let mut operation = compiled.operation;
    params::apply(&mut operation, &compiled.params).expect("valid");
    let children = SearchChildren::new(&source, &operation).expect("valid");
    let row = [(polyaxon_spec::node::Key::new("lr"), Node::float(0.5))].into_iter().collect();
    let child = compose(&children.child(row)).expect("valid");
    assert_eq!(
        Node::map(child.params).to_json().to_string(),
        r#"{"note":{"value":"hi","contextOnly":true},"lr":{"value":0.5}}"#
    );
    for (field, expected) in [("matrix", None), ("conditions", None), ("queue", Some("q")), ("name", Some("sweep"))] {
        assert_eq!(child.operation.get(field).and_then(Node::as_str), expected, "{field}");
    }
    let script = child.operation.at(&["run", "container", "args"]).expect("args").to_json().to_string();
    assert_eq!(script, r#"["set -e\ngo"]"#, "the shortcut is part of the runtime already");
    let again = compose(&scheduled(&source, &operation)).expect("valid").operation;
    assert_eq!(again.at(&["matrix", "kind"]).and_then(Node::as_str), Some("mapping"));
}

#[test]
fn what_json_cannot_carry_is_not_submitted() {
    let read = |text: &str| {
        let mut project = Project::new(&[("op.yaml", text.to_string().leak())]);
        wire::to_source(&project.check(files(&["op.yaml"])).operation.expect("valid"))
    };
    let job = "container: {image: a}\n";
    assert!(read(&format!("{job}params: {{a: 18446744073709551615}}\n")).is_ok());
    for (value, class) in [("18446744073709551616", "int-range"), ("{1: x}", "value"), ("!!binary aGk=", "value")] {
        let problems = read(&format!("{job}params: {{a: {{value: {value}}}}}\n")).expect_err("not JSON");
        assert_eq!(problems[0].code.class, class, "{value}");
    }
}
