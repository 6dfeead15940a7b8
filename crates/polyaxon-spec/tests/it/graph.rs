//! Dags: what is wrong with them, and their order.

use polyaxon_spec::dag;

use crate::project::{Project, assert_findings, files};

/// The findings of a dag with these operations.
fn findings(operations: &'static str) -> String {
    let text = format!(
        "kind: component\ninputs:\n- {{name: data, type: path}}\nrun:\n  kind: dag\n  components:\n  - name: step\n    inputs: [{{name: x, type: float, isOptional: true}}]\n    outputs: [{{name: y, type: float}}, {{name: words, type: str}}]\n    run: {{kind: job, container: {{image: a}}}}\n  operations:\n{operations}"
    );
    let mut project = Project::new(&[("dag.yaml", text.leak())]);
    let request = polyaxon_spec::check::Request { params: vec!["data=/d".into()], ..files(&["dag.yaml"]) };
    project.findings(request)
}

#[test]
fn circles_are_shown_step_by_step() {
    assert_findings(
        "
dag.yaml:12:44: error[dag-cycle] operations depend on each other in a circle: a -> c -> b -> a
    ^ `a` waits for `c`
    - dag.yaml:14:47: `c` waits for `b`
    - dag.yaml:13:44: `b` waits for `a`
    = remove one of these dependencies
",
        &findings(
            "  - {name: a, dagRef: step, dependencies: [c]}\n  - {name: b, dagRef: step, dependencies: [a]}\n  - {name: c, dagRef: step, params: {x: {ref: ops.b, value: outputs.y}}}\n",
        ),
    );
    assert_findings(
        "
dag.yaml:12:44: error[dag-cycle] operation `a` depends on itself
    ^ `a` waits for `a`
    = remove one of these dependencies
",
        &findings("  - {name: a, dagRef: step, dependencies: [a]}\n"),
    );
}

#[test]
fn unknown_names_are_recognised() {
    assert_findings(
        "
dag.yaml:13:44: error[dag-orphan] operation `b` depends on `trian`, which is not in the dag
    ^ no operation has this name
    = did you mean `train`?
dag.yaml:14:47: error[dag-orphan] operation `c` depends on `tain`, which is not in the dag
    ^ no operation has this name
    = did you mean `train`?
",
        &findings(
            "  - {name: train, dagRef: step}\n  - {name: b, dagRef: step, dependencies: [trian]}\n  - {name: c, dagRef: step, params: {x: {ref: ops.tain, value: outputs.y}}}\n",
        ),
    );
    assert_findings(
        "
dag.yaml:12:23: error[reference-unresolved] `dagRef: stp` names no component of the dag
    ^ not in `run.components`
    = did you mean `step`?
",
        &findings("  - {name: a, dagRef: stp}\n"),
    );
    assert_findings(
        "
dag.yaml:13:12: error[dag-name] the dag has two operations named `a`
    ^ used again here
    - dag.yaml:12:12: first used here
    = give it another name
dag.yaml:14:5: error[dag-name] operation 3 of the dag has no name
    ^ needs a `name`
    = names tell the parts of a dag apart
",
        &findings("  - {name: a, dagRef: step}\n  - {name: a, dagRef: step}\n  - {dagRef: step}\n"),
    );
}

#[test]
fn params_must_point_to_something_of_their_type() {
    assert_findings(
        "
dag.yaml:13:47: error[param-ref-missing] param `x` refers to `ops.a.outputs.z`, which does not exist
    ^ nothing has this name
    = did you mean `ops.a.outputs.y`?
dag.yaml:14:47: error[param-ref-type] param `x` has type `float`, but `ops.a.outputs.words` has type `str`
    ^ gives `str`
    - dag.yaml:8:21: `x` is declared here
    = declare both sides with the same type
dag.yaml:15:47: error[param-ref-missing] param `x` refers to `dag.inputs.dat`, which does not exist
    ^ nothing has this name
    = did you mean `dag.inputs.data`?
dag.yaml:16:47: error[param-ref] param `x` has the malformed ref `ops`
    ^ expected dag, ops.NAME or runs.UUID
    = `ops` needs the name of an operation: ops.NAME
",
        &findings(
            "  - {name: a, dagRef: step}\n  - {name: b, dagRef: step, params: {x: {ref: ops.a, value: outputs.z}}}\n  - {name: c, dagRef: step, params: {x: {ref: ops.a, value: outputs.words}}}\n  - {name: d, dagRef: step, params: {x: {ref: dag, value: inputs.dat}}}\n  - {name: e, dagRef: step, params: {x: {ref: ops, value: metrics.y}}}\n",
        ),
    );
}

#[test]
fn levels_only_need_those_before_them() {
    let operations = "\
kind: component
run:
  kind: dag
  components: [{name: step, outputs: [{name: y, type: int}], run: {kind: job, container: {image: a}}}]
  operations:
  - {name: last, dagRef: step, dependencies: [left, right]}
  - {name: right, dagRef: step, dependencies: [first]}
  - {name: left, dagRef: step, params: {n: {ref: ops.first, value: outputs.y}}}
  - {name: first, dagRef: step}
  - {name: alone, dagRef: step}
  - {name: late, dagRef: step, events: [{kinds: [run_status_done], ref: ops.left}]}
";
    let mut project = Project::new(&[("dag.yaml", operations)]);
    let outcome = project.check(files(&["dag.yaml"]));
    let graph = dag::graph(&outcome.compiled.expect("a valid dag").operation).expect("a valid dag");
    assert_eq!(graph.order, [vec!["alone", "first"], vec!["left", "right"], vec!["last", "late"]]);
    let first = graph.nodes.iter().find(|node| node.name == "first").expect("a node");
    assert_eq!(first.downstream.iter().collect::<Vec<_>>(), ["left", "right"]);
}

/// The first problem of a dag with these components and operations, as `class: message`.
fn first_problem(components: &str, operations: &str) -> String {
    let text = format!("{{run: {{kind: dag, components: [{components}], operations: [{operations}]}}}}");
    let document = polyaxon_spec::wire::read_operation(&text).expect("readable");
    let compiled = polyaxon_spec::compose::compose(&document).expect("composed");
    let problems = dag::graph(&compiled.operation).expect_err("refused");
    format!("{}: {}", problems[0].code.class, problems[0].message)
}

#[test]
fn references_cannot_exhaust_the_machine() {
    let job = "run: {kind: job, container: {image: a}}";
    let chain =
        (0..5000).fold(String::new(), |text, index| format!("{text}{{name: c{index}, dagRef: c{}}}, ", index + 1));
    let chain = format!("{chain}{{name: c5000, {job}}}");
    assert!(first_problem(&chain, "{name: a, dagRef: c0}").contains("more than 200 documents stand"));
    let nested = |index: usize| {
        let (open, close) = ("component: {".repeat(90), "}".repeat(90));
        format!("{{name: d{index}, {open}dagRef: d{}{close}}}, ", index + 1)
    };
    let nested = (0..50).fold(String::new(), |text, index| text + &nested(index));
    assert!(first_problem(&nested, "{name: a, dagRef: d0}").contains("more than 200 documents stand"));
    let labels = (0..5000).fold(String::new(), |labels, index| format!("{labels}l{index}: x, "));
    let large =
        format!("{{name: c, run: {{kind: job, container: {{image: a}}, environment: {{labels: {{{labels}}}}}}}}}");
    let operations = (0..1000).fold(String::new(), |text, index| format!("{text}{{name: o{index}, dagRef: c}}, "));
    assert!(first_problem(&large, &operations).contains("repeat more than 1000000 values"));
}
