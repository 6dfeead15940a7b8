//! The small languages inside documents and on the command line: templates, references, params.

use polyaxon_compile::template::expand::expression;
use polyaxon_compile::template::{Budget, literal, names, print, render, value};
use polyaxon_spec::check::{self, Inline, Request};
use polyaxon_spec::node::{Map, Node};
use polyaxon_spec::refs::{self, RefValue};
use polyaxon_spec::span::Span;
use serde_json::json;

use super::LARGEST_INPUT;
use super::documents::follow;
use crate::files::Files;

/// What a rendered text can have at most, with all that its fuel pays for.
const MOST_OUTPUT: usize = 32 << 20;

/// Renders a text over values of every kind.
pub fn template(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let context = value::from_node(&Node::from_json(&json!({
        "lr": 0.1, "epochs": 10, "name": "résumé", "flag": true, "nothing": null, "words": ["a", "b", 3],
        "params": {"lr": {"value": 0.1, "as_arg": "--lr=0.1"}, "deep": {"a": {"b": [{"c": "d"}]}}},
        "globals": {"uuid": "8aac02e3a62a4f0aaa257c59da5eab80", "created_at": "2024-01-02T03:04:05+00:00", "iteration": 3},
        "again": "{{ name }}", "endless": "{{ endless }}", "loss": -1e-7, "many": (0..50).collect::<Vec<i32>>(),
    })));
    let rendered = render(text, &context, &Budget::default());
    if let Ok(rendered) = &rendered {
        assert!(rendered.len() <= MOST_OUTPUT, "{} bytes from {} bytes", rendered.len(), text.len());
    }
    if let Err(error) = &rendered
        && let Some(range) = error.range.clone()
    {
        assert!(text.get(range.clone()).is_some(), "{range:?} is no part of the text: {error}");
    }
    let _ = names(text);
    let _ = expression(text, Span::NONE, &context, &Budget::default());
    // `random` and the like do not exist, so that a run resolves to the same whenever it is asked.
    assert_eq!(rendered, render(text, &context, &Budget::default()), "rendered differently the second time");
    if let Some(node) = literal::read(text) {
        literal_prints_as_itself(&node);
    }
}

/// Python prints containers as literals; numbers that are no literals (`inf`, `nan`) have no such form.
fn literal_prints_as_itself(node: &Node) {
    if node.as_list().is_none() && node.as_map().is_none() {
        return;
    }
    let printed = print::text(node);
    if ["inf", "nan", "..."].iter().any(|word| printed.contains(word)) || printed.len() > 1 << 16 {
        return;
    }
    let again = literal::read(&printed).unwrap_or_else(|| panic!("not read again: {printed}"));
    assert_eq!(print::text(&again), printed, "printed differently the second time");
}

/// The first line is a reference to a run, the second a value of it; the others are the `pathRef` of one file each.
pub fn refs(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut lines = text.split('\n');
    let (entity, asked) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut param = Map::new();
    param.insert("ref", Node::string(entity));
    param.insert("value", Node::string(asked));
    if let Ok(Some(reference)) = refs::read("x", &Node::map(param)) {
        let value = &reference.value;
        let again = RefValue::parse(&value.text());
        assert_eq!((again.section(), again.name()), (value.section(), value.name()), "{asked:?}");
        assert!(reference.key().ends_with(&value.text()));
    }
    let names = ["a.yaml", "b.yaml", "dir/c.yaml", "dir/deep/d.yaml"];
    let mut files = Files::default();
    for name in names {
        let document = match lines.next() {
            Some(target) => {
                let params = json!({"x": {"ref": entity, "value": asked}});
                json!({"kind": "operation", "pathRef": target, "params": params}).to_string()
            }
            None => "kind: component\ninputs: [{name: x, type: str}]\nrun: {kind: job, container: {image: a}}\n".into(),
        };
        files.0.insert(name.to_owned(), document.into_bytes());
    }
    let operation = |name: &str, path: &str| json!({"name": name, "pathRef": path, "params": {"x": {"ref": entity, "value": asked}}});
    let operations: Vec<_> = ["train", "x"].iter().zip(names).map(|(name, path)| operation(name, path)).collect();
    let dag = json!({"kind": "component", "run": {"kind": "dag", "operations": operations}});
    files.0.insert("dag.yaml".into(), dag.to_string().into_bytes());
    for file in ["a.yaml", "dag.yaml"] {
        let request = Request { files: vec![file.into()], ..Request::default() };
        follow(&check::check(&request, &mut files));
    }
}

/// The types of inputs, one of which the first byte chooses.
const TYPES: &[&str] = &[
    "any",
    "str",
    "int",
    "float",
    "bool",
    "dict",
    "uri",
    "auth",
    "path",
    "metric",
    "metadata",
    "date",
    "datetime",
    "uuid",
    "image",
    "git",
    "gcs",
    "s3",
    "wasb",
    "dockerfile",
    "artifacts",
    "event",
    "file",
    "tensorboard",
    "list",
];

/// One argument per line, by its first character: `-` is a `-HP`, `e` an `--env`, `p` a `--ports`, `m` a `-m`, all
/// others are a `-P`. The first byte chooses the type of the input `x`.
pub fn params(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let Some(text) = text(data) else { return };
    let (mut request, mut inline) = (Request::default(), Inline::default());
    for line in text.split('\n').take(40) {
        let rest = || line.chars().skip(1).collect::<String>();
        match line.chars().next() {
            Some('-') => request.hyper_params.push(rest()),
            Some('e') => inline.env.push(rest()),
            Some('p') => inline.ports.push(rest()),
            Some('m') => request.mounts.push(rest()),
            _ => request.params.push(line.to_owned()),
        }
    }
    let ty = TYPES[usize::from(*first) % TYPES.len()];
    let inputs = json!([
        {"name": "x", "type": ty, "isList": first % 3 == 0, "toEnv": "X", "isOptional": true},
        {"name": "lr", "type": "float", "isOptional": true, "validation": {"gt": 0}},
        {"name": "text", "isOptional": true, "argFormat": "--text={{ text }}"},
    ]);
    let container = json!({"image": "a", "args": ["{{ x }}", "{{ params.lr.as_arg }}"]});
    let document = json!({"kind": "component", "inputs": inputs, "run": {"kind": "job", "container": container}});
    let mut files = Files([("main.yaml".to_owned(), document.to_string().into_bytes())].into());
    request.files.push("main.yaml".into());
    request.inline = inline;
    follow(&check::check(&request, &mut files));
}

/// The first byte of an input of [`params`] for a type.
pub(super) fn type_byte(ty: &str) -> u8 {
    TYPES.iter().position(|known| *known == ty).unwrap_or_default() as u8
}

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok().filter(|text| text.len() <= LARGEST_INPUT)
}
