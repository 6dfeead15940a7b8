//! The recorded readings of PyYAML, our own limits, and spans.

use serde_json::{Value as Json, json};

use super::*;
use crate::diagnostic::Code;
use crate::node::{Key, Map, Value};

const SOURCE: SourceId = SourceId(0);

/// Recorded inputs that PyYAML reads in another way; the head of [`super::super`] says why.
const DIFFERENCES: &[&str] = &["value_eq", "nbsp_nel"];

fn recorded(node: &Node) -> Json {
    match &node.value {
        Value::Null => json!(["null"]),
        Value::Bool(value) => json!(["bool", value]),
        Value::Int(value) => json!(["int", value.to_string()]),
        Value::Float(value) => match format!("{value:?}").as_str() {
            "NaN" => json!(["float", "nan"]),
            text => json!(["float", text]),
        },
        Value::Str(text) => json!(["str", text]),
        Value::Date(text) => json!(["date", text]),
        Value::DateTime(text) => json!(["ts", text]),
        Value::TimeDelta(_) => unreachable!("not made by reading"),
        Value::Bytes(bytes) => json!(["bin", binary::encode(bytes)]),
        Value::List(items) => json!(["list", items.iter().map(recorded).collect::<Vec<_>>()]),
        Value::Map(map) => {
            let key = |key: &Key| {
                if key.is_text {
                    return json!(["str", key.text]);
                }
                let Ok(resolve::Plain::Value(value)) = resolve::plain(&key.text) else { panic!("{key:?}") };
                recorded(&Node::bare(value))
            };
            json!(["map", map.iter().map(|(k, value)| json!([key(k), recorded(value)])).collect::<Vec<_>>()])
        }
    }
}

/// What the record says where the tree has no room for the same: naive times are UTC, sets are mappings,
/// and Python holds `1` and `true` to be the same key.
fn adjusted(name: &str, reference: &Json) -> Json {
    match name {
        "date" => {
            let text = reference.to_string().replace("2024-01-02T03:04:05\"", "2024-01-02T03:04:05+00:00\"");
            serde_json::from_str(&text).unwrap()
        }
        "set" => json!(["map", [[["str", "a"], ["map", [[["str", "x"], ["null"]], [["str", "y"], ["null"]]]]]]]),
        "nonstr_key" => json!([
            "map",
            [
                [["int", "1"], ["str", "a"]],
                [["bool", true], ["str", "b"]],
                [["float", "2.5"], ["str", "c"]],
                [["null"], ["str", "d"]]
            ]
        ]),
        _ => reference.clone(),
    }
}

#[test]
fn reads_what_pyyaml_reads() {
    let cases: Json = serde_json::from_str(include_str!("../../tests/data/yaml-cases.json")).unwrap();
    for (name, case) in cases.as_object().unwrap() {
        let text = case["src"].as_str().unwrap();
        let result = read(SOURCE, text.as_bytes());
        if DIFFERENCES.contains(&name.as_str()) {
            assert!(result.is_ok(), "{name} is listed as a difference");
            continue;
        }
        match result {
            Err(diagnostics) => assert_eq!(case["ref"][0], "error", "{name}: {diagnostics:?}"),
            Ok(document) => {
                assert_eq!(recorded(&document.node), adjusted(name, &case["ref"]), "{name}");
                let written = emit(&document.node);
                let again = read(SOURCE, written.as_bytes()).unwrap_or_else(|e| panic!("{name}: {written}\n{e:?}"));
                assert_eq!(recorded(&again.node), recorded(&document.node), "{name} written as\n{written}");
            }
        }
    }
}

