//! Reading whole documents: what they become, and what is said about their faults.

use super::*;
use crate::span::{Sources, Span};
use crate::yaml;

fn read(text: &str, role: DocumentRole) -> (Option<Node>, Vec<Diagnostic>) {
    let mut sources = Sources::default();
    let source = sources.add("x.yaml", text);
    let document = yaml::read(source, text.as_bytes()).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    let mut diagnostics = Vec::new();
    let node = super::document(document.node, role, &mut diagnostics);
    (node, diagnostics)
}

fn accepted(text: &str) -> String {
    let (node, diagnostics) = read(text, DocumentRole::Main);
    node.unwrap_or_else(|| panic!("{text}: {diagnostics:?}")).to_json().to_string()
}

/// One line per finding: class, what is underlined, message, label and help.
fn faults(text: &str) -> Vec<String> {
    let (node, diagnostics) = read(text, DocumentRole::Main);
    assert!(node.is_none(), "{text} is accepted");
    let underlined = |span: Span| text.get(span.start as usize..span.end as usize).unwrap_or_default().to_owned();
    let line = |fault: &Diagnostic| {
        let help = fault.help.clone().unwrap_or_default();
        format!("{} ~{}~ {} | {} | {help}", fault.code.class, underlined(fault.span), fault.message, fault.label)
    };
    diagnostics.iter().map(line).collect()
}

