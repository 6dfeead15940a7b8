//! Templates against what Jinja2 made of them: `data/template-cases.json`, recorded over one context.

use polyaxon_compile::template::{Budget, render, value};
use polyaxon_spec::node::Node;
use serde::Deserialize;
use serde_json::Value as Json;

#[derive(Deserialize)]
struct Cases {
    ctx: Json,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    t: String,
    ok: bool,
    r: String,
}

/// Templates where we differ from Jinja2 on purpose, with what we answer instead; `error` for a refusal.
const ACCEPTED: &[(&str, &str, &str)] = &[
    ("{{ 'a' ~ i ~ b ~ n ~ f }}", "a1TrueNone0.00001", "the engine's `~` prints floats itself"),
    ("{{ 'a' < 1 }}", "False", "the engine orders values of different types"),
    ("{# comment #}x", "{# comment #}x", "a text without braces of a template is none (spec §16.3)"),
    ("x\n", "x\n", "a text without braces of a template is none (spec §16.3)"),
    ("a\n\n", "a\n\n", "a text without braces of a template is none (spec §16.3)"),
    ("{{ lipsum }}", "", "filler text has no use here"),
    ("{{ cycler('a','b').next() }}|{{ joiner(',')() }}", "error", "helpers for pages have no use here"),
    ("{{ s.__class__ }}", "", "insides of Python values do not exist here"),
    ("{{ i.bit_length() }}", "error", "numbers have no methods here"),
    ("{{ l | random in l }}", "error", "resolution is free of chance"),
    ("{{ 'é'|urlencode }}|{{ {'a':'b c'}|urlencode }}", "%C3%A9|a=b%20c", "both are valid"),
];

#[test]
fn templates_render_like_jinja() {
    let cases: Cases = serde_json::from_str(include_str!("../data/template-cases.json")).unwrap();
    let context = value::from_node(&Node::from_json(&cases.ctx));
    let mut differences = Vec::new();
    for case in &cases.cases {
        let expected = if case.ok { case.r.as_str() } else { "error" };
        let rendered = render(&case.t, &context, &Budget::default());
        let found = rendered.as_deref().unwrap_or("error");
        let accepted = ACCEPTED.iter().find(|(template, _, _)| *template == case.t);
        let wanted = accepted.map_or(expected, |(_, ours, _)| ours);
        if found != wanted {
            let reason = rendered.as_ref().err().map_or(String::new(), |error| error.to_string());
            differences.push(format!("{}\n  expected {expected}\n  found    {found} {reason}", case.t));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