#[test]
fn reads_more_of_the_dialect() {
    for (text, expected) in [
        ("a: ! '123'", json!({"a": 123})),
        ("a: [b: c]", json!({"a": [{"b": "c"}]})),
        ("a: {b}", json!({"a": {"b": null}})),
        ("a: 1_.0", json!({"a": 1.0})),
        ("a: .5e+3", json!({"a": 500.0})),
        ("a: -.5", json!({"a": "-.5"})),
        ("a: -1:30", json!({"a": -90})),
        ("a: {x: 1, <<: {x: 3, y: 1}}", json!({"a": {"x": 1, "y": 1}})),
        ("a: !<tag:yaml.org,2002:str> 5", json!({"a": "5"})),
        ("%TAG !y! tag:yaml.org,2002:\n---\na: !y!str 5", json!({"a": "5"})),
        ("a: 2024-01-02 3:04:05.123456789 +1", json!({"a": "2024-01-02T03:04:05.123456+01:00"})),
        ("a: |\n  x\n  \ty", json!({"a": "x\n\ty"})),
        ("{\n\t\"a\": 1\n}\n", json!({"a": 1})),
        ("a: \"\\ud83d\\ude00\"", json!({"a": "😀"})),
        ("a: 0x_1F\nb: 0_7\nc: 00", json!({"a": 31, "b": 7, "c": 0})),
        ("a: *b.c\n", json!(null)),
    ] {
        match read(SOURCE, text.as_bytes()) {
            Ok(document) => assert_eq!(document.node.to_json(), expected, "{text}"),
            Err(_) => assert!(expected.is_null(), "{text}"),
        }
    }
}

fn first_error(text: &str) -> (Code, String, String) {
    let diagnostics = read(SOURCE, text.as_bytes()).expect_err(text);
    let first = &diagnostics[0];
    let shown = text.get(first.span.start as usize..first.span.end as usize).unwrap().to_owned();
    (first.code, shown, format!("{} | {}", first.message, first.help.clone().unwrap_or_default()))
}

#[test]
fn refuses_with_place_and_help() {
    for (text, code, shown, part) in [
        ("a: {{ x }}", codes::YAML, "{ x }", "must be quoted"),
        ("a: {{ x }}-y", codes::YAML, "{ x }", "must be quoted"),
        ("- {{ x }}: y", codes::YAML, "{ x }", "must be quoted"),
        ("a: @x", codes::YAML, "@", "quotes"),
        ("a: b: c", codes::YAML, ":", "not possible here"),
        ("a: x\t# c", codes::YAML, "\t", "tab"),
        ("\ta: 1", codes::YAML, "\t", "tab"),
        ("a: *nope", codes::YAML, "*", "`*nope`"),
        ("a: &x [*x]", codes::YAML, "*x", "inside the value"),
        ("a: &x 1\nb: &x 2", codes::YAML, "&x", "defined twice"),
        ("a: !foo bar", codes::YAML, "!foo", "not known"),
        ("a: !!int x", codes::YAML, "x", "not an integer"),
        ("a: !!str {}", codes::YAML, "!!str", "does not fit"),
        ("a: 2024-02-30", codes::YAML, "2024-02-30", "not a date"),
        ("<<: 1", codes::YAML, "1", "mapping"),
        ("a: <<", codes::YAML, "<<", "only be a key"),
        ("a: 1\n---\nb: 2", codes::YAML, "---", "more than one document"),
        ("...\na: 1", codes::YAML, "", "cannot start"),
        (
            "a: 999999999999999999999999999999999999999999",
            codes::INT_RANGE,
            "999999999999999999999999999999999999999999",
            "64 bits",
        ),
        ("a: \"x\u{7}\"", codes::ENCODING, "\u{7}", "control"),
        ("a: [1, 2", codes::YAML, "[", "never closed"),
    ] {
        let (found, place, words) = first_error(text);
        assert_eq!((found.id, place.as_str()), (code.id, shown), "{text}: {words}");
        assert!(words.contains(part), "{text}: {words}");
    }
}

#[test]
fn refuses_what_could_exhaust_the_machine() {
    let deep_flow = "[".repeat(1000) + &"]".repeat(1000);
    let deep_block = (0..1000).fold(String::new(), |text, level| text + &" ".repeat(level) + "a:\n");
    let deep_alias = (1..300).fold("- &a0 []\n".to_owned(), |text, n| text + &format!("- &a{n} [*a{}]\n", n - 1));
    let bomb = (1..12).fold("a0: &a0 x\n".to_owned(), |text, n| {
        text + &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "))
    });
    let text_bomb = format!("a: &a {}\nb: [{}]", "x".repeat(100_000), "*a, ".repeat(200));
    let nest = (0..150).fold(format!("[{}]", "1, ".repeat(50_000)), |text, n| format!("&n{n} [{text}]")) + "\n";
    assert!(read(SOURCE, nest.as_bytes()).is_ok());
    let nested_anchors = format!("a: {nest}b: *n149\n");
    let large = "a".repeat(MAX_BYTES + 1);
    for text in [deep_flow, deep_block, deep_alias, bomb, text_bomb, nested_anchors, large] {
        assert_eq!(read(SOURCE, text.as_bytes()).unwrap_err()[0].code, codes::TOO_LARGE);
    }
    for bytes in [&b"a: \xff\n"[..], b"\xff\xfea\0", b"\x7fELF\x02\0\0"] {
        assert_eq!(read(SOURCE, bytes).unwrap_err()[0].code, codes::ENCODING);
    }
}