#[test]
fn documents_become_canonical() {
    for (text, expected) in [
        (
            "tags: 'a, b'\nstrict_params: yes\nrun: {kind: job}",
            r#"{"tags":["a","b"],"strictParams":true,"run":{"kind":"job"}}"#,
        ),
        (
            "params: {a: 1, b: {x: 1}, c: {value: 2, to_env: X}, d: {}, e: null}",
            r#"{"params":{"a":{"value":1},"b":{"value":{"x":1}},"c":{"value":2,"toEnv":"X"},"d":{},"e":{"value":null}}}"#,
        ),
        (
            "termination: {max_retries: null, timeout: '{{ t }}'}",
            r#"{"termination":{"maxRetries":null,"timeout":"{{ t }}"}}"#,
        ),
        (
            "run: {kind: job, container: {image_pull_policy: Always, args: 5}}",
            r#"{"run":{"kind":"job","container":{"imagePullPolicy":"Always","args":5}}}"#,
        ),
        (
            "inputs: [{name: a, type: str, value: x, options: [x]}]",
            r#"{"inputs":[{"name":"a","type":"str","value":"x","isOptional":true,"validation":{"options":["x"]}}]}"#,
        ),
        (
            "schedule: {kind: interval, frequency: '1:00:00', startAt: 2030-01-01}",
            r#"{"schedule":{"kind":"interval","frequency":3600.0,"startAt":"2030-01-01T00:00:00+00:00"}}"#,
        ),
        (
            "matrix: {kind: random, numRuns: '5', params: {a: {kind: range, value: '1:9:2'}, b: {kind: normal, value: [0, 1]}}}",
            r#"{"matrix":{"kind":"random","numRuns":5,"params":{"a":{"kind":"range","value":{"start":1.0,"stop":9.0,"step":2.0}},"b":{"kind":"normal","value":{"loc":0.0,"scale":1.0}}}}}"#,
        ),
        ("environment: {labels: {a: 1.5, b: true}}", r#"{"environment":{"labels":{"a":"1.5","b":"true"}}}"#),
        ("component: {strict_params: true}", r#"{"component":{"strictParams":true}}"#),
        (
            "kind: operation\ncomponent:\n  kind: component\n  strict_params: true",
            r#"{"kind":"operation","component":{"kind":"component","strictParams":true}}"#,
        ),
        ("pathRef: a.yaml\nrun: {container: {image: x}}", r#"{"pathRef":"a.yaml","run":{"container":{"image":"x"}}}"#),
        (
            "isPreset: true\nhubRef: a\nurlRef: b\nrun: {container: {}}",
            r#"{"isPreset":true,"hubRef":"a","urlRef":"b","run":{"container":{}}}"#,
        ),
    ] {
        assert_eq!(accepted(text), expected);
    }
}

#[test]
fn faults_name_place_value_and_way_out() {
    for (text, expected) in [
        (
            "kind: operation\nrnu: {kind: job}",
            "unknown-section ~rnu~ `rnu` is not a section of a polyaxonfile | unknown field | did you mean `run`?",
        ),
        (
            "kind: operation\nstrict_params: true",
            "unknown-section ~strict_params~ `strict_params` is not a section of a polyaxonfile | write `strictParams` | the fields of a document with a `kind` are spelled in camelCase",
        ),
        (
            "image: x",
            "unknown-field ~image~ `image` is not a field of a polyaxonfile | unknown field | `image` belongs into `container`",
        ),
        (
            "termination: {maxRetry: 3}",
            "unknown-field ~maxRetry~ `maxRetry` is not a field of `termination` | unknown field | did you mean `maxRetries`?",
        ),
        (
            "termination: {maxRetries: '3'}",
            "type ~'3'~ `termination.maxRetries` cannot be `3` | expected an integer, found a string | remove the quotes: 3",
        ),
        (
            "description: 5",
            "type ~5~ `description` cannot be `5` | expected a string, found an integer | put the value in quotes: \"5\"",
        ),
        (
            "isPreset: '{{ x }}'",
            "template ~'{{ x }}'~ `isPreset` cannot be a template | expected true or false, found a template | write the value itself; this field is read before templates are rendered",
        ),
        (
            "run: {container: {image: x}}",
            "run-kind ~container~ `run` has no `kind` | a runtime needs a kind | add `kind: job`, or reference the component whose runtime these fields change",
        ),
        (
            "run: {kind: jbo}",
            "unknown-kind ~jbo~ `run.kind` cannot be `jbo` | not a kind that is known here | did you mean `job`?",
        ),
        (
            "kind: compnent",
            "unknown-kind ~compnent~ `kind` cannot be `compnent` | not a kind that is known here | did you mean `component`?",
        ),
        (
            "schedule: {cron: x}",
            "missing-kind ~cron~ `schedule` has no `kind` | `kind` is missing here | add `kind:` with one of `cron`, `interval`, `datetime`",
        ),
        (
            "hooks: [{trigger: done}]",
            "missing-field ~trigger~ `hooks[0]` (hook) lacks the field `hubRef` | `hubRef` is missing here | add `hubRef: slack`",
        ),
        (
            "hooks: [{hubRef: a, trigger: running}]",
            "hook-trigger ~running~ `hooks[0].trigger` cannot be `running` | expected one of `succeeded`, `failed`, `stopped`, `skipped`, `upstream_failed`, `done` | ",
        ),
        (
            "patchStrategy: postmerge",
            "enum ~postmerge~ `patchStrategy` cannot be `postmerge` | expected one of `post_merge`, `pre_merge`, `isnull`, `replace` | did you mean `post_merge`?",
        ),
        (
            "name: my run",
            "name-pattern ~my run~ `name` cannot be `my run` | only letters, digits, `-` and `_` are allowed | for example `my-run`",
        ),
        (
            "hubRef: a\npathRef: b",
            "multiple-references ~pathRef~ a document can reference one component only | `pathRef` is the second reference | remove one of them",
        ),
        (
            "connections: a",
            "type ~a~ `connections` cannot be `a` | expected a list of strings, found a string | write it as a list: [a]",
        ),
        (
            "env: {A: 1}",
            "env ~1~ `env.A` cannot be `1` | expected a string, found an integer | put the value in quotes: \"1\"",
        ),
        (
            "env: {on: x}",
            "type ~on~ a name in `env` cannot be `true` | expected a string, found another value | put the name in quotes: \"true\"",
        ),
        (
            "cmd: ['', x]",
            "cmd ~''~ `cmd[0]` is empty | expected a command | write the command to run, like `cmd: python train.py`",
        ),
        (
            "resources: {cpu: 1Gi}",
            "resources ~1Gi~ `resources.cpu` cannot be `1Gi` | expected an amount of processors such as `2`, `0.5` or `500m` | write a number or a range such as 1..2; use container.resources for anything else",
        ),
        (
            "container: {imge: x}",
            "k8s-field ~imge~ `imge` is not a field of a Kubernetes container | unknown field | did you mean `image`?",
        ),
        (
            "volumes: [{emptyDir: {}}]",
            "k8s-required ~emptyDir~ `volumes[0]` lacks the field `name` | `name` is missing here | a Kubernetes volume needs `name`",
        ),
        (
            "inputs: [{name: params}]",
            "io-name ~params~ an input or output cannot be named `params` | templates use this name already | choose another name",
        ),
        (
            "inputs: [{name: a, value: 1, isOptional: false}]",
            "io-default ~1~ `inputs[0]` has a default, but is not optional | the default | remove `isOptional`, or remove the default",
        ),
        (
            "inputs: [{name: a, type: int, isFlag: true}]",
            "flag-type ~int~ `inputs[0]` is a flag, but not of type `bool` | expected `bool` | set `type: bool`, or remove `isFlag`",
        ),
        (
            "init: [{git: {url: a}, file: {content: b}}]",
            "init-schemas ~file~ `init[0]` does more than one thing | `file` is the second thing | write one list item for each",
        ),
        (
            "init: [{git: {revision: a}}]",
            "init-schemas ~git~ `init[0].git` has neither a `url` nor a connection | what should be cloned? | add `url:` below `git`, or `connection:` beside it",
        ),
        (
            "matrix: {kind: grid, params: {a: {kind: uniform, value: [0, 1]}}}",
            "matrix-distribution ~uniform~ `a` has the kind `uniform`, which a grid search cannot use | a distribution | use `choice`, a range or a space, or another kind of search",
        ),
        (
            "matrix: {kind: grid, concurrency: 0, params: {}}",
            "range ~0~ `matrix.concurrency` cannot be `0` | must be greater than 0 | ",
        ),
        (
            "matrix: {kind: grid, params: {a: {kind: range, value: 1:10:3}}}",
            "type ~1:10:3~ `matrix.params.a.value` cannot be `4203` | expected a mapping or list of start, stop, step, found an integer | an unquoted `a:b:c` is read as a number in base 60; put it in quotes",
        ),
        (
            "mount: [5]",
            "type ~5~ `mount[0]` cannot be `5` | expected a string or a mapping (mount), found an integer | ",
        ),
        (
            "params: {a: {ref: ops.x, value: 5}}",
            "param-ref ~5~ `params.a` has a `ref`, so its `value` must be a string | expected a string, found an integer | name what the reference offers, like `value: outputs.loss`",
        ),
    ] {
        assert_eq!(faults(text), [expected], "{text}");
    }
}

#[test]
fn all_faults_are_found_at_once() {
    let text = "kind: operation\nfoo: 1\ntags: 5\nrun:\n  kind: job\n  container: {imge: x}\n  environment:\n    priority: high\n    hostNetwork: maybe\n";
    let classes: Vec<String> =
        faults(text).iter().map(|fault| fault.split(' ').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(classes, ["unknown-section", "type", "k8s-field", "type", "type"]);
}

#[test]
fn what_is_no_document_is_refused() {
    for (text, class) in [("", "empty"), ("{}", "empty"), ("- a", "not-a-mapping"), ("5", "not-a-mapping")] {
        assert!(faults(text)[0].starts_with(class), "{text}");
    }
}

#[test]
fn presets_may_be_incomplete() {
    let (node, diagnostics) = read("hubRef: a\npathRef: b\nrun: {container: {image: x}}", DocumentRole::Preset);
    assert!(node.is_some(), "{diagnostics:?}");
}

#[test]
fn only_the_first_file_must_spell_in_camel_case() {
    let text = "kind: operation\nstrict_params: true";
    assert!(read(text, DocumentRole::Main).0.is_none());
    for role in [DocumentRole::Preset, DocumentRole::Component] {
        let shown = read(text, role).0.map(|node| node.to_json().to_string());
        assert_eq!(shown.as_deref(), Some(r#"{"kind":"operation","strictParams":true}"#));
    }
}

#[test]
fn tables_are_whole() {
    fn walk(section: &'static Section, seen: &mut Vec<&'static Section>) {
        if seen.iter().any(|known| std::ptr::eq(*known, section)) {
            return;
        }
        seen.push(section);
        for field in section.fields {
            assert!(field.doc.ends_with('.'), "{}.{}", section.name, field.name);
            let example = format!("{}: {}", field.name, field.example);
            let node = yaml::read(crate::span::SourceId(0), example.as_bytes()).map(|document| document.node);
            let mut value = node.unwrap_or_else(|errors| panic!("{example}: {errors:?}"));
            let value = value.as_map_mut().and_then(|map| map.get_mut(field.name)).unwrap();
            let mut diagnostics = Vec::new();
            if field.name != "kind" {
                read_field(field, value, field.name, &mut diagnostics);
            }
            assert_eq!(diagnostics, [], "example of {}.{}", section.name, field.name);
            for (_, inner) in crate::schema::sections_of(&field.ty) {
                walk(inner, seen);
            }
        }
    }
    let mut seen = Vec::new();
    walk(&DOCUMENT, &mut seen);
    assert!(seen.len() > 60, "{}", seen.len());
}
