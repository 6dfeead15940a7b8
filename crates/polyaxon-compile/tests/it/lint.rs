//! What lint says about templates in files, and where it points.

#![expect(clippy::needless_raw_string_hashes, reason = "snapbox writes them")]

use polyaxon_compile::lint::lint;
use polyaxon_spec::node::{Map, Node, Value};
use polyaxon_spec::span::Sources;
use polyaxon_spec::yaml;
use snapbox::{assert_data_eq, str};

const INPUTS: &str = "inputs:\n- {name: epochs, type: int, value: 5}\n- {name: label, type: str, value: x}\n";

#[test]
fn undefined_names_are_shown_where_they_stand() {
    check(
        "run:
  kind: job
  container:
    command: [train]
    args:
    - --epochs={{ epoch }}
    - \"{{ globals.run_output_path }}\"
    - '{{ params.label.as_args }} {{ inputs.label }}'
    - '{{ params.lable.value }}'
    - '{{ nothing | default(3) }}'
    - '{{ uuid }}'
",
        str![[r#"
error run.container.args[0] `epoch`: `epoch` is not defined: it prints nothing; did you mean `epochs`?
error run.container.args[1] `globals.run_output_path`: `globals.run_output_path` is not defined: it prints nothing; did you mean `globals.run_outputs_path`?
error run.container.args[2] `inputs.label`: `inputs.label` is not defined: the template fails; write `{{ label }}`, or `{{ params.label.value }}`
error run.container.args[2] `params.label.as_args`: `params.label.as_args` is not defined: it prints nothing; did you mean `.as_arg`?
error run.container.args[3] `params.lable`: `params.lable` is not defined: the template fails; did you mean `params.label`?
error run.container.args[5] `uuid`: `uuid` is not defined: it prints nothing; did you mean `globals.uuid`?

"#]],
    );
}

#[test]
fn templates_that_cannot_be_read_or_rendered_are_errors() {
    check(
        "termination: {timeout: '{{ epochs * }}'}
run:
  kind: job
  container:
    command: [train]
    args:
    - '--epochs={{ epochs'
    - 'a {{ epochs | uppercase }} b'
    - '{{ 1 / 0 }}'
    - '{{ label + 1 }}'
    - '{% if globals.name == 3 %}{{ label | shout }}{% endif %}'
    - '{% for i in range(10**9) %}x{% endfor %}'
",
        str![[r#"
error termination.timeout `{{ epochs * }}`: `{{ epochs * }}` cannot be rendered: syntax error: unexpected end of variable block; templates are Jinja2: `{{ name }}`, `{% if name %}…{% endif %}`
error run.container.args[0] `{{ epochs`: `--epochs={{ epochs` cannot be rendered: syntax error: unexpected end of input, expected end of variable block; templates are Jinja2: `{{ name }}`, `{% if name %}…{% endif %}`
error run.container.args[1] `{{ epochs | uppercase }}`: `a {{ epochs | uppercase }} b` cannot be rendered: unknown filter: filter uppercase is unknown
error run.container.args[2] `{{ 1 / 0 }}`: `{{ 1 / 0 }}` cannot be rendered: invalid operation: unable to calculate 1 / 0
error run.container.args[3] `{{ label + 1 }}`: `{{ label + 1 }}` cannot be rendered: invalid operation: tried to use + operator on unsupported types string and number
error run.container.args[5] `{% for i in range(10**9) %}`: `{% for i in range(10**9) %}x{% endfor %}` cannot be rendered: invalid operation: range has too many elements

"#]],
    );
}

#[test]
fn places_that_are_never_rendered_are_warned_about() {
    check(
        "name: 'x-{{ epochs }}'
description: about {{ label }}
tags: [a, '{{ label }}']
run: {kind: job, container: {image: a}}
",
        str![[r#"
warning name `'x-{{ epochs }}'`: `name` is never rendered: it will read `x-{{ epochs }}`; write a fixed `name`, or set it when submitting
warning description `about {{ label }}`: `description` is never rendered: it will read `about {{ label }}`; write a fixed `description`, or set it when submitting
warning tags `'{{ label }}'`: `tags` is never rendered: it will read `{{ label }}`; write a fixed `tags`, or set it when submitting

"#]],
    );
}

#[test]
fn values_of_other_runs_are_only_names() {
    let mut param = Map::new();
    param.insert("ref", Node::string("runs.00000000000000000000000000000000"));
    param.insert("value", Node::string("outputs.loss"));
    let mut params = Map::new();
    params.insert("epochs", Node::map(param));
    check_with(
        "run: {kind: job, container: {args: ['{{ epochs + 1 }}', '{{ epochs.x.y }}', '{{ epoch }}']}}\n",
        &params,
        str![[r#"
error run.container.args[2] `epoch`: `epoch` is not defined: it prints nothing; did you mean `epochs`?

"#]],
    );
}

#[track_caller]
fn check(text: &str, expected: impl snapbox::IntoData) {
    check_with(text, &Map::new(), expected);
}

#[track_caller]
fn check_with(text: &str, params: &Map, expected: impl snapbox::IntoData) {
    let text = format!("{INPUTS}{text}");
    let mut sources = Sources::default();
    let source = sources.add("file.yaml", text.clone());
    let mut node = yaml::read(source, text.as_bytes()).expect("valid YAML").node;
    make_optional(&mut node);
    let mut log = String::new();
    for finding in lint(&node, params) {
        let severity = if finding.is_error() { "error" } else { "warning" };
        let marked = &text[finding.span.start as usize..finding.span.end as usize];
        let help = finding.help.map_or(String::new(), |help| format!("; {help}"));
        log += &format!("{severity} {} `{marked}`: {}{help}\n", finding.path, finding.message);
    }
    assert_data_eq!(log, expected);
}

/// Inputs with a default are optional; reading a document does this.
fn make_optional(node: &mut Node) {
    let Some(inputs) = node.as_map_mut().and_then(|map| map.get_mut("inputs")) else { return };
    let Value::List(items) = &mut inputs.value else { return };
    for io in items {
        if let Some(map) = io.as_map_mut() {
            map.insert("isOptional", Node::bool(true));
        }
    }
}