#[test]
fn a_large_flat_file_is_read_in_linear_time() {
    let text = (0..200_000).fold(String::new(), |text, n| text + &format!("key{n}: {n}\n"));
    assert_eq!(read(SOURCE, text.as_bytes()).unwrap().node.as_map().map(Map::len), Some(200_000));
}

#[test]
fn spans_are_the_written_bytes() {
    let text =
        "\u{feff}name: é x # c\nrun:\n  kind: job\n  args: [a, 'b']\n\n# end\nlist:\n- &q {x: 1}\n- *q\nempty:\n";
    let node = read(SOURCE, text.as_bytes()).unwrap().node;
    let shown = |node: &Node| text[node.span.start as usize..node.span.end as usize].to_owned();
    assert_eq!(shown(node.get("name").unwrap()), "é x");
    assert_eq!(shown(node.get("run").unwrap()), "kind: job\n  args: [a, 'b']");
    assert_eq!(shown(node.at(&["run", "args"]).unwrap()), "[a, 'b']");
    assert_eq!(shown(&node.at(&["run", "args"]).unwrap().as_list().unwrap()[1]), "'b'");
    assert_eq!(shown(node.get("list").unwrap()), "&q {x: 1}\n- *q");
    assert_eq!(shown(&node.get("list").unwrap().as_list().unwrap()[1]), "{x: 1}");
    let key = node.as_map().unwrap().get_key("run").unwrap();
    assert_eq!(&text[key.span.start as usize..key.span.end as usize], "run");
}

#[test]
fn duplicate_keys_warn_with_both_places() {
    let document = read(SOURCE, b"a: 1\nb: 2\na: 3\n").unwrap();
    assert_eq!(document.node.to_json(), json!({"a": 3, "b": 2}));
    let warning = &document.warnings[0];
    assert_eq!((warning.code, warning.span.start, warning.related[0].0.start), (codes::DUPLICATE_KEY, 10, 0));
    let merged = read(SOURCE, b"x: &x {k: 1}\ny:\n  k: 2\n  <<: *x\n").unwrap();
    assert_eq!(merged.warnings, []);
}

#[test]
fn writes_readable_yaml() {
    let text = "kind: operation\nparams:\n  lr: 0.001\n  text: \"yes\"\n  when: '{\"a\": 1}'\nrun:\n  container:\n    args:\n      - --lr={{ lr }}\n      - \"{{ x }}\"\n      - |\n        set -e\n\n        \tpython x.py\n    env: []\n";
    let node = read(SOURCE, text.as_bytes()).unwrap().node;
    assert_eq!(emit(&node), text);
}

#[test]
fn strings_survive_writing() {
    for text in [
        "",
        " x",
        "x ",
        "a: b",
        "a #b",
        "- x",
        "-",
        "--x",
        "yes",
        "1e3",
        "12",
        "0x1f",
        "null",
        "~",
        "<<",
        "=",
        "@x",
        "%x",
        "x\n",
        "x\n\n",
        "\nx",
        " x\ny",
        "x\n \ny",
        "\t",
        "a\tb",
        "\u{85}",
        "\u{feff}",
        "\u{0}",
        "'\"\\",
        "? x",
        "?x",
        "...",
        "--- a",
        "a:",
        "2024-01-01",
        "{{ x }}",
        "[a]",
        "x\ry",
        "😀",
        "a\n  b\n\tc",
    ] {
        let mut map = Map::new();
        map.insert(text, Node::list(vec![Node::string(text), Node::list(vec![Node::string(text)])]));
        let node = Node::map(map);
        let written = emit(&node);
        assert_eq!(read(SOURCE, written.as_bytes()).unwrap().node, node, "{text:?} written as\n{written}");
    }
    for value in [0.0, -0.0, 1e-7, 1.5e300, 1e16, -2.5, f64::INFINITY] {
        let written = emit(&Node::float(value));
        assert_eq!(read(SOURCE, written.as_bytes()).unwrap().node.value, Value::Float(value), "{written}");
    }
}
